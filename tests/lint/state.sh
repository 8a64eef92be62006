#!/bin/bash
# state.sh - the state of an SMTP session is moved by the command table alone:
# whoever waits says PENDING, and answers by session_resume().
set -u
cd "$(dirname "$0")/../.." || exit 1
table=edge/smtp/session_table.c
grep -q 'state = ' $table || { echo "$table: moves no state"; exit 1; }
! grep -rnE '(->|\.)state *=[^=]' edge --include='*.[ch]' |
    grep -v "^$table:" | sed 's/$/   (moved outside the table)/' | grep .
