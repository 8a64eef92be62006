/*
 * pauses - what of a queue was suspended and resumed, and when: the history of
 * the queue has it once, whatever waits; which of it a message has met is found
 * here, by the relays and domains that its own history names.
 *
 *	pauses_fetch(&p, talk, queue)		once for a queue
 *	pauses_begin(p); pauses_learn(p, row) ...	of a message
 *	pauses_next(p, at_ms) ...		those that come before its row
 *
 * Owns	   what it has fetched: the PAUSES_MAX newest
 * Blocks  as run_ask() does
 */
#ifndef CTL_TOOL_PAUSES_H
#define CTL_TOOL_PAUSES_H

#include "ctl/tool/listed.h"
#include "ctl/tool/run.h"

#define PAUSES_MAX	1000

struct pauses;

/* *out is yours, NULL where nothing ever was suspended. */
enum run_end	pauses_fetch(struct pauses **out, struct talk *,
		    struct span queue);
/* Free it; NULL is allowed. */
void		pauses_free(struct pauses **);

/* Of another message: nothing is learnt yet. */
void		pauses_begin(struct pauses *);
/* A row of its story; what of it waits, which ends later than any row. */
void		pauses_learn(struct pauses *, const struct msg_story_row *);
void		pauses_learn_waits(struct pauses *,
		    const struct listed_message *);
/*
 * The next that the message met, at that time at the latest, as a row of its
 * story; borrowed.  NULL: there is none (yet).  One that was in force when it
 * came is the first.
 */
const struct msg_story_row *pauses_next(struct pauses *, uint64_t until_ms);

#endif
