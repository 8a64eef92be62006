/*
 * local - relay type local's half of relay/pipe/pipe.c: what stands in place of
 * a program is the courier (task.h), who becomes each recipient in turn.
 */
#ifndef RELAY_LOCAL_LOCAL_H
#define RELAY_LOCAL_LOCAL_H

#include "relay/pipe/pipe_args.h"
#include "relay/pipe/launcher.h"
#include "relay/relay_type.h"
#include "relay/verdict.h"

/* Fork courier and finder. */
MUST_CHECK enum err local_start(struct launcher **,
	    const struct relay_type_env *);

/* The words of a request: to deliver what the sender sent, or TASK_ASK. */
MUST_CHECK enum err local_args(const struct slice *block, struct span sender,
	    struct span address, struct pipe_args *out);

/* What came of it; *text holds the words of the verdict. */
struct verdict local_verdict(int status, struct span output,
	    struct span error, struct verdict_text *text);

#endif
