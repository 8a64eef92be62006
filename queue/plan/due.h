/*
 * due - which deliveries wait, without holding them: destinations, the flows
 * of their tenants, and of each flow the few rows whose turn is next.
 *
 * Rows of table due are read in small batches behind a cursor.  Every delivery
 * that is in memory, waiting or under way, is known by (id, no), so that a row
 * read twice is taken once; a row read from an old snapshot is found out when
 * its envelope is loaded.
 *
 * Owns	   struct destination, flow and delivery
 * Blocks  never
 */
#ifndef QUEUE_DUE_H
#define QUEUE_DUE_H

#include "queue/plan/destination.h"
#include "queue/store/store.h"
#include "queue/store/store_envelope.h"

enum delivery_state {
	DELIVERY_WAITING,	/* in its flow, for its turn		*/
	DELIVERY_LOADING,	/* has a slot; its envelope is being read */
	DELIVERY_ADOPTING,	/* a relay runs it since before our start */
	DELIVERY_RUNNING,	/* a relay has it			*/
	DELIVERY_SETTLING,	/* its results are being written	*/
	DELIVERY_HELD,		/* no memory or no room to write it down:
				 * outcome.c tries again in a moment	*/
	DELIVERY_SUSPECT,	/* waits to be alone, see suspect.h	*/
};

#define DUE_IDLE_MAX	10000

struct worker;
struct errand;
struct deliveries;

/* What a relay said of one recipient. */
struct result {
	STAILQ_ENTRY(result) entry;
	uint32_t	 rcpt_no;
	enum outcome_class class;
	enum outcome_scope scope;
	enum stage	 stage;
	uint16_t	 code;
	uint8_t		 flags;		/* RESULT_*			*/
	struct span	 reply, hop, tls; /* in text			*/
	char		 text[];
};

struct delivery {
	RB_ENTRY(delivery) by_name;
	TAILQ_ENTRY(delivery) entry;	/* of its flow, then its worker	*/
	struct deliveries *waits_in;	/* the same: HELD and SUSPECT	*/
	struct store_place place;
	struct flow	*flow;		/* NULL while adopting		*/
	enum delivery_state state;

	/* Of dispatch.c. */
	struct worker	*worker;	/* while it holds a slot there	*/
	uint32_t	 worker_no;	/* master's number of it	*/
	uint64_t	 attempt;	/* 0: none was made		*/
	bool		 is_listed;	/* the relay said it has it	*/
	bool		 is_adopted;	/* said by the relay, not by us	*/
	bool		 is_disputed;	/* and another one says so too	*/
	struct lane	*claimed_by;	/* whose word that was		*/
	size_t		 unread;	/* bytes of results before that	*/
	size_t		 result_bytes;	/* of all, while it holds a slot */
	bool		 is_counted;	/* in its destination's running */
	bool		 is_done;	/* all results are said		*/
	bool		 is_expiring;	/* to be given up, not sent	*/
	bool		 is_reminding;	/* nor this: its sender is told	*/
	bool		 is_parked;	/* waits for an edit, unread	*/
	enum destination_rank rank;	/* whose slot it holds		*/
	struct host	*host;		/* that it was sent to, or NULL	*/
	struct lane	*reads;		/* counted there while loading	*/
	int64_t		 started_ms;	/* monotonic			*/
	int64_t		 patience_ms;	/* then it may be given up	*/
	bool		 is_recalled;	/* the relay was asked for it	*/
	uint64_t	 came_to;	/* the host, as the relay said	*/
	uint16_t	 room;		/* that it has for more		*/
	bool		 is_quiet;	/* no line says it must wait	*/
	uint32_t	 unlogged_cnt;	/* lines left out before	*/
	struct errand	*errand;	/* that took it; or NULL	*/
	bool		 is_stray;	/* no relay has it: only judged	*/
	bool		 is_suspect;	/* runs as the only one		*/
	bool		 has_died;	/* its relay, while it was adopted */
	unsigned	 pull_cnt;	/* pieces being read for it	*/
	struct store_read_envelope load;
	struct envelope	*envelope;	/* yours once loaded		*/
	STAILQ_HEAD(, result) results;
	uint32_t	 result_cnt;
};

TAILQ_HEAD(deliveries, delivery);

struct due;

struct due_calls {
	/* This destination has something to take that it had not before. */
	void	(*ready)(struct destination *, void *arg);
	/* The last of it is forgotten; it is freed when this returns. */
	void	(*vanish)(struct destination *, void *arg);
	/* Is its relay none of ours?  Its rows are then taken before they
	 * are due, but for those that are held.  NULL: never. */
	bool	(*is_strange)(const struct destination *, void *arg);
};

/* Nothing that is not held waits longer than this; 0: nobody knows. */
void	due_set_longest(struct due *, int64_t ms);

MUST_CHECK enum err due_open(struct due **out, struct ev_loop *,
	    struct store *, const struct due_calls *, void *arg);
void	due_close(struct due **);

/*
 * Find the flows that are on disk; new rows may be noted meanwhile.  Again at
 * any time: what is known already stays as it is.
 */
void	due_start(struct due *);

/* It could not be done; due_start() again, later. */
bool	due_is_blind(const struct due *);

/* Nothing is known to be due, ever, nor under way. */
bool	due_is_empty(const struct due *);

/*
 * Flows of this shard are ours from now on, and looked for; or are not, and are
 * forgotten with all that waits in them.  At first none is.  One that is ours
 * no longer is released (store_release) when what is under way of it has ended.
 */
void	due_own(struct due *, unsigned shard);
void	due_disown(struct due *, unsigned shard);
/* Nothing is under way, and nothing will be: all are released. */
void	due_release_all(struct due *);

/* Is the flow of this name ours?  Rows of others are not noted, nor taken. */
bool	due_owns(const struct due *, struct span flow);
bool	due_owns_all(const struct due *);

/* This row is on disk since now. */
void	due_note(struct due *, struct span relay, struct span destination,
	    struct span tenant, const struct store_place *);

void	due_note_flow(struct due *, const struct store_flow *,
	    const struct store_place *);

/* The same of a row that stood elsewhere before, and may be in memory so. */
void	due_moved(struct due *, const struct store_flow *,
	    const struct store_place *);

/* When the message of that id began to arrive, wall clock. */
int64_t	due_id_ms(struct id);

/* A suspension of these ("": any) is over: all that waits there is due now. */
void	due_resume(struct due *, const char *relay, const char *domain);

/* The next delivery whose turn it is, state LOADING; NULL: none just now. */
struct delivery *due_take(struct due *, struct destination *);

/*
 * The delivery of that row, out of its turn, state LOADING; NULL: it is under
 * way, or memory is out.
 */
struct delivery *due_claim(struct due *, const struct store_flow *,
	    const struct store_place *);

/* It waits in this list, in this state, until it is picked or forgotten. */
void	due_wait_in(struct delivery *, struct deliveries *,
	    enum delivery_state);

/*
 * This very one, whether or not it is its turn, state LOADING; NULL: it is
 * under way, or memory is out.
 */
struct delivery *due_take_row(struct due *, const struct store_flow *,
	    const struct store_place *);

struct delivery *due_find(struct due *, struct id, uint32_t no);

/* The first of the message that is in memory, from number no on; or NULL. */
struct delivery *due_find_next(struct due *, struct id, uint32_t no);

/* NULL: it is not known just now. */
struct destination *due_find_destination(struct due *, struct span relay,
	    struct span name);

/* Know (id, no) as running elsewhere; NULL when memory is out. */
struct delivery *due_adopt(struct due *, struct id, uint32_t no);

/* Out of its flow, or the list it waits in: state LOADING. */
void	due_pick(struct due *, struct delivery *);

/* Now we know where an adopted one belongs.  False when memory is out. */
bool	due_attach(struct due *, struct delivery *, const struct envelope *);

/* What was said of its recipients so far. */
void	due_drop_results(struct delivery *);

/* Forget it; what hangs on it must be gone.  May free its flow. */
void	due_forget(struct due *, struct delivery **);

/* Forget it, and have its row read again: it was not tried. */
void	due_put_back(struct due *, struct delivery **);

struct destination *due_destination(const struct delivery *);
struct span due_flow(const struct delivery *);

/*
 * A destination that has no flows and nothing under way: free it, or keep what
 * is known of it among the latest DUE_IDLE_MAX.
 */
void	due_tidy(struct due *, struct destination *);

/* For each destination known. */
void	due_each(struct due *, void (*)(struct destination *, void *), void *);

/* How many that have mail are down, by themselves or with their host. */
uint64_t due_down_cnt(struct due *);

#endif
