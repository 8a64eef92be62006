/*
 * store - the queue's memory: which messages exist, and what is still to be
 * done for them.
 *
 * Its calls stand in headers by what they are for: store_intake.h, _settle.h,
 * _report.h, _edit.h, _due.h, _envelope.h, _list.h, _damage.h and _story.h.
 *
 * Behind these calls stands an engine (store_engine.h): lmdb, the default, on a
 * disk of this machine, or another.  A message exists if and only if its
 * store_accept() came back OK; whether it survives a power cut from then on the
 * engine says (store_engine_keeps).  What an engine keeps may be others' work
 * too: rows come to be that no call of ours has made, and which shards of them
 * are ours is said, and may change.
 *
 * Every call hands over a struct, which lies in the caller's memory and is
 * borrowed, with all it points to, until its fn is called: once, in the loop's
 * thread, never from within the call itself.  Calls before ready() are answered
 * after it.
 *
 * Owns	   what the engine owns
 * Blocks  store_open() and store_close() only
 * Errors  errno is EUCLEAN after store_open() where the file is damaged;
 *	   ERR_FULL no room, nothing of this call was kept; ERR_SYS the same
 *	   for another reason; ERR_NONE there is no such row; ERR_PEER what
 *	   was found cannot be used (and a note of it is kept, see
 *	   store_damage.h); ERR_STALE somebody else went on with it
 */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/span.h"
#include "bus/held.h"
#include "bus/messages.h"
#include "queue/store/record.h"
#include "queue/plan/suspension.h"
#include "sys/ev.h"

#define STORE_TENANT_MAX	128	/* bytes; longer ones are cut	*/
#define STORE_TURN_DOMAIN_MAX	64	/* bytes of a domain, its last	*/
#define STORE_TURN_MAX		(STORE_TENANT_MAX + 1 + STORE_TURN_DOMAIN_MAX)
#define STORE_FLOW_MAX		480	/* bytes of a flow's name, which
					 * every engine must take	*/
#define STORE_INDEX_KEY_MAX	511	/* bytes of an engine's own key	*/
#define STORE_SHARDS		64	/* flows are spread over them	*/
#define STORE_SHARD_ALL		STORE_SHARDS	/* all at once		*/

/* Due then, in the year 9999: held until somebody releases it. */
#define STORE_HELD_MS		INT64_C(253402300799000)

#define STORE_DEATHS_MAX	3	/* held then, in version 1	*/

struct store;
struct store_engine;
struct store_op;

typedef void store_fn(struct store_op *, enum err, void *arg);

struct store_limits {
	uint64_t	 reserve;	/* bytes kept allocated beyond use */
	uint64_t	 max_bytes;	/* quota; 0 is none		*/
	int64_t		 history_ms;	/* how long history is kept	*/
	uint64_t	 history_bytes;	/* and how much of it		*/
};

/* As the engine found it: the start of everything else. */
struct store_ready {
	struct id	 last_id;	/* the highest ever used here, as far
					 * as it is no more than a day ahead */
	uint64_t	 message_cnt;	/* held				*/
	struct suspension_set *suspensions;	/* yours		*/
};

struct store_flow;
struct store_place;

/* In the loop's thread, none from within another call. */
struct store_calls {
	/* Intake must stop, or may go on.  why is a literal. */
	void	(*space)(enum queue_full, const char *why, void *arg);
	/* The disk or the database fails: nothing more can be promised. */
	void	(*broken)(const char *why, int error, void *arg);
	/* Once, before any other but these two. */
	void	(*ready)(const struct store_ready *, void *arg);
	/*
	 * So many messages are held by now, whoever put them there or took
	 * them away: said before a call comes back that changed it.  NULL:
	 * nobody wants to know, as with the next three.
	 */
	void	(*held)(uint64_t message_cnt, void *arg);
	/*
	 * This row is there, and it was not our call that put it there: what
	 * that has done its own fn knows, in the order that it needs.
	 */
	void	(*rows)(const struct store_flow *, const struct store_place *,
		    void *arg);
	/* Flows of this shard are ours, or are another's from now on. */
	void	(*owned)(unsigned shard, void *arg);
	void	(*disowned)(unsigned shard, void *arg);
};

/* What store_open() is told. */
struct store_start {
	const struct store_engine *engine;
	struct ev_loop	*loop;
	const char	*dir;		/* where it may keep files	*/
	const struct store_limits *limits;
	const struct store_calls *calls;
	void		*arg;		/* theirs			*/
};

/* The head of every call; nothing in it is the caller's business. */
struct store_op {
	STAILQ_ENTRY(store_op) entry;
	unsigned	 kind;
	enum err	 err;
	store_fn	*fn;
	void		*arg;
};

/*
 * Where a delivery stands in its flow: rows are in the order of these.  What it
 * says may be read; only the functions below make one, or compare two.
 */
struct store_place {
	int64_t		 due_ms;	/* wall clock			*/
	struct id	 id;
	uint32_t	 no;		/* delivery within the message	*/
};

/* A flow, by what only store_flow_name() and store_flow_names() look into. */
struct store_flow {
	bool		 has_far;	/* out: see struct store_read_flows */
	size_t		 len;
	char		 name[STORE_FLOW_MAX];
	int64_t		 due_ms;		/* of its first row	*/
};

/* A key of either table, as the store has it. */
struct store_index_key {
	size_t		 len;
	uint8_t		 b[STORE_INDEX_KEY_MAX];
};

/* The engine of that word; NULL: there is none. */
const struct store_engine *store_engine_find(struct span word);

/* Does what was accepted survive the end of this process, and a power cut? */
bool	store_engine_keeps(const struct store_engine *);

/*
 * Begin.  Call after the sandbox has closed.  ERR_SYS with EBUSY when another
 * process has it open; ERR_PEER when it is of a newer format (store_format.h),
 * and left as it was.
 */
MUST_CHECK enum err store_open(struct store **out, const struct store_start *);

/* Let it finish what was handed over; its callbacks are not called. */
void	store_close(struct store **);

/* Take other limits, from the next call on. */
void	store_set_limits(struct store *, const struct store_limits *);

/*
 * How long this store has been open, over all its openings: monotonic, what
 * anybody sets a clock to is nothing to it.  A message keeps what it was when
 * it was accepted (record_message.lived_ms), so the difference is how long we
 * have had it; a time when nobody ran does not count.
 */
int64_t	store_lived_ms(const struct store *);

/*
 * Until when what we own is surely ours, by clock_mono_ms(), which is the same
 * in all processes of a machine: a delivery that goes out now must not be
 * completed later.  INT64_MAX: for good.
 */
int64_t	store_deadline(const struct store *);

/* In which shard a flow of that name is. */
unsigned store_shard(const struct store *, struct span flow);

/*
 * Of this shard, which was disowned, or which we give away, nothing is under
 * way any more: another may take it now.  Whoever waits for no word of ours
 * takes it when store_deadline() is past.
 */
void	store_release(struct store *, unsigned shard);

/* What holds it; HELD_UNSAID too when it is not held. */
enum held store_held_by(const struct record_delivery *);
/* What holds one of which a row cannot be used for that reason. */
enum held store_held_for(enum aside why);

/*
 * The flow of these, of whose tenant so much counts as goes in.  False: a relay
 * and a destination that are none, by their lengths, or a NUL in one.
 */
bool	store_flow_name(struct store_flow *, struct span relay,
	    struct span destination, struct span tenant);

/* Whose flow of that name it is; tenant: with what stands behind it. */
struct store_names {
	struct span	 relay, destination, tenant;
};
struct store_names store_flow_names(struct span flow);
/* The same as bytes; and what all flows of its tenant begin with. */
struct span store_flow_span(const struct store_flow *);
struct span store_flow_tenant(struct span flow);
/*
 * The name of a tenant's line for a domain of its own, or, where that is empty,
 * of the tenant: so many bytes, at most STORE_TURN_DOMAIN_MAX and one more.
 */
size_t	store_turn_put(char *at, struct span tenant, struct span domain);

struct store_place store_place(int64_t due_ms, struct id, uint32_t no);
/* Before all rows that are due then; of 0: before all there are. */
struct store_place store_place_before(int64_t due_ms);
int	store_place_cmp(const struct store_place *,
	    const struct store_place *);

#endif
