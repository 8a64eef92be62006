#!/bin/bash
# check.sh - all that a change must pass, with one count at the end:
# "N passed, N failed".  The whole output is kept in build/check.log.
set -u
cd "$(dirname "$0")/.." || exit 1
mkdir -p build
COUNTS=$(mktemp) && trap 'rm -f "$COUNTS"' EXIT
export COUNTS
unset MAKEFLAGS MAKELEVEL MFLAGS SAN BUILD CC
jobs=$(nproc)

# step NAME COMMAND... - counted as one test unless it counts for itself
step() {
	local name=$1 before status start=$SECONDS
	shift
	echo "== $name"
	before=$(wc -l <"$COUNTS")
	"$@"
	status=$?
	if [ "$(wc -l <"$COUNTS")" = "$before" ]; then
		echo "$((status == 0)) $((status != 0)) $name" >>"$COUNTS"
	fi
	[ $status = 0 ] || echo "== $name: FAILED"
	echo "== $name: $((SECONDS - start)) s"
	return $status
}

build() {
	make -s -j"$jobs" "$@" 2>&1 | grep -vE '^  (CC|LINK|FUZZ) '
	return "${PIPESTATUS[0]}"
}

unit() {
	local dir=$1
	tests/unit.sh "$dir"/unit/test_*
}

all() {
	step "lint" tests/lint.sh
	if step "build with gcc" build unit-build; then
		step "unit tests" unit build
		step "end-to-end tests" tests/e2e.sh
	fi
	step "build with clang" build CC=clang BUILD=build/clang all
	if step "build with sanitizers" build SAN=1 unit-build; then
		step "unit tests, sanitizers" unit build/san
		MARKER="not heavy" POSTERN_BUILD=build/san \
		    step "end-to-end tests, sanitizers" tests/e2e.sh
	fi
	step "fuzz targets build" build fuzz-build &&
	    step "fuzz targets, a taste" build fuzz SECONDS=2
}

all > >(tee build/check.log) 2>&1
wait
passed=0 failed=0
while read -r good bad name; do
	passed=$((passed + good)) failed=$((failed + bad))
	[ "$bad" = 0 ] || echo "  $bad failed: $name"
done <"$COUNTS" > >(tee -a build/check.log)
wait
echo "$passed passed, $failed failed" | tee -a build/check.log
[ $failed = 0 ] && [ $passed -gt 0 ]
