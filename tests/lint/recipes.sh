#!/bin/bash
# recipes.sh - every file and folder that ARCHITECTURE.md names is there, by its
# path or, without one, somewhere; NAME, X and Y stand for what is to be added.
# The functions that its recipes ("## 8. To add") name are there, too.
set -u
cd "$(dirname "$0")/../.." || exit 1
rooms=(common conf ctl debian edge man master queue relay resolver rpm system
    tests vault)
all=$(find ARCHITECTURE.md "${rooms[@]}" -type f)
bad=0

# A name as a pattern of grep -E.
pattern() {
	sed -E 's/_[XY]\./_NAME./; s/\./\\./g; s/NAME/[a-z0-9_]+/g
	    s/\*/[a-z0-9_]*/g' <<<"$1"
}

while IFS= read -r name; do
	grep -qE "(^|/)$(pattern "$name")($|$([[ $name = */ ]] && echo .))" \
	    <<<"$all" && continue
	echo "ARCHITECTURE.md: there is no $name"
	bad=1
done < <(grep -oE '`[A-Za-z0-9_/*.-]+(\.(c|h|def|py|sh|[1578])|[a-z]/)`' \
    ARCHITECTURE.md | tr -d '`' | grep -vE '^(new|tmp)/$' | sort -u)

while IFS= read -r name; do
	grep -rqE --include='*.[ch]' --include='*.def' \
	    "\b$(pattern "$name")\b" "${rooms[@]}" && continue
	echo "ARCHITECTURE.md, section 8: there is no $name()"
	bad=1
done < <(sed -n '/^## 8\. /,$p' ARCHITECTURE.md |
    grep -oE '\b[a-z_]+(NAME)?\(\)' | tr -d '()' | sort -u)
exit $bad
