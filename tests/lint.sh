#!/bin/bash
# lint.sh - run every check of tests/lint.  One line a finding: file:line: what.
# Counts go to the file $COUNTS too, for check.sh.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
for check in tests/lint/*.sh; do
	name=$(basename "$check" .sh)
	if out=$("$check" 2>&1); then
		passed=$((passed + 1))
		echo "  ok    $name"
	else
		failed=$((failed + 1))
		echo "$out" | sed 's/^/        | /'
		echo "  FAIL  $name"
	fi
done
echo "lint: $passed passed, $failed failed"
[ -z "${COUNTS:-}" ] || echo "$passed $failed lint" >>"$COUNTS"
[ $failed = 0 ]
