/*
 * story - what happened to messages, found again by id, by address and by
 * Message-ID: three tables that an engine has, and what is done with them.
 * Nothing here ever decides about mail.
 *
 *	history	time, id, event, no		record_history
 *	story	id, time, event, no, 0		-
 *	lookup	bucket, hash, id		one byte
 *
 * A message costs a row of history for its arrival, for each recipient that is
 * tried, each time, and for what an administrator does.  Its arrival says by
 * which words it is found: hashes of its sender, its Message-ID, each
 * recipient, and each address that stood for one.  A hash is the same for all
 * that are equal, and may be for others.
 *
 * History comes in the order of its keys, so a commit writes the last page of
 * one table and no other.  What leads to it comes in no order, and is not
 * written with it: when STORY_GATHER rows and words of history are in no other
 * table, they are gathered, from the oldest on, into rows of story and a bucket
 * of lookup, all at once and sorted, so that pages are filled one after the
 * other.  Up to which time it is done stands on disk and is written by the same
 * commit.  What is behind it, the tail, is looked through row by row: nothing
 * is in memory alone, and a crash loses nothing.  A row that comes with a time
 * before that (the clock was set back), or has too many words, is put into all
 * three at once.
 *
 * A bucket has the name of the time it begins at.  To find is two looks a
 * bucket, the newest first.  A bucket goes when the history that it leads to
 * has gone.
 *
 * Pure but for the engine's calls.  Calls return its codes, 0 is good.
 */
#ifndef QUEUE_STORY_H
#define QUEUE_STORY_H

#include "queue/store/record.h"
#include "queue/store/store.h"
#include "queue/store/store_intake.h"
#include "queue/store/store_settle.h"
#include "queue/store/store_story.h"

#define STORY_KEY_MAX	32	/* bytes, any key of the three	*/
#define STORY_HISTORY_KEY 29
#define STORY_KEY	30	/* of table story; no other has as many */
#define STORY_LOOKUP_KEY 32
#define STORY_WORD	8	/* bytes of a word in a record	*/
#define STORY_GATHER	8192	/* rows and words of a tail	*/
#define STORY_BUCKET	4096	/* rows of a bucket that is not gathered */
#define STORY_BUCKET_MS	3600000	/* and the time it takes	*/
#define STORY_NONE_YET	(-1)	/* nothing was ever gathered	*/

enum story_table { STORY_HISTORY, STORY_STORY, STORY_LOOKUP, STORY__COUNT };

struct story_key {
	size_t		 len;
	uint8_t		 b[STORY_KEY_MAX];
};

/* True: on to the next.  The value is borrowed. */
typedef bool story_row_fn(void *arg, const struct story_key *, struct span);

/* What an engine does with rows. */
struct story_engine {
	/* The first key at or behind k, or the last before it. */
	int	(*near)(void *arg, enum story_table, const struct story_key *k,
		    bool is_before, struct story_key *out, bool *found);
	/* The first at or behind k and those that follow it, or the last
	 * before k and those that it follows. */
	int	(*walk)(void *arg, enum story_table, const struct story_key *k,
		    bool is_back, story_row_fn *, void *fn_arg);
	/* Borrowed until the next call. */
	int	(*get)(void *arg, enum story_table, const struct story_key *,
		    struct span *out, bool *found);
	int	(*put)(void *arg, enum story_table, const struct story_key *,
		    struct span);
	int	(*del)(void *arg, enum story_table, const struct story_key *);
	/* Of all three. */
	int	(*bytes)(void *arg, uint64_t *out);
	/* History before that time is gathered.  STORY_NONE_YET: no time is
	 * known; 0 when it cannot be read. */
	int	(*gathered)(void *arg, int64_t *out_ms);
	int	(*set_gathered)(void *arg, int64_t ms);
	int	too_long;	/* the code for a record that is	*/
};

/* The writer's; it goes back with a transaction that does not commit. */
struct story_state {
	int64_t		 bucket_ms;	/* 0: none is begun		*/
	unsigned	 bucket_cnt;	/* rows in it			*/
	unsigned	 added_cnt;	/* rows since the last sweep	*/
	bool		 knows_tail;	/* and this is right:		*/
	int64_t		 gathered_ms;
	unsigned	 tail_cnt;	/* at least; rows and words	*/
};

struct story {
	const struct story_engine *engine;
	void		*arg;		/* its calls'			*/
	struct story_state *state;	/* NULL: only to read		*/
};

void	story_key_history(struct story_key *, int64_t at_ms, struct id,
	    uint8_t event, uint32_t no);

/* The key in table story of that row of history. */
void	story_key_turn(struct story_key *, const struct story_key *history);
void	story_key_lookup(struct story_key *, int64_t bucket_ms, uint64_t word,
	    struct id);
/* Of a row of history or lookup. */
int64_t	story_key_ms(const struct story_key *);
/* Of a row of history. */
struct id story_key_id(const struct story_key *);

/* Words: of an address, of a Message-ID; and those of a row of history. */
uint64_t story_hash_address(struct span);
uint64_t story_hash_message_id(struct span);
size_t	story_word_cnt(const struct record_history *);
uint64_t story_word(const struct record_history *, size_t i);

int	story_put(const struct story *, int64_t now_ms, struct id,
	    enum event, uint32_t no, const struct record_history *);
/* Its arrival, how each recipient came to be one, and what it is found by. */
int	story_accept(const struct story *, int64_t now_ms,
	    const struct store_accept *);
/* What became of a recipient; relay may be empty. */
int	story_change(const struct story *, int64_t now_ms,
	    const struct store_settle *, const struct store_change *,
	    struct span relay);
/* Learn what is gathered: before the first row of this life is put. */
int	story_learn(const struct story *);
/* A tail that is long enough is gathered. */
int	story_gather(const struct story *);
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
