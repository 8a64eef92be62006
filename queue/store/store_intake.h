/*
 * store_intake - a message comes: its text piece by piece, then all of it, or
 * nothing.
 */
#ifndef QUEUE_STORE_INTAKE_H
#define QUEUE_STORE_INTAKE_H

#include "queue/store/store.h"

#define STORE_PIECES_MAX	(1u << 28)	/* of a part	*/

struct store;
struct store_change;

/*
 * What the writer remembers of a message while its text is arriving.  Set id
 * and leave the rest zero; it must live until the accept or drop came back.
 */
struct store_mail {
	struct id	 id;
	bool		 begun;		/* chunks of it are on disk	*/
	enum err	 failed;	/* why some is not, or OK	*/
	uint32_t	 sum[PART__COUNT];	/* of each first piece	*/
};

/*
 * A piece of its text as the bus carries it: PIECE_MAX bytes, or less for the
 * last of a part, of which there are STORE_PIECES_MAX at most.  In what sizes
 * it is kept is the engine's.
 */
struct store_piece {
	struct store_op	 op;
	struct store_mail *mail;
	enum part	 part;
	uint32_t	 piece_no;
	struct span	 text;
};

/* What RCPT said of reports, RFC 3461; 0 and empty: nothing. */
struct store_dsn {
	uint8_t		 notify;	/* DSN_* bits			*/
	struct span	 orcpt;		/* as given			*/
	struct span	 trace;		/* and how he came of who was said,
					 * see expand.h; empty: he was	*/
	struct span	 owner;		/* of the list he is on, who is the
					 * sender for him; or empty	*/
};

/* tenant: in whose line it stands, with a domain of his or without. */
struct store_delivery {
	struct span	 relay, destination, tenant;
	int64_t		 due_ms;
};

/* A message whole: its text so far plus these last pieces become one. */
struct store_accept {
	struct store_op	 op;
	struct store_mail *mail;
	struct record_message message;	/* rcpt_cnt, delivery_cnt included,
					 * the rest of version 2 ours	*/
	struct span	 message_id;	/* as its header says it, empty: not */
	struct span	 checks, tls;	/* of its session, for its history */
	uint64_t	 session;	/* likewise; 0: it had none	*/
	const struct span *rcpts;
	const struct store_dsn *rcpt_dsn; /* NULL: none said anything	*/
	const uint32_t	*rcpt_delivery;	/* NULL: all are in delivery 0	*/
	const struct store_delivery *deliveries;
	struct span	 header, body;	/* not yet written		*/
	uint32_t	 header_piece_no, body_piece_no;
	/* What the sender is to be told from the first, under numbers behind
	 * those of the recipients. */
	const struct store_change *reports;
	uint32_t	 report_cnt;
};

/* The message will not be: what lies on disk of it is swept. */
struct store_drop {
	struct store_op	 op;
	struct store_mail *mail;
};

void	store_put_piece(struct store *, struct store_piece *, store_fn *,
	    void *arg);
void	store_accept(struct store *, struct store_accept *, store_fn *,
	    void *arg);
void	store_drop(struct store *, struct store_drop *, store_fn *,
	    void *arg);

#endif
