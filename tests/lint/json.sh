#!/bin/bash
# json.sh - postern-json(7) has each field that a program prints, and no other.
set -u
cd "$(dirname "$0")/../.." || exit 1
page=man/postern-json.7
rooms="ctl/tool queue/salvage"
printed=$(cat $(find $rooms -name '*.c') | tr '\n' ' ' |
    grep -oE 'json_(text|number|flag|time|some|open)\([^;]*;' |
    grep -oE '"[a-z_0-9]+"' | tr -d '"' | sort -u)
# What is a value there, and not a name: SPAN("...").
values=$(cat $(find $rooms -name '*.c') | tr '\n' ' ' |
    grep -oE 'json_(text|some)\([^;]*;' | grep -oE 'SPAN\("[a-z]+"' |
    grep -oE '"[a-z]+"' | tr -d '"' | sort -u)
told=$(sed -n 's/^\.It Li \([a-z_0-9]*\) Pq .*/\1/p' $page | sort -u)
bad=0
for name in $printed; do
	grep -qx "$name" <<<"$told" || grep -qx "$name" <<<"$values" ||
	    grep -qE "^\.Li $name\$" $page ||
	    { echo "$page: nothing about the field $name"; bad=1; }
done
for name in $told; do
	grep -qx "$name" <<<"$printed" ||
	    { echo "$page: no program prints a field $name"; bad=1; }
done
exit $bad
