#!/bin/bash
# state.sh - the state of an SMTP session is moved by the command table alone:
# whoever waits says PENDING, and answers by session_resume().  One file assigns
# it, and is called by the table and by nobody else.
set -u
cd "$(dirname "$0")/../.." || exit 1
table=edge/smtp/session_table.c move=edge/smtp/session_move.c
grep -q 'state = ' $move || { echo "$move: moves no state"; exit 1; }
grep -q 'session_settle(' $table || { echo "$table: moves none"; exit 1; }
! { grep -rnE '(->|\.)state *=[^=]' edge --include='*.[ch]' |
	grep -v "^$move:"
    grep -rn 'session_settle(' edge --include='*.c' |
	grep -vE "^($table|$move):"; } |
    sed 's/$/   (moved outside the table)/' | grep .
