#!/bin/bash
# unit.sh PROGRAM... - run unit tests; each prints one line, its output only
# when something failed.  A test whose head comment says "also: root" runs a
# second time as root.  Counts go to the file $COUNTS too, for check.sh.
set -u
cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/sbin:/sbin:$PWD/build/peers/usr/sbin
passed=0 failed=0
out=$(mktemp) && trap 'rm -f "$out"' EXIT

# run NAME COMMAND...
run() {
	local name=$1 yes no status start=$SECONDS
	shift
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
	passed=$((passed + yes)) failed=$((failed + no))
	if [ "$no" = 0 ]; then
		echo "  ok    $name: $yes passed ($((SECONDS - start)) s)"
	else
		sed 's/^/        | /' "$out" | tail -n 60
		echo "  FAIL  $name: $yes passed, $no failed"
	fi
}

for program in "$@"; do
	name=$(basename "$program")
	run "$name" "$program"
	if [ "$(id -u)" != 0 ] &&
	    grep -q '^ \* also: root' "tests/unit/$name.c" 2>/dev/null; then
		run "$name as root" sudo -n env \
		    CMOCKA_MESSAGE_OUTPUT=TAP "$(realpath "$program")"
	fi
done
echo "unit: $passed passed, $failed failed"
[ -z "${COUNTS:-}" ] || echo "$passed $failed unit" >>"$COUNTS"
[ $failed = 0 ]
