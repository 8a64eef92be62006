/*
 * transaction - one message between MAIL and the reply to its end of data:
 * where it comes from, its envelope, its text under way, and the stream it has
 * at the queue.
 *
 * It knows no session: who began it hears by a table of calls.  It begins in
 * transaction_begin() and ends in transaction_end(), however it ends; no call
 * is made from within either, nor from within transaction_commit().
 *
 * The queue hears of it from transaction_announce() on.  Until the text begins
 * a stream that gets lost, or that the queue has ended, costs nobody anything:
 * the next recipient, or the text, opens another, with all recipients so far.
 *
 * Owns	   its memory, and the stream: one not committed is aborted
 * Errors  ERR_FULL no memory
 */
#ifndef EDGE_TRANSACTION_H
#define EDGE_TRANSACTION_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/span.h"
#include "bus/messages.h"
#include "bus/question.h"
#include "edge/text/envelope.h"
#include "edge/text/framing.h"
#include "edge/text/origin.h"
#include "edge/client/pace.h"
#include "edge/stage/reply.h"
#include "edge/text/stream.h"
#include "edge/text/text.h"
#include "mail/spf.h"

struct edge;

/* In each of them the transaction may be ended. */
struct transaction_calls {
	/* The queue's word about what it was asked for, the sender or the
	 * recipient added last; NULL is yes. */
	void	(*on_word)(void *arg, const struct reply *no);
	/* There may be room for text again: the queue gave credit, or all that
	 * comes is thrown away from now on. */
	void	(*on_room)(void *arg);
	/* After transaction_commit(), of a queue that keeps nothing: what the
	 * next hop says of the next recipient, in their order.  It may not be
	 * ended in this one. */
	void	(*on_result)(void *arg, const struct reply *);
	/* After transaction_commit(), once: NULL, it is kept. */
	void	(*on_end)(void *arg, const struct reply *no);
	/* The queue is gone, instead of either answer. */
	void	(*on_away)(void *arg);
};

struct transaction {
	struct edge	*edge;
	const struct transaction_calls *calls;	/* borrowed	*/
	void		*arg;		/* of the calls			*/
	struct origin	 origin;

	struct envelope	 envelope;
	uint8_t		 ret;		/* enum dsn_ret			*/
	unsigned	 refused_cnt;	/* recipients we said no to	*/
	bool		 last_is_utf8;	/* the last one needs SMTPUTF8	*/
	bool		 last_is_ours;	/* and was a bare <postmaster>	*/
	uint64_t	 size_hint;	/* of SIZE=, 0 unknown		*/
	uint64_t	 once;		/* of the seat			*/
	bool		 has_smtputf8;	/* the client said so		*/
	enum mail_body	 body;		/* of BODY=			*/
	bool		 is_utf8;	/* an address needs it		*/
	bool		 wants_from;	/* From, where it has none	*/
	bool		 has_spf;	/* it was looked for:		*/
	enum spf_result	 spf;

	bool		 is_opening;	/* MAIL waits for the queue	*/
	struct question	 word;		/* about the last recipient,	*/
	bool		 is_about_text;	/* or whether the text may come	*/
	struct reply	 reply;		/* and what it was, or what became of
					 * the whole; code 250: yes, with no
					 * text in our own words	*/
	unsigned	 result_cnt;	/* recipients of whom was told	*/

	bool		 has_text;	/* which has begun, or is here	*/
	struct framing	 framing;
	struct text	 text;
	struct stream	 stream;
	struct pace	 pace;		/* of what the client sends	*/
	bool		 is_chunked;	/* it comes by BDAT		*/
	bool		 is_full;	/* it is not read from		*/
	bool		 is_wanted;	/* the whole is to be kept	*/
	bool		 is_traced;	/* our fields stand on top	*/
	bool		 is_header_sent; /* to a proxy, before the body	*/
	struct span	 message_id;	/* of its field, in text.header	*/
	uint32_t	 passed;	/* checks, see stage_names()	*/
	uint64_t	 header_len;	/* bytes, with them		*/
};

/* The origin is copied. */
MUST_CHECK enum err transaction_begin(struct transaction **out, struct edge *,
	    const struct origin *, struct span sender, struct span envid,
	    const struct transaction_calls *, void *arg);
/* The one end: tells the queue unless committed, frees, and sets to NULL.
 * Allowed on NULL. */
void	transaction_end(struct transaction **);

/* Does the queue take so much of one message, the last recipient included? */
bool	transaction_fits(const struct transaction *);
/* The one that was added last is not wanted after all. */
void	transaction_drop_rcpt(struct transaction *);
/*
 * Tell the queue of the sender, or of the recipient added last, on the link
 * that there is; waits, asks: on_word() comes.  Recipients it does not want to
 * be asked about go with the text, so that it need not wake up for each.
 */
void	transaction_announce(struct transaction *, bool waits);
void	transaction_tell_rcpt(struct transaction *, bool asks);
/* A queue that keeps nothing: may the text come?  on_word() comes. */
void	transaction_tell_text(struct transaction *);
/* Nobody waits for that word any more. */
void	transaction_forget_word(struct transaction *);

/*
 * transaction_text.c: the text, after DATA was accepted, on the link that there
 * is; is_lax: lines may end with LF alone.
 */
void	transaction_open(struct transaction *, bool is_lax);
/* The same for BDAT; no: the text is refused already, and its chunks are thrown
 * away as they come. */
void	transaction_open_chunks(struct transaction *, bool is_lax,
	    const struct reply *no);
/* A chunk of so many octets comes now. */
void	transaction_chunk(struct transaction *, uint64_t len, bool is_last);
/* Take input from the front of *in.  False: it came too slowly, see pace.h. */
bool	transaction_take(struct transaction *, struct span *in,
	    enum framing_step *step);
/* Bytes of input that can be taken now; 0 is back pressure. */
size_t	transaction_room(const struct transaction *);
/* Since when has the client been silent?  Not while there is no room, for then
 * nobody reads what it says. */
int64_t	transaction_silent_ms(const struct transaction *, int64_t now_ms);
/* The end was seen and nobody objects: the queue shall keep it.  NULL: on_end()
 * comes.  Else what is wrong, and it does not. */
const struct reply *transaction_commit(struct transaction *);
/* Its client, or who judges it, has time yet: say so to the queue, which drops
 * what it hears nothing of for data_timeout. */
void	transaction_wait(struct transaction *);
/* What is wrong with the text, or NULL. */
const struct reply *transaction_fault(const struct transaction *);

/* For from_queue.c: what the queue said.  ERR_PEER when it had no right to. */
MUST_CHECK enum err transaction_granted(struct transaction *, struct id);
MUST_CHECK enum err transaction_credited(struct transaction *,
	    unsigned pieces);
MUST_CHECK enum err transaction_result(struct transaction *,
	    const struct reply *);
MUST_CHECK enum err transaction_taken(struct transaction *,
	    const struct reply *yes);
void	transaction_refused(struct transaction *, const struct reply *);
void	transaction_judged(struct question *, const struct reply *);
/* The link is gone, and with it the stream. */
void	transaction_lost(struct transaction *);
/* For edge.c: how a question about a recipient has ended. */
question_fn transaction_on_word;

#endif
