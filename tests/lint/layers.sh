#!/bin/bash
# layers.sh - who may include whom.  The room a file lies in decides; a quoted
# include that names no room of the list is a finding as well.
set -u
cd "$(dirname "$0")/../.." || exit 1
kernel='sys/(socket|epoll|mman|stat|un)\.h|fcntl\.h|unistd\.h'

may_include() {
	case $1 in
	base)	echo base ;;
	mail)	echo base mail ;;
	sys)	echo base sys ;;
	bus)	echo base sys bus ;;
	ask)	echo base sys bus ask ;;
	conf)	echo base mail conf ;;
	*)	echo base mail sys bus ask conf "$1" ;;
	esac
}

foreign_to() {
	case $1 in
	queue)			echo 'unbound\.h' ;;
	resolver)		echo 'lmdb\.h' ;;
	base|mail|conf)		echo "unbound\.h|lmdb\.h|$kernel" ;;
	*)			echo 'unbound\.h|lmdb\.h' ;;
	esac
}

# conf plans by the roles' numbers and the wish for a sandbox, no more of sys.
find common conf master edge queue relay resolver vault ctl -name '*.[ch]' |
while read -r file; do
	room=${file#common/} room=${room%%/*}
	allowed=" $(may_include "$room") "
	grep -Hn '^#include "' "$file" |
	    sed -E 's/^([^:]+:[0-9]+):#include "([^"]*)".*/\1 \2/' |
	while read -r where header; do
		case "$room $header" in
		"conf sys/roles.h"|"conf sys/sandbox.h") continue ;;
		esac
		case $header:$allowed in
		*/*:*" ${header%%/*} "*) ;;
		*) echo "$where: $room may not include $header" ;;
		esac
	done
	grep -HnE "^#include <($(foreign_to "$room"))>" "$file" |
	    sed 's/:#include/: not in this room:/'
done | { ! grep .; }
