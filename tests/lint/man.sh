#!/bin/bash
# man.sh - the pages are clean mdoc, and each program has one.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
for page in man/*.[0-9]; do
	# .Xr to pages of other packages cannot be checked here.
	out=$(mandoc -Tlint -W style "$page" 2>&1 |
	    grep -vE 'manual not found|outdated mandoc')
	[ -z "$out" ] || { echo "$out"; bad=1; }
	# A .Ql that other macros follow in its line quotes all of them.
	out=$(mandoc -Tutf8 "$page" | col -b | tr -s ' \n' '  ' |
	    grep -oE "‘[^’]{0,60}‘|’’")
	[ -z "$out" ] || { echo "$page: quotes within quotes: $out"; bad=1; }
done
for program in $(make -s programs); do
	ls "man/$program".[18] >/dev/null 2>&1 ||
	    { echo "man/$program.8 is missing"; bad=1; }
done
[ -f man/postern.conf.5 ] || { echo "man/postern.conf.5 is missing"; bad=1; }
exit $bad
