#!/bin/bash
# banned.sh - calls and words that do not belong in the sources.
set -u
cd "$(dirname "$0")/../.." || exit 1
rooms="common conf master edge queue relay resolver vault ctl"
calls='strcpy|strcat|sprintf|vsprintf|strtok|strncpy|gets|atoi|atol|system'
calls="$calls|popen|signal|sleep|usleep|alloca|setjmp|longjmp"
unfinished='TO''DO|FIX''ME|X''XX|HA''CK'
found() { sed "s/\$/   ($1)/" | grep . && bad=1; }

found "banned call" < <(find $rooms -name '*.[ch]' | xargs grep -nE \
    "(^|[^a-zA-Z0-9_>.\"\`])($calls) ?\(" | grep -vE ':[0-9]+:[ 	]*/?\*')
found unfinished < <(grep -rnE "\b($unfinished)\b" $rooms tests man Makefile)
found "a struct is its tag" < <(grep -rnE 'typedef +(struct|enum|union)' \
    $rooms | grep -v '_fn(')
found "wake-ups and waits are bell.c's" < <(find $rooms \
    -name '*.[ch]' ! -path common/sys/bell.c | xargs grep -nE \
    '\b(eventfd|pthread_cond_(init|wait|timedwait)) ?\(')
types=$(sed -n 's/^KIND(\([a-z]*\),.*/\1/p' conf/kinds.def | paste -sd'|')
found "what holds for a type of relay stands in kinds.def" < <(grep -nE \
    "(block_is|span_eq)\(.*\"($types)\"" -r conf master queue)
[ -z "${bad:-}" ]
