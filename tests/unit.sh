#!/bin/bash
# unit.sh PROGRAM... - run unit tests, a few at a time, for they wait more than
# they work, and those first that wait longest; each prints one line, its output
# only when something failed.  A test whose head comment says "also: root" runs
# a second time as root.  Counts go to the file $COUNTS too, for check.sh.
set -u
cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/sbin:/sbin:$PWD/build/peers/usr/sbin
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
jobs=${UNIT_JOBS:-$(($(nproc) * 3))} started=0

# show FILE: the end of a failed test's output; of what stands before it, with
# which seed it ran and what failed.
show() {
	awk '{ line[NR] = $0 }
	    END { for (i = 1; i <= NR; i++)
		if (i > NR - 60 || tolower(line[i]) ~ /seed|^ *not ok|^# /)
			print "        | " line[i] }' "$1"
}

# run NUMBER NAME COMMAND...: the result goes to files of that number.
run() {
	local out=$dir/$1.out name=$2 yes no status start=$SECONDS
	local result=$dir/$1.result
	shift 2
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "${UNIT_SECONDS:-120}" "$@" \
	    >"$out" 2>&1 </dev/null
	status=$?
	yes=$(grep -c '^ok ' "$out") no=$(grep -c '^not ok ' "$out")
	if [ $status != 0 ] && [ "$no" = 0 ]; then
		no=1
		echo "exit status $status" >>"$out"
	elif [ "$yes$no" = 00 ]; then
		no=1
		echo "no test ran" >>"$out"
	fi
	if [ "$no" = 0 ]; then
		echo "  ok    $name: $yes passed ($((SECONDS - start)) s)"
	else
		show "$out"
		echo "  FAIL  $name: $yes passed, $no failed"
	fi >"$result"
	echo "$yes $no" >"${out%.out}.count"
	cat "$result"
}

# begin NAME COMMAND...: as soon as fewer than $jobs run.
begin() {
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
		wait -n
	done
	started=$((started + 1))
	run $started "$@" &
}

slow='relay_pipe|queue_suspect|sandbox|vault_hash|tls_waiting|edge_auth|keys'
slow="/test_($slow|edge_session|queue_(control|flips|index|salvage|stale))$"
mapfile -t programs < <(printf '%s\n' "$@" | grep -E "$slow"
    printf '%s\n' "$@" | grep -vE "$slow")
for program in "${programs[@]}"; do
	name=$(basename "$program")
	begin "$name" "$program"
	if [ "$(id -u)" != 0 ] &&
	    grep -q '^ \* also: root' "tests/unit/$name.c" 2>/dev/null; then
		begin "$name as root" sudo -n env \
		    CMOCKA_MESSAGE_OUTPUT=TAP "$(realpath "$program")"
	fi
done
wait
passed=0 failed=0
for i in $(seq $started); do
	read -r yes no <"$dir/$i.count" || { yes=0; no=1; }
	passed=$((passed + yes)) failed=$((failed + no))
done
echo "unit: $passed passed, $failed failed"
[ -z "${COUNTS:-}" ] || echo "$passed $failed unit" >>"$COUNTS"
[ $failed = 0 ]
