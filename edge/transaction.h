/*
 * transaction - one message between MAIL and the reply to its end of data:
 * envelope, text under way, and the stream it has at the queue.
 *
 * It begins in cmd_mail.c and ends in transaction_end(), however it ends.
 *
 * Owns	   its memory, and the stream: a stream not committed is aborted
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
#include "edge/grow.h"
#include "edge/pace.h"
#include "edge/reply.h"
#include "mail/eod.h"
#include "mail/header.h"

struct edge;
struct session;

/* What has come of the text and is not at the queue yet, see text.h. */
struct text {
	struct eod	 eod;
	struct header_scan scan;
	struct grow	 header;	/* room for our trace, then the client's
					 * header section		*/
	size_t		 header_at;	/* where it begins		*/
	struct grow	 piece;		/* of the body, at most PIECE_MAX */
	uint64_t	 size;		/* bytes of message so far	*/
	uint64_t	 header_len;	/* bytes, when it is complete	*/
	uint64_t	 body_len;	/* bytes handed to the queue	*/
	bool		 is_split;	/* header section is complete	*/
	bool		 is_ended;	/* end of data has come		*/
	bool		 is_wanted;	/* and the whole may be kept	*/
	bool		 is_made;	/* header stands, trace included */
	struct pace	 pace;
	bool		 is_full;	/* the client is not read from	*/
	struct reply	 fault;		/* the reply to the end of data when
					 * it is known to be a refusal	*/
};

struct transaction {
	LIST_ENTRY(transaction) entry;	/* while it has a stream, or waits
					 * for word about a recipient	*/
	struct edge	*edge;
	struct session	*session;

	struct grow	 addresses;	/* sender, then recipients, each
					 * with what it asks of reports	*/
	size_t		 last_at;	/* where the last of them begins */
	uint8_t		 ret;		/* enum dsn_ret			*/
	unsigned	 rcpt_cnt;
	size_t		 rcpt_bytes;	/* theirs and their ORCPT's	*/
	unsigned	 refused_cnt;	/* recipients we said no to	*/
	bool		 last_is_utf8;	/* the last one needs SMTPUTF8	*/
	bool		 last_is_ours;	/* and was a bare <postmaster>	*/
	uint64_t	 size_hint;	/* of SIZE=, 0 unknown		*/
	bool		 has_smtputf8;	/* the client said so		*/
	bool		 is_utf8;	/* an address needs it		*/

	uint64_t	 ask;		/* 0: no recipient is asked about */

	uint64_t	 stream;	/* 0: the queue knows of none	*/
	bool		 is_granted;	/* id and credit are ours	*/
	bool		 is_committed;	/* its fate is the queue's	*/
	unsigned	 credit;	/* pieces we may send		*/
	struct id	 id;

	struct text	 text;
};

/* What RCPT said; RFC 3461's parameters are 0 and empty when not given. */
struct transaction_rcpt {
	struct span	 address;
	uint8_t		 notify;	/* DSN_* bits			*/
	struct span	 orcpt;
};

MUST_CHECK enum err transaction_begin(struct transaction **out,
	    struct session *, struct span sender, struct span envid);
/* Does the queue take so much of one message, the last recipient included? */
bool	transaction_fits(const struct transaction *);
MUST_CHECK enum err transaction_add_rcpt(struct transaction *,
	    const struct transaction_rcpt *);
/* The one that was added last is not wanted after all. */
void	transaction_drop_rcpt(struct transaction *);

struct span	transaction_sender(const struct transaction *);
struct span	transaction_envid(const struct transaction *);
/*
 * Walk the recipients, of which there are rcpt_cnt: *at is 0 for the first,
 * and moved on to the next.
 */
void	transaction_rcpt(const struct transaction *, size_t *at,
	    struct transaction_rcpt *out);
struct span	transaction_last_rcpt(const struct transaction *);

/*
 * Give it a number of a stream, or of a question about a recipient, under
 * which the other two find it.
 */
void	transaction_number(struct transaction *);
void	transaction_number_ask(struct transaction *);
/* The queue has ended it, or is gone: forget the number. */
void	transaction_forget(struct transaction *);

/* NULL when there is none of this number, which may just have ended. */
struct transaction *transaction_find(struct edge *, uint64_t stream);
struct transaction *transaction_find_ask(struct edge *, uint64_t ask);

/* The one end: tells the queue unless committed, frees, and sets to NULL.
 * Allowed on NULL. */
void	transaction_end(struct transaction **);

#endif
