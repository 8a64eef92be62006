/*
 * story - what happened to messages, found again by id, by address and by
 * Message-ID: three tables that an engine has, and what is done with them.
 * Nothing here ever decides about mail.
 *
 *	history	time, id, event, no		record_history
 *	story	id, time, event, no, 0		-
 *	lookup	bucket, hash, id		one byte
 *
 * A message costs a row of history and one of story for its arrival, for each
 * recipient that is tried, each time, and for what an administrator does; and a
 * row of lookup for its sender, its Message-ID, each recipient, and each
 * address that stood for one.  A hash is the same for all that are equal, and
 * may be for others.
 *
 * Rows of lookup come in no order, so they are put into buckets, which are few
 * pages each: one is begun when the one before has STORY_BUCKET rows or is
 * an hour old, and is named by the time it was begun.  To write is then cheap,
 * for all its pages are in hand; to find is two looks a bucket, the newest
 * first.  A bucket goes when the history that it leads to has gone.
 *
 * Pure but for the engine's calls.  Calls return its codes, 0 is good.
 */
#ifndef QUEUE_STORY_H
#define QUEUE_STORY_H

#include "queue/store/record.h"
#include "queue/store/store.h"

#define STORY_KEY_MAX	32	/* bytes, any key of the three	*/
#define STORY_HISTORY_KEY 29
#define STORY_KEY	30	/* of table story; no other has as many */
#define STORY_LOOKUP_KEY 32
#define STORY_BUCKET	4096	/* rows of one bucket		*/
#define STORY_BUCKET_MS	3600000

enum story_table { STORY_HISTORY, STORY_STORY, STORY_LOOKUP, STORY__COUNT };

struct story_key {
	size_t		 len;
	uint8_t		 b[STORY_KEY_MAX];
};

/* What an engine does with rows. */
struct story_engine {
	/* The first key at or behind k, or the last before it. */
	int	(*near)(void *arg, enum story_table, const struct story_key *k,
		    bool is_before, struct story_key *out, bool *found);
	/* Borrowed until the next call. */
	int	(*get)(void *arg, enum story_table, const struct story_key *,
		    struct span *out, bool *found);
	int	(*put)(void *arg, enum story_table, const struct story_key *,
		    struct span);
	int	(*del)(void *arg, enum story_table, const struct story_key *);
	/* Of all three. */
	int	(*bytes)(void *arg, uint64_t *out);
	int	too_long;	/* the code for a record that is	*/
};

/* The writer's; it goes back with a transaction that does not commit. */
struct story_state {
	int64_t		 bucket_ms;	/* 0: none is begun		*/
	unsigned	 bucket_cnt;	/* rows in it			*/
	unsigned	 added_cnt;	/* rows since the last sweep	*/
};

struct story {
	const struct story_engine *engine;
	void		*arg;		/* its calls'			*/
	struct story_state *state;	/* NULL: only to read		*/
};

void	story_key_history(struct story_key *, int64_t at_ms, struct id,
	    uint8_t event, uint32_t no);

/* As a row of lookup has them: an address, a Message-ID. */
uint64_t story_hash_address(struct span);
uint64_t story_hash_message_id(struct span);

int	story_put(const struct story *, int64_t now_ms, struct id,
	    enum event, uint32_t no, const struct record_history *);
/* Its arrival, how each recipient came to be one, and what it is found by. */
int	story_accept(const struct story *, int64_t now_ms,
	    const struct store_accept *);
/* What became of a recipient; relay may be empty. */
int	story_change(const struct story *, int64_t now_ms,
	    const struct store_settle *, const struct store_change *,
	    struct span relay);
/*
 * Take the oldest rows away: those from before before_ms, and, while all are
 * over max_bytes, some more than were added.
 */
int	story_sweep(const struct story *, int64_t before_ms,
	    uint64_t max_bytes);

/* For a reader: struct store_read_found and store_read_story, see store.h.
 * ENOMEM is *e. */
int	story_find(const struct story *, struct store_read_found *);
int	story_read(const struct story *, struct store_read_story *,
	    enum err *e);

#endif
