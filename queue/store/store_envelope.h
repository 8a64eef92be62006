/*
 * store_envelope - a delivery as a relay must know it, and its text.
 */
#ifndef QUEUE_STORE_ENVELOPE_H
#define QUEUE_STORE_ENVELOPE_H

#include "queue/store/store_intake.h"

struct store;

struct envelope_rcpt {
	uint32_t	 no;
	struct span	 address;
	struct store_dsn dsn;
	struct span	 reply, hop;	/* the last one, if there was one */
	uint16_t	 code;
	uint8_t		 flags;		/* RCPT_*			*/
	bool		 is_said;	/* its result is here: dispatch.c's */
	int64_t		 tried_ms;
};

/*
 * All that a relay must know of a delivery; one block, free() it.  Where its
 * recipients have an owner he is the sender of its message, without ENVID and
 * RET: all of a delivery have the same, or none has.  Where
 * delivery.rcpt_cnt is higher than rcpt_cnt, some cannot be read.
 */
struct envelope {
	struct record_message message;
	struct record_delivery delivery;
	uint32_t	 rcpt_cnt;
	struct envelope_rcpt rcpts[];	/* by no */
};

/*
 * ERR_NONE: there is no such delivery (any more).  ERR_PEER: there is, and it
 * cannot go on; why says for what, and store_hold() is due.
 */
struct store_read_envelope {
	struct store_op	 op;
	struct id	 id;
	uint32_t	 no;
	struct envelope	*envelope;	/* out: yours		*/
	enum aside	 why;		/* out: the worst of what is wrong */
};

/*
 * One piece of text as it was stored: checked against its checksum, where it
 * has one, and the length that its message says.  ERR_PEER: it is not as it
 * was, or there is no telling; nothing of it is handed out.
 */
struct store_read_piece {
	struct store_op	 op;
	struct id	 id;
	enum part	 part;
	uint32_t	 piece_no;
	char		*text;		/* out: yours; NULL when len is 0 */
	size_t		 len;		/* out				*/
};

void	store_read_envelope(struct store *, struct store_read_envelope *,
	    store_fn *, void *arg);
void	store_read_piece(struct store *, struct store_read_piece *,
	    store_fn *, void *arg);

#endif
