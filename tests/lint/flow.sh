#!/bin/bash
# flow.sh [print] - each arrow on the mail's way is a pair of files: the
# sender's to_X.c packs, the receiver's from_Y.c unpacks.  An odd one is a
# finding.
set -u
cd "$(dirname "$0")/../.." || exit 1
odd=0
# Control's room is a room within ctl.
place() { [ -d "$1" ] && echo "$1" || echo "ctl/$1"; }
for file in */to_*.c */from_*.c ctl/*/to_*.c ctl/*/from_*.c; do
	[ -f "$file" ] || continue
	room=$(basename "$(dirname "$file")") name=$(basename "$file" .c)
	case $name in
	to_*)	other=${name#to_}; pair=$(place "$other")/from_$room.c ;;
	*)	other=${name#from_}; pair=$(place "$other")/to_$room.c ;;
	esac
	if [ ! -f "$pair" ]; then
		echo "$file: its other half $pair is missing"
		odd=1
	elif [ "${1:-}" = print ] && [ "$name" = "to_$other" ]; then
		printf '%-8s -> %-8s  %-22s %s\n' "$room" "$other" \
		    "$file" "$pair"
	fi
done
exit $odd
