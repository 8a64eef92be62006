#!/bin/bash
# names.sh - a public function begins with the stem of the header that
# declares it, or with a struct or enum of it; messages.h alone says msg_.
set -u
cd "$(dirname "$0")/../.." || exit 1
find common conf master edge queue relay resolver vault ctl -name '*.h' |
while read -r header; do
	stem=$(basename "$header" .h)
	[ "$stem" = messages ] && stem=msg
	stems="^($stem|${stem%s}"
	for tag in $(sed -nE 's/^(struct|enum) ([a-z0-9_]+)[ ;].*/\2/p' \
	    "$header"); do
		stems="$stems|$tag"
	done
	sed -E 's/^MUST_CHECK[ 	]*//; s/__attribute__.*//' "$header" |
	    sed -nE '/^typedef/d
		s/^[a-z][a-z0-9_ ]*[ 	*]+\**([a-z][a-z0-9_]*)\(.*/\1/p' |
	    grep -vE '^(defined|sizeof)$' | grep -vE "$stems)(_|\$)" |
	    sed "s,.*,$header: &() does not begin with ${stem}_,"
done | { ! grep .; }
