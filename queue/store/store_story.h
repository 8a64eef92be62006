/*
 * store_story - what happened to messages, as long as that is kept.
 */
#ifndef QUEUE_STORE_STORY_H
#define QUEUE_STORE_STORY_H

#include "queue/store/store.h"

#define STORE_FOUND_MAX	64	/* ids one store_read_found gives */
#define STORE_EVENTS_MAX 64	/* rows one store_read_story gives */

struct store;

/* What stands in table history; numbers are on disk, and the bus has them. */
enum event {
	EVENT_ACCEPTED = STORY_RECEIVED,	/* address: the sender	*/
	EVENT_DELIVERED = STORY_DELIVERED,	/* and so on: recipients */
	EVENT_DEFERRED = STORY_DEFERRED, EVENT_FAILED = STORY_FAILED,
	EVENT_HELD = STORY_HELD, EVENT_RELEASED = STORY_RELEASED,
	EVENT_REMOVED = STORY_REMOVED,
	EVENT_EXPANDED = STORY_EXPANDED,	/* reply: his trace	*/
	EVENT_BOUNCED = STORY_BOUNCED,		/* reply: the bounce's id */
	EVENT_MOVED = STORY_MOVED,	/* to relay; reply: by whom; no: of
					 * the delivery			*/
	/* Of the id of zeros: relay, address: the domain, login: by whom,
	 * reply: the reason. */
	EVENT_SUSPENDED = STORY_SUSPENDED, EVENT_RESUMED = STORY_RESUMED
};

/*
 * Messages that came, or whose history goes on, since since_ms (about) and have
 * this word: see story_hash_address().  The newest first, and some of others.
 * By_id: those instead whose ids are from first_id to last_id; what is not
 * gathered yet comes first, and may come twice.
 */
struct store_read_found {
	struct store_op	 op;
	bool		 by_id;
	struct id	 first_id, last_id;
	uint64_t	 word;
	int64_t		 since_ms;	/* wall clock; 0: all		*/
	struct store_index_key from;	/* len 0: the newest; out: go on */
	struct id	 ids[STORE_FOUND_MAX];		/* out		*/
	unsigned	 cnt;				/* out		*/
	bool		 at_end;			/* out		*/
};

/* What happened to a message, and when. */
struct store_event {
	int64_t		 at_ms;		/* wall clock			*/
	uint8_t		 event;		/* enum event, or a newer one	*/
	uint32_t	 no;		/* of the recipient		*/
	struct record_history rec;
};

/* All of that in its order, as long as it is kept. */
struct store_read_story {
	struct store_op	 op;
	struct id	 id;
	struct store_index_key from;	/* len 0: the beginning; out: go on */
	struct store_event *rows;	/* out: yours, one block, or NULL */
	unsigned	 cnt;				/* out		*/
	bool		 at_end;			/* out		*/
};

void	store_read_found(struct store *, struct store_read_found *, store_fn *,
	    void *arg);
void	store_read_story(struct store *, struct store_read_story *, store_fn *,
	    void *arg);

#endif
