/*
 * queue - the process: what its parts share.
 *
 *	intake		messages on their way in
 *	dispatch	deliveries on their way out
 *	outcome		what became of them
 *	reports		what their senders are told of it
 *	digest		and the postmaster, where they cannot be
 *	edits, controls	what an administrator wants of them
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "bus/boot.h"
#include "queue/route/able.h"
#include "queue/route/alias.h"
#include "queue/route/expand.h"
#include "queue/route/user.h"
#include "queue/plan/due.h"
#include "queue/settings.h"
#include "queue/store/store.h"
#include "queue/store/store_intake.h"

struct intake;
struct dispatch;
struct outcomes;
struct reports;
struct digest;
struct aging;
struct edits;
struct index;
struct lone;
struct quarantine;
struct reroutes;
struct errand;
struct change;
struct follow;
struct control;

struct queue {
	struct boot	*boot;
	struct ev_loop	*loop;
	struct settings	 settings;
	struct store	*store;
	struct due	*due;
	struct intake	*intake;
	struct dispatch	*dispatch;
	struct outcomes	*outcomes;
	struct reports	*reports;
	struct digest	*digest;	/* NULL in tests without	*/
	struct aging	*aging;		/* NULL in tests without	*/
	struct vitals	*vitals;	/* numbers for master		*/
	struct edits	*edits;
	struct index	*index;
	struct quarantine *quarantine;
	struct lone	*lone;
	struct reroutes	*reroutes;
	struct suspension_set *suspensions;	/* NULL in tests without */
	struct follow	*follow;	/* NULL in tests without	*/
	LIST_HEAD(, change) changes;	/* of them, on their way	*/
	LIST_HEAD(, errand) errands;
	unsigned	 errand_cnt;
	LIST_HEAD(, control) controls;	/* links			*/
	struct able	 able;		/* what relays can carry	*/
	struct id	 last_id;
	uint64_t	 message_cnt;	/* held, as the store says	*/
	struct expanders expanders;	/* of recipients		*/
	struct expanders tables;	/* those who answer at once	*/
	struct expander	 expander[3];	/* of forward, aliases, users	*/
	struct user_look users;
	struct alias_look aliases;
	uint64_t	 routes_turn;	/* changes with what routes find */
	enum queue_full	 full;
	bool		 is_unanswered;	/* by the store, for too long	*/
	bool		 has_lost;	/* messages wait, none is known */
	bool		 is_draining;
	struct timer	 patience;	/* when draining		*/
	void		(*on_rested)(struct queue *);	/* likewise	*/
};

/* A new id, higher than all before it. */
struct id	queue_mint(struct queue *);

/*
 * How old a delivery of this message is for its lifetime: for how long we have
 * had it, in milliseconds that we ran and it was not suspended.
 */
int64_t		queue_age_ms(const struct queue *,
		    const struct record_message *,
		    const struct record_delivery *);

/* For how long it was suspended, by now; lived_ms is the message's. */
int64_t		queue_waived_ms(const struct queue *, int64_t lived_ms,
		    const struct record_delivery *);

/* Recipients stand for whom the settings say. */
void		queue_use_aliases(struct queue *);

/* The store has begun: what it found is known. */
void		queue_ready(struct queue *, const struct store_ready *);

/* Of its calls, as struct store_calls has them; arg is the queue. */
void		queue_held(uint64_t message_cnt, void *arg);
void		queue_rows(const struct store_flow *,
		    const struct store_place *, void *arg);
void		queue_owned(struct queue *, unsigned shard);
void		queue_disowned(unsigned shard, void *arg);

/* A message of ours is on disk: let its deliveries be due. */
void		queue_accepted(struct queue *, const struct store_accept *);

/* A relay says what its next hop can; edges hear what that comes to. */
MUST_CHECK enum err queue_can(struct queue *, const char *relay,
		    const struct msg_relay_can *);

/* May anything be taken in now? */
enum queue_full	queue_room(const struct queue *);

/* Something came to an end: when draining, see whether that was all. */
void		queue_rested(struct queue *);

/* Stop draining at this time. */
void		queue_drain(struct queue *, uint32_t patience_ms);

#endif
