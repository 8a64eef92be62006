#!/bin/bash
# layers.sh - who may include whom.  The room a file lies in decides; a quoted
# include that names no room of the list is a finding as well.
set -u
cd "$(dirname "$0")/../.." || exit 1

# conf plans by the roles' numbers and the wish for a sandbox, no more of sys.
find common conf master edge queue relay resolver vault ctl -name '*.[ch]' \
    -exec awk '
function may_include(room) {
	if (room == "base")
		return " base "
	if (room == "mail")
		return " base mail "
	if (room == "http")
		return " base http "
	if (room == "sys")
		return " base sys "
	if (room == "lua")
		return " base sys lua "
	if (room == "bus")
		return " base sys bus "
	if (room == "ask")
		return " base sys bus ask "
	if (room == "conf")
		return " base mail http conf "
	if (room ~ /^(master|edge|queue|relay)$/)
		return " base mail http sys bus ask conf lua " room " "
	return " base mail http sys bus ask conf " room " "
}
function is_foreign(room, header) {
	if (header == "unbound.h")
		return room != "resolver" && FILENAME != "ctl/tool/dnslook.c"
	if (header == "lmdb.h")
		return room != "queue"
	if (header ~ /^(lua|lualib|lauxlib)\.h$/)
		return room !~ /^(lua|edge|queue|relay)$/
	if (header == "pcre2.h")
		return FILENAME != "common/sys/regex.c"
	return room ~ /^(base|mail|http|conf)$/ && header ~ \
	    /^(sys\/(socket|epoll|mman|stat|un)\.h|fcntl\.h|unistd\.h)$/
}
FNR == 1 {
	room = FILENAME
	sub(/^common\//, "", room)
	sub(/\/.*/, "", room)
}
/^#include "/ {
	header = $2
	gsub(/"/, "", header)
	if (room == "conf" &&
	    (header == "sys/roles.h" || header == "sys/sandbox.h"))
		next
	from = header
	sub(/\/.*/, "", from)
	# A text knows no session, of whatever protocol.
	if (FILENAME ~ /^edge\/text\// && header ~ /^edge\/smtp\//)
		print FILENAME ":" FNR ": edge/text may not include " header
	if (header !~ /\// || index(may_include(room), " " from " ") == 0)
		print FILENAME ":" FNR ": " room " may not include " header
}
/^#include </ {
	header = $2
	gsub(/[<>]/, "", header)
	if (is_foreign(room, header))
		print FILENAME ":" FNR ": not in this room: " header
}' {} + | { ! grep .; }
