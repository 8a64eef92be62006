/*
 * delivery - one attempt at handing a message to a destination: its envelope,
 * the pieces of its text as they are pulled, and what became of each recipient.
 *
 * A relay of any kind sees a message through this.  At most STREAM_CREDIT
 * pieces are asked for and not yet dropped, so memory is bounded whatever the
 * size.  Results are kept here until the queue has committed them.
 *
 * What all deliveries of a queue take is counted, for it may have been taken
 * over.  When it is too much one is refused: nothing of it is kept but its
 * name, and when it is whole it comes back without a result, "later, ours".
 * Next hops may be in league with it: from half of it on replies are cut short,
 * and when it is too much the results of a delivery that are of one class share
 * a reply without words.
 *
 * Owns	   envelope, pieces, outcomes
 * Blocks  never
 * Errors  ERR_PEER the queue broke the rules; ERR_SYS no memory
 */
#ifndef RELAY_DELIVERY_H
#define RELAY_DELIVERY_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/span.h"
#include "bus/messages.h"
#include "relay/verdict.h"

#define DELIVERY_RCPTS_MAX	100000	/* of one delivery; the queue splits
					 * long before			*/

#define DELIVERY_HOLD_MAX	(256u << 20)	/* bytes of a queue's envelopes
					 * and results			*/

struct delivery;

/* What the deliveries of a queue take, in bytes. */
struct hold {
	size_t		 bytes;		/* envelopes and results	*/
	size_t		 text;		/* pieces			*/
	bool		 is_logged;	/* that it is too much		*/
};

struct outcome {			/* shared by all it concerns	*/
	SLIST_ENTRY(outcome) entry;
	struct verdict	 verdict;	/* its text is ours		*/
	struct span	 hop;		/* "host[address]:port"		*/
	char		 bytes[];
};

struct delivery_rcpt {
	uint32_t	 no;		/* the queue's number		*/
	struct span	 address;
	uint8_t		 notify;	/* RFC 3461, as for the bus	*/
	struct span	 orcpt;
	const struct outcome *outcome;	/* NULL until decided		*/
};

/* What a delivery wants of whoever brought it. */
struct delivery_calls {
	void	(*pull)(struct delivery *, enum part, uint32_t piece_no);
	/* All is decided.  The delivery may be freed by this call. */
	void	(*finished)(struct delivery *);
	/* It was not tried, and is freed by this call. */
	void	(*back)(struct delivery *, enum back why);
	/* Of one that passes through, see delivery_word(). */
	void	(*word)(struct delivery *, enum stage, uint32_t rcpt_no,
		    const struct verdict *, struct span hop);
};

/* Take the delivery out of where it waits: it goes back untried. */
typedef void delivery_leave_fn(struct delivery *, void *arg);

/* More text can be had, or it never will: ask delivery_text().  Of one that
 * passes through: a recipient more, or the last of them, too. */
typedef void delivery_text_fn(struct delivery *, void *arg);

/*
 * The next hop lacks what the message needs, and has heard nothing of it: the
 * delivery is yours again, all of it undecided.
 */
typedef void delivery_unable_fn(struct delivery *, void *arg);

/* All is decided; called once, before `finished'. */
typedef void delivery_end_fn(struct delivery *, void *arg);

struct delivery {
	TAILQ_ENTRY(delivery) entry;	/* of whoever brought it	*/
	LIST_ENTRY(delivery) hash_entry; /* likewise			*/
	void		*home;		/* likewise			*/
	const struct delivery_calls *calls;
	struct hold	*hold;		/* NULL: nobody counts		*/
	size_t		 taken;		/* bytes counted there		*/

	TAILQ_ENTRY(delivery) wait_entry; /* of the relay it is with	*/
	delivery_text_fn *on_text;	/* NULL: nobody waits		*/
	void		*on_text_arg;
	delivery_end_fn	*on_end;	/* NULL: nobody asks		*/
	void		*on_end_arg;
	delivery_unable_fn *on_unable;	/* NULL: what it lacks decides	*/
	void		*on_unable_arg;
	bool		 is_half_asked;	/* and then not for good: others may
				 * be able to, and could not be asked	*/
	delivery_leave_fn *on_leave;	/* NULL: it was begun, or is nobody's
					 * to give back			*/
	void		*on_leave_arg;

	struct id	 id;
	uint32_t	 delivery;
	uint64_t	 attempt;
	unsigned	 flags;		/* MAIL_*			*/
	uint64_t	 header_len, body_len;	/* so far, where is_measured is
					 * false			*/
	bool		 is_measured;	/* both are all there is	*/
	uint64_t	 size_hint;	/* what its client says, or 0	*/
	bool		 is_passing;	/* it passes through: its recipients
					 * come one by one while it runs, and
					 * each word of the next hop is told */
	bool		 is_over;	/* the same: no more of them come */
	bool		 is_chunked;	/* the same: its client said BDAT */
	bool		 is_granted;	/* the same, where the words at MAIL and
					 * RCPT are ours: MAIL was told	*/
	uint32_t	 told_cnt;	/* likewise: recipients		*/
	bool		 is_text_told;	/* likewise: that its text may come */
	uint32_t	 alone_left;	/* recipients who get a request each, of
					 * one that was refused	*/
	uint16_t	 alone_code;	/* with this code, or 0		*/
	struct span	 destination;	/* what the relay shall connect to */
	struct span	 sender;
	uint8_t		 ret;		/* RFC 3461, as for the bus	*/
	enum mail_body	 body;		/* what MAIL said of the text	*/
	uint8_t		 params;	/* PARAM_*			*/
	uint64_t	 by_ms;		/* RFC 2852: wall clock; 0: none */
	uint8_t		 by_mode;	/* BY_*				*/
	int64_t		 deadline_ms;	/* monotonic: after it no final dot
					 * is sent			*/
	struct span	 envid;
	struct span	 client, helo, proto, tenant; /* of the session it came
					 * in by; may be empty		*/
	struct delivery_rcpt *rcpts;	/* NULL: it is refused		*/
	uint32_t	 rcpt_cnt;	/* announced; 0: not yet	*/
	uint32_t	 rcpt_have;	/* said so far			*/
	uint32_t	 rcpt_cap;	/* places for them		*/
	uint32_t	 undecided;	/* recipients without outcome	*/
	bool		 is_finished;
	bool		 is_orphan;	/* no more pieces will come	*/
	bool		 is_forgotten;	/* home wants no result		*/
	uint64_t	 host;		/* that it came to, 0: none	*/
	uint16_t	 room;		/* for others there, at the end	*/
	unsigned	 late;		/* stages (SLOW_BIT) at which our wait
					 * was too short		*/

	uint64_t	 header_cnt;	/* pieces of the header section, or
					 * UINT64_MAX: not known yet	*/
	uint64_t	 piece_cnt;	/* header's and body's, likewise */
	uint64_t	 sure_cnt;	/* pieces that there are at least */
	uint64_t	 learnt_cnt;	/* whose lengths are counted	*/
	unsigned	 stale;		/* pieces on their way from before a
					 * rewind: dropped as they come	*/
	uint64_t	 first, pulled;	/* pieces held or asked for:
					 * first up to before asked	*/
	struct span	 held[STREAM_CREDIT]; /* by number modulo; NULL:
					 * has not come			*/
	SLIST_HEAD(, outcome) outcomes;
	const struct outcome *shared[CLASS__COUNT];	/* of them, without
					 * words; NULL: none yet	*/
};

/* Copies what it needs.  NULL when out of memory. */
struct delivery	*delivery_new(const struct msg_delivery_open *,
		    const struct delivery_calls *, void *home);
void		 delivery_free(struct delivery **);

/* Count what it takes there, borrowed, from here on. */
void		 delivery_hold(struct delivery *, struct hold *);
/* Let go of its envelope, for there is no room for it. */
void		 delivery_refuse(struct delivery *);

MUST_CHECK enum err delivery_add_rcpt(struct delivery *, uint32_t no,
		    struct span address);
/* What the recipient added last wants of reports. */
MUST_CHECK enum err delivery_add_dsn(struct delivery *, uint8_t notify,
		    struct span orcpt);
/* It passes through: it begins with no recipient, and has what has come. */
void		 delivery_pass(struct delivery *);
/*
 * What the next hop says, of one that passes through: at STAGE_MAIL, of a
 * recipient at STAGE_RCPT, at STAGE_DATA; or of all that is not decided, when
 * rcpt_no is DELIVERY_ALL.
 */
#define DELIVERY_ALL	UINT32_MAX
void		 delivery_word(struct delivery *, enum stage, uint32_t rcpt_no,
		    const struct verdict *, struct span hop);
/* That was the last of them.  ERR_PEER: others were announced. */
MUST_CHECK enum err delivery_end_rcpts(struct delivery *);
/* Have all recipients been said? */
bool		 delivery_is_whole(const struct delivery *);

/* Ask for the first pieces: they come while the delivery waits its turn. */
void		 delivery_prefetch(struct delivery *);
/* A piece has come. */
MUST_CHECK enum err delivery_add_piece(struct delivery *, unsigned part,
		    uint32_t piece_no, unsigned next, struct span);
/* The queue is away: what has not come will not. */
void		 delivery_orphan(struct delivery *);

/*
 * The i-th piece from where we are, 0 or 1.  ERR_AGAIN it is on its way;
 * ERR_NONE the text ends before it; ERR_CLOSED it will not come.
 */
enum err	 delivery_text(const struct delivery *, unsigned i,
		    struct span *out);
/* The first cnt pieces are done with; asks for the next ones. */
void		 delivery_drop(struct delivery *, unsigned cnt);
/* From the start again; pieces that are on their way are waited for first. */
void		 delivery_rewind(struct delivery *);
/* Could the whole text still be had, from the start? */
bool		 delivery_can_go_on(const struct delivery *);

/* 0 while its text is arriving. */
uint64_t	 delivery_size(const struct delivery *);

/*
 * Keep a verdict, for any number of delivery_decide().  NULL when out of
 * memory; to decide by it then means to leave the recipient undecided.
 */
const struct outcome *delivery_outcome(struct delivery *,
		    const struct verdict *, struct span hop);
/* The first decision stands, later ones are passed over. */
void		 delivery_decide(struct delivery *, uint32_t i,
		    const struct outcome *);
/* Decide all that is open, and finish. */
void		 delivery_end(struct delivery *, const struct verdict *,
		    struct span hop);
/* All is decided or stays without a result, which is "later, ours". */
void		 delivery_finish(struct delivery *);

/* Give it back to the queue: nothing was tried, and no attempt is counted. */
void		 delivery_give_back(struct delivery *, enum back why);
/* The same at the queue's wish, if it still waits to be begun. */
void		 delivery_recall(struct delivery *);

#endif
