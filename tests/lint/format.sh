#!/bin/bash
# format.sh - the layout of the sources: tabs of 8, 80 columns (tables in .def
# files may be wider), no blanks at the end, functions of at most 100 lines
# and files of at most 900 (tests: 1300), no #ifdef in a .c file.
set -u
cd "$(dirname "$0")/../.." || exit 1
rooms="common conf master edge queue relay resolver vault ctl tests"

find $rooms Makefile .ci -type f \( -name '*.[ch]' -o -name '*.def' -o \
    -name '*.sh' -o -name '*.py' -o -name Makefile -o -name run \) |
while read -r file; do
	case $file in *.[ch]) code=1 ;; *) code=0 ;; esac
	case $file in *.def|Makefile) wide=200 ;; *) wide=80 ;; esac
	case $file in tests/*) long=1300 ;; *) long=900 ;; esac
	expand -t 8 "$file" | awk -v f="$file" -v wide=$wide -v code=$code \
	    -v long=$long '
	{ n = $0; gsub(/[\200-\277]/, "", n) }
	length(n) > wide { print f ":" NR ": " length(n) " columns" }
	code && /^\{$/ { start = NR; name = last }
	code && /^\}/ && start {
		if (NR - start > 100)
			print f ":" start ": " NR - start " lines: " name
		start = 0
	}
	{ last = $0 }
	END { if (code && NR > long) print f ": " NR " lines" }'
	awk -v f="$file" -v code=$code '
	/[ \t]$/ { print f ":" NR ": blanks at the end" }
	/\r/ { print f ":" NR ": carriage return" }
	code && /^        / { print f ":" NR ": indented by spaces" }
	f ~ /\.c$/ && /^#[ \t]*if/ { print f ":" NR ": a feature is a file" }
	' "$file"
done | { ! grep .; }
