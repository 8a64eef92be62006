/*
 * stage - where in its dialogue a client is judged: each stage is a list of
 * checks in order.  A check answers at once, or later.
 *
 * There is one way to wait.  A check that says ANSWER_LATER has asked somebody;
 * the session is in ST_PENDING, its client is not listened to, and no time of
 * the client's runs out.  It ends in one of four ways:
 *
 *	an answer	session_resume(), once, never from within judge()
 *	too late	patience_ms are over: cancel(), then the reply `away'
 *	loss		whoever was asked is gone, session_away(): the same
 *	the session	has ended: cancel() alone
 *
 * A drain waits for the answer, and ends the session after it.
 *
 * Blocks  never
 */
#ifndef EDGE_STAGE_H
#define EDGE_STAGE_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"
#include "edge/stage/reply.h"

struct session;

enum stage_at {
#define STAGE(name, when)	AT_##name,
#define CHECK(stage, name)
#include "edge/stage/stage.def"
#undef CHECK
#undef STAGE
	AT__COUNT
};

#define STAGE_CHECKS_MAX	16	/* of one stage */
#define STAGE_CHECKS_ALL	32	/* a bit each */

/* What a command came to.  The command table moves the state, see cmd.h. */
enum taken {
	TAKEN,
	REFUSED,
	PENDING,	/* a check is waited for			*/
	MORE		/* the client says more before it is known: 334	*/
};

enum answer {
	ANSWER_YES,
	ANSWER_NO,	/* *no is the reply			*/
	ANSWER_LATER,
	ANSWER_SKIP	/* it has nothing to say here: as yes, and not noted
			 * for the trace			*/
};

struct check {
	const char	*name;
	const char	*asks;		/* who answers, for the picture	*/
	enum answer	(*judge)(struct session *, struct reply *no);
	/* The answer is not wanted any more; NULL: there is nothing to undo,
	 * and an answer that comes even so is dropped by whoever brings it. */
	void		(*cancel)(struct session *);
	bool		 is_fact;	/* it says no to nobody, and gathers
					 * what others look at: not noted */
	int64_t		 patience_ms;	/* 0: who is asked always answers */
	struct reply	 away;		/* late or lost; code 0: pass	*/
};

/* The checks of all stages, for a process. */
struct stages {
	struct {
		const struct check *checks[STAGE_CHECKS_MAX];
		unsigned	 cnt;
	} of[AT__COUNT];
	/* A check has said yes: stage_list.c notes it for the trace. */
	void		(*on_passed)(struct session *, const struct check *);
	const char	*names[STAGE_CHECKS_ALL];	/* by their bits */
};

/* Say the reply; NULL is yes.  What it returns is the command's result. */
typedef enum taken stage_done_fn(struct session *, const struct reply *no);

/* stage_list.c: those of stage.def. */
void	stage_init(struct stages *);
/* One more, at this place in its stage, 0 the first.  ERR_FULL. */
MUST_CHECK enum err stage_add(struct stages *, enum stage_at, unsigned at,
	    const struct check *);
/* For logs: which of the checks of stage.def have said yes, a bit each, as
 * "rules login queue", each name once, in their order. */
struct span stage_names(const struct stages *, uint32_t passed,
	    char buf[CHECKS_MAX]);
/* A line a stage: "RCPT     rules, limits, queue (queue, 451 if away)". */
void	stage_print(FILE *);

/*
 * For a command: ask the checks of its stage, one after the other.  The first
 * no ends it, and done() says so; it says yes after the last.  PENDING: one of
 * them answers later, and done() is called then.
 */
enum taken stage_run(struct session *, enum stage_at, stage_done_fn *done);

/* For session_table.c: the answer of the check that is waited for has come. */
enum taken stage_go_on(struct session *, const struct reply *no);
/* It is not waited for any more.  Nothing where none is. */
void	stage_cancel(struct session *);

#define STAGE(name, when)
#define CHECK(stage, name)	extern const struct check check_##name;
#include "edge/stage/stage.def"
#undef CHECK
#undef STAGE

#endif
