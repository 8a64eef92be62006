/*
 * fetch - the messages that a selection means, out of all queues.
 *
 * Lists are asked for in parts, so that a queue of any length passes through
 * without being held.  Whole ids alone are looked up instead.
 *
 * Blocks  until all is there
 */
#ifndef CTL_TOOL_FETCH_H
#define CTL_TOOL_FETCH_H

#include "base/limits.h"
#include "ctl/tool/run.h"

#define FETCH_QUEUES_MAX	512

struct fetch_queues {
	unsigned	 cnt;
	char		 names[FETCH_QUEUES_MAX][BLOCK_NAME_MAX + 1];
};

/* A message that is meant, borrowed for the call.  False: something failed. */
typedef bool fetch_fn(const struct listed_message *, void *arg);

/* The names of all queues, or of the one that was asked for. */
enum run_end	 fetch_names(struct talk *, const struct select *,
		    struct fetch_queues *out);

/*
 * Call fn for each message meant, at most select->limit; *cnt is how many.
 * END_NOTHING when an id matches none; or, before any call, when only_one and
 * the beginning of one matches several.
 */
enum run_end	 fetch_messages(struct talk *, struct select *, bool only_one,
		    fetch_fn *, void *arg, uint64_t *cnt);

#endif
