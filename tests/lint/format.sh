#!/bin/bash
# format.sh - the layout of the sources: tabs of 8, 80 columns (tables in .def
# files may be wider), no blanks at the end, functions of at most 100 lines
# and files of at most 900 (tests: 1300), no #ifdef in a .c file.
set -u
cd "$(dirname "$0")/../.." || exit 1
rooms="common conf master edge queue relay resolver vault ctl tests"

# Columns are counted in characters: bytes within one count nothing.
find $rooms Makefile .ci -type f \( -name '*.[ch]' -o -name '*.def' -o \
    -name '*.sh' -o -name '*.py' -o -name Makefile -o -name run \) \
    -exec env LC_ALL=C awk '
function columns(s,    n, i, parts) {
	gsub(/[\200-\277]/, "", s)
	if (index(s, "\t") == 0)
		return length(s)
	n = split(s, parts, "\t")
	width = 0
	for (i = 1; i < n; i++)
		width = int((width + length(parts[i])) / 8 + 1) * 8
	return width + length(parts[n])
}
function end_file() {
	if (code && lines > long)
		print file ": " lines " lines"
}
FNR == 1 {
	end_file()
	file = FILENAME
	code = file ~ /\.[ch]$/
	wide = file ~ /\.def$|Makefile$/ ? 200 : 80
	long = file ~ /^tests\// ? 1300 : 900
	start = 0
}
{ lines = FNR }
{ n = columns($0) }
n > wide { print file ":" FNR ": " n " columns" }
code && /^\{$/ { start = FNR; name = last }
code && /^\}/ && start {
	if (FNR - start > 100)
		print file ":" start ": " FNR - start " lines: " name
	start = 0
}
{ last = $0 }
/[ \t]$/ { print file ":" FNR ": blanks at the end" }
/\r/ { print file ":" FNR ": carriage return" }
code && /^        / { print file ":" FNR ": indented by spaces" }
file ~ /\.c$/ && /^#[ \t]*if/ { print file ":" FNR ": a feature is a file" }
END { end_file() }' {} + | { ! grep .; }
