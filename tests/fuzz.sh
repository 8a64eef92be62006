#!/bin/bash
# fuzz.sh SECONDS TARGET... - run libFuzzer targets, as many at a time as there
# are processors, each for so long, from the seeds in tests/fuzz/NAME.seeds/
# where there are any.  What they learn stays in build/fuzz/corpus/NAME, a
# finding in build/fuzz.
set -u
cd "$(dirname "$0")/.." || exit 1
seconds=$1 found=0 pids=()
shift
[ $# -gt 0 ] || { echo "fuzz: no such target" >&2; exit 1; }

run() {
	local target=$1 name corpus seeds runs
	name=$(basename "$target") name=${name#fuzz_}
	corpus=build/fuzz/corpus/$name seeds=tests/fuzz/$name.seeds
	mkdir -p "$corpus"
	[ -d "$seeds" ] || seeds=
	if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
	    -artifact_prefix="build/fuzz/$name-" -print_final_stats=1 \
	    "$corpus" $seeds >"build/fuzz/$name.log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' \
		    "build/fuzz/$name.log")
		echo "  ok    $name: $runs runs in $seconds s, no finding"
	else
		tail -n 40 "build/fuzz/$name.log"
		echo "  FAIL  $name: see build/fuzz/$name.log"
		return 1
	fi
}

for target in "$@"; do
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n
	done
	run "$target" &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid" || found=1
done
exit $found
