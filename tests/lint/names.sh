#!/bin/bash
# names.sh - a public function begins with the stem of the header that
# declares it, or with a struct or enum of it; messages.h alone says msg_.
# What begins with is_, has_ or was_ answers something; a callback is on_ what.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0

# A tag may stand behind the function that is named by it: judged at the end.
find common conf master edge queue relay resolver vault ctl -name '*.h' \
    -exec awk '
function end_file(    i) {
	for (i = 1; i <= cnt; i++)
		if (names[i] !~ "^(" stems ")(_|$)")
			print file ": " names[i] "() does not begin with " \
			    stem "_"
}
FNR == 1 {
	if (NR > 1)
		end_file()
	file = stem = FILENAME
	sub(/.*\//, "", stem)
	sub(/\.h$/, "", stem)
	if (stem == "messages")
		stem = "msg"
	stems = stem
	if (stem ~ /s$/)
		stems = stems "|" substr(stem, 1, length(stem) - 1)
	cnt = 0
}
/^(struct|enum) [a-z0-9_]+[ ;]/ {
	tag = $2
	sub(/;.*/, "", tag)
	stems = stems "|" tag
}
/^typedef/ { next }
{
	line = $0
	sub(/^MUST_CHECK[ \t]*/, "", line)
	sub(/__attribute__.*/, "", line)
}
line ~ /^[a-z][a-z0-9_ ]*[ \t*]+\**[a-z][a-z0-9_]*\(/ {
	sub(/\(.*/, "", line)
	sub(/.*[ \t*]/, "", line)
	if (line !~ /^(defined|sizeof)$/)
		names[++cnt] = line
}
END { end_file() }' {} + | { ! grep .; } || bad=1

find common conf master edge queue relay resolver vault ctl -name '*.c' \
    -exec awk '
/^(is|has|was)_[a-z0-9_]*\(/ && before ~ /(^| )void$/ {
	sub(/\(.*/, "")
	print FILENAME ":" FNR ": " $0 "() answers nothing: on_"
}
{ before = $0 }' {} + | { ! grep .; } || bad=1
exit $bad
