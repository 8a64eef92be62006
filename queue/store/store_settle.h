/*
 * store_settle - what became of a delivery, all or nothing.
 */
#ifndef QUEUE_STORE_SETTLE_H
#define QUEUE_STORE_SETTLE_H

#include "queue/store/store.h"

struct store;

/* What became of one recipient. */
struct store_change {
	uint32_t	 rcpt_no;
	enum outcome_class class;	/* only CLASS_LATER stays	*/
	uint16_t	 code;
	struct span	 address, reply, hop;
	struct span	 tls;		/* of the connection; empty: none */
	bool		 is_theirs;	/* the hop's words, not ours	*/
	bool		 is_late;	/* given up after trying long	*/
	bool		 is_warned;	/* the sender is told of a delay */
	bool		 is_unread;	/* its address could not be read */
	uint8_t		 flags;		/* RESULT_*, of what is done	*/
	int64_t		 tried_ms;	/* when it was said; 0: never	*/
	enum report	 report;	/* the sender is to be told so	*/
	struct span	 orcpt;		/* for the report, as is until_ms, */
	int64_t		 until_ms;	/* 0: it is tried no more	*/
	struct span	 owner;		/* who is told in place of the sender;
					 * or empty			*/
};

/* What ends and nobody can be told: for the postmaster's digest. */
struct store_discard {
	uint32_t	 rcpt_no;
	struct record_discard rec;
};

/*
 * What became of a delivery, all or nothing: changes, the next try or the end,
 * and a row of table report for each recipient the sender is to be told of.
 * Until those are told the message stays, and its header with it.  Said twice
 * it is done once: ERR_NONE where the delivery is over, and ERR_STALE where it
 * goes on and its attempts and deaths are not those that were seen.
 */
struct store_settle {
	struct store_op	 op;
	struct id	 id;
	uint32_t	 no;
	bool		 is_over;	/* nothing is left of the delivery */
	int64_t		 due_ms;	/* next try, else		*/
	uint32_t	 attempts, deaths;
	enum held	 held;		/* by whom, when due_ms says so	*/
	const struct record_delivery *was;	/* when it was loaded, or NULL:
					 * the tries it saw, and what is
					 * left where its row was damaged */
	bool		 is_ruled;	/* a route did it: none is delivered */
	const struct store_change *changes;
	uint32_t	 change_cnt;
	int64_t		 now_ms;
	const struct store_discard *discards;
	uint32_t	 discard_cnt;
	bool		 removed;	/* out: the message is gone too	*/
	bool		 kept;		/* out: held in place of over, for
					 * a recipient cannot be read	*/
	bool		 is_silent;	/* out: it only waits for reports */
	bool		 was_lost;	/* out: its row was not to be read */
};

void	store_settle(struct store *, struct store_settle *, store_fn *,
	    void *arg);

#endif
