/*
 * local - relay type local's half of relay/pipe/pipe.c: what stands in place of
 * a program is the courier (task.h), who becomes each recipient in turn; and
 * what other types need whose program runs as its recipient (runner.h).
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

/* Fork what runs this program as the recipient, and a finder. */
MUST_CHECK enum err local_start_as(struct launcher **, const char *program,
	    const struct relay_type_env *);

/* The words of a request: to deliver what the sender sent, or TASK_ASK. */
MUST_CHECK enum err local_args(const struct slice *block, struct span sender,
	    struct span address, struct pipe_args *out);

/* Those in front of a program's: the names that its user may have. */
MUST_CHECK enum err local_names(const struct slice *block,
	    struct span address, struct pipe_args *out);

/* Why no program has run: LAUNCHER_*; its words go to the log. */
struct verdict local_no_run(int why, struct span error);

/* What came of it; *text holds the words of the verdict. */
struct verdict local_verdict(int status, struct span output,
	    struct span error, struct verdict_text *text);

#endif
