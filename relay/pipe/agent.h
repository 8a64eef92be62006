/*
 * agent - the program of a block: which it is, with what words it is started
 * for a recipient, and how its end is judged.  The type says most of it.
 *
 * It runs as the block's user, or as its recipient (`user recipient'): then
 * names that he may have stand in front of the words (launcher.h).
 *
 * Errors  ERR_PEER, ERR_FULL as pipe_args
 */
#ifndef RELAY_PIPE_AGENT_H
#define RELAY_PIPE_AGENT_H

#include <stdbool.h>

#include "conf/slice/slice.h"
#include "relay/delivery.h"
#include "relay/pipe/pipe_args.h"
#include "relay/pipe/pipe_verdict.h"
#include "relay/relay_type.h"

#define AGENT_PATH_MAX	1024

struct agent_row;

struct agent {
	const struct agent_row *row;
	struct slice	 block;
	bool		 is_local;	/* type local: no program at all */
	bool		 as_recipient;
	bool		 is_once;	/* one run for all recipients	*/
	struct pipe_judge judge;
	char		 program[AGENT_PATH_MAX];	/* its path	*/
};

/* False: there is no such type, or its path is too long. */
bool	agent_init(struct agent *, const struct slice *block);
/* What the block says of its judge that is made in the sandbox. */
MUST_CHECK enum err agent_open(struct agent *);

/* Begin it, as whoever starts us; before the sandbox. */
MUST_CHECK enum err agent_start(struct launcher **, struct agent *,
	    const struct relay_type_env *);

/* The words of a run for this recipient; the text has begun to come. */
MUST_CHECK enum err agent_args(const struct agent *, const struct delivery *,
	    uint32_t rcpt, struct pipe_args *out);

/* What an end means, status being wait(2)'s or LAUNCHER_*. */
struct verdict agent_verdict(struct agent *, int status, struct span output,
	    struct span error, struct verdict_text *text);

#endif
