#!/bin/bash
# log.sh - the rows of log.def are in order, and each is used.  That
# postern-log(7) has them all is test_log_man.c's.
set -u
cd "$(dirname "$0")/../.." || exit 1
def=common/base/log.def bad=0
for kind in EVENT KEY; do
	rows=$(sed -n "s/^LOG_$kind(\([a-z0-9_]*\),.*/\1/p" $def)
	prefix=LOG_
	[ $kind = KEY ] && prefix=LOG_KEY_
	if ! diff <(echo "$rows") <(echo "$rows" | LC_ALL=C sort -u) \
	    >/dev/null; then
		echo "$def: LOG_$kind rows are not in alphabetical order"
		bad=1
	fi
	for row in $rows; do
		grep -rqw "$prefix$row" --include='*.c' common master edge \
		    queue relay resolver vault ctl || {
			echo "$def: $kind $row is used nowhere"
			bad=1
		}
	done
done
exit $bad
