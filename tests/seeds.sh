#!/bin/bash
# seeds.sh - what slimta's documents say, row by row, and what became of each:
# met by a test that passed, FAILED, or open where there is no test.
set -u
cd "$(dirname "$0")/.." || exit 1
out=$(mktemp) && trap 'rm -f "$out"' EXIT
tests/e2e.sh test_seeds.py -q -rA >"$out" 2>&1
awk 'NR == FNR {
	# "PASSED test_seeds.py::test_000_01_...", "test_003_07_and_19_..."
	if ($1 !~ /^(PASSED|FAILED|ERROR)$/ ||
	    !match($2, /::test_[0-9]+_[0-9]+(_(and|to)_[0-9]+)*/))
		next
	split(substr($2, RSTART + 7, RLENGTH - 7), part, "_")
	row(part[1] "-" part[2], $1)
	if (part[3] == "and")
		row(part[1] "-" part[4], $1)
	next
}
/^#/ { next }
{
	words = substr($0, length($1) + 2)
	if (!($1 in got)) {
		got[$1] = "open"
		open++
	}
	else if (got[$1] == "met")
		met++
	printf "%s  %-6s  %s\n", $1, got[$1], words
	rows++
}
function row(id, status) {
	if (status != "PASSED")
		got[id] = "FAILED"
	else if (got[id] != "FAILED")
		got[id] = "met"
}
END {
	printf "%d rows: %d met, %d open, %d failed\n", rows, met, open,
	    rows - met - open
	exit met != rows
}' "$out" tests/seeds.txt
status=$?
grep -q '^end-to-end: ' "$out" || cat "$out"
exit $status
