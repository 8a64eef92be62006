#!/bin/bash
# picture.sh - ARCHITECTURE.md agrees with the lists in the code: its trust
# table with roles.def, its states on disk with store_*.h and records.def.  What
# it shows of `make picture' is compared by tests/e2e/test_picture.py.
set -u
cd "$(dirname "$0")/../.." || exit 1
book=ARCHITECTURE.md bad=0
say() { echo "$book: $*"; bad=1; }

# A row of the trust table: | role | process | user | ...
while read -r role user; do
	[ -n "$user" ] || user="the block's|the caller"
	grep -qE "^\| $role \|[^|]*\| [^|]*($user)" \
	    <(sed -n '/^## 5\. /,/^## 6\. /p' $book) ||
	    say "the trust table has no row for $role and $user"
done < <(sed -nE \
    's/^ROLE\([A-Z]+, ([a-z]+),[^"]*"[^"]*",[ 	]*"([^"]*)".*/\1 \2/p' \
    common/sys/roles.def)

# Each step between two states is a call of the store, and each call that
# changes something is a step.
calls="$(echo queue/store/store_*.h)" records=queue/store/records.def
states=$(sed -n '/^## 4\. /,/^## 5\. /p' $book)
for call in $(grep -oE '\bstore_[a-z_]+' <<<"$states" | sort -u); do
	grep -q "^void	$call(" $calls ||
	    say "$call is no call of queue/store/store_*.h"
done
for call in $(sed -nE \
    's/^void	(store_[a-z_]+)\(struct store \*, struct.*/\1/p' $calls |
    grep -v '^store_read_\|^store_set_'); do
	grep -qw "$call" <<<"$states" || say "$call leads from no state"
done
for table in $(sed -nE 's/^RECORD\(([a-z]+),.*/\1/p' $records); do
	grep -qw "$table" <<<"$states" || say "no word of table $table"
done
exit $bad
