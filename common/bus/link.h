/*
 * link - one end of a SOCK_SEQPACKET pair between two of our processes.
 *
 * One frame is one message of messages.def.  Sending never blocks: frames are
 * gathered during a turn of the loop and go out together at its end, several
 * to a packet; what the kernel does not take waits in order, up to queue_max
 * bytes, beyond which the link is given up.  Receiving checks, for every frame:
 * length, type, that the peer's role may send it to ours, that exactly the
 * right descriptor came.
 * The first frame each way is hello (version and build); link does that.
 *
 * A peer that breaks a rule costs its link and nothing else: gone() is called
 * with ERR_PEER.
 *
 * Owns	   the descriptor, from link_open() on
 * Blocks  never
 * Errors  ERR_PEER nonsense received; ERR_FULL queue_max; ERR_CLOSED; ERR_SYS
 */
#ifndef BUS_LINK_H
#define BUS_LINK_H

#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"
#include "bus/messages.h"
#include "sys/ev.h"

struct link;

/*
 * A message has come.  m and piece (empty unless it carries one) are borrowed
 * for the call.  fd is yours if the message carries one, else -1.  Anything
 * but OK ends the link, ERR_PEER meaning that what it said makes no sense.
 * The callback may call link_close() on this link, and must then return OK.
 */
typedef enum err link_msg_fn(struct link *, unsigned type,
    const union msg *m, struct span piece, int fd, void *arg);

/*
 * The link is unusable, for the reason given; close it here or later.  Not
 * called for a link_close() of your own.  No message comes after it.
 */
typedef void link_gone_fn(struct link *, enum err why, void *arg);

struct link_peer {
	enum role	 role;
	char		 block[BLOCK_NAME_MAX + 1];
	uint32_t	 no;		/* its number in master's table	*/
	uint32_t	 start;		/* counts its lives		*/
	uint16_t	 worker;	/* from 0			*/
	uint16_t	 workers;	/* how many its block has	*/
};

/*
 * Take fd as the link of role `mine` to `peer` (copied) and say hello.  On
 * error fd is closed.
 */
MUST_CHECK enum err link_open(struct link **out, struct ev_loop *, int fd,
    enum role mine, const struct link_peer *peer, link_msg_fn *,
    link_gone_fn *, void *arg);

/* Close at once; frames not yet sent are lost.  *l becomes NULL. */
void	link_close(struct link **);

/*
 * Queue a message: m is its struct msg_NAME, piece only where it carries one.
 * All bytes are copied.  On any error but ERR_CLOSED gone() follows at the end
 * of the turn; callers may ignore the result and wait for it.
 */
enum err link_send(struct link *, unsigned type, const void *m,
    struct span piece);
/* The same with a descriptor, which is borrowed until the call returns. */
enum err link_send_fd(struct link *, unsigned type, const void *m, int fd);

/* Become another role than at link_open(): boot learns its row from master. */
void	link_set_role(struct link *, enum role mine);

/* Try to send what is queued, now. */
void	link_flush(struct link *);
/*
 * Read what has come, now, as the loop would.  ERR_CLOSED when the link is
 * given up, of which gone() tells later.  Not from within a link_msg_fn.
 */
enum err link_receive(struct link *);

/* Bytes queued and not yet taken by the kernel. */
size_t	link_unsent(const struct link *);

const struct link_peer	*link_peer(const struct link *);
/* Change the ceiling of the send queue; LINK_QUEUE_MAX to begin with. */
void	link_set_queue_max(struct link *, size_t bytes);

#define LINK_QUEUE_MAX	(64u << 20)	/* bytes */

/* "edge in/0" for logs; buf of at least LINK_NAME_MAX bytes. */
#define LINK_NAME_MAX	(BLOCK_NAME_MAX + 32)
void	link_name(const struct link_peer *, char *buf);

/* Type-checked senders: link_send_mail_open(l, &(struct msg_mail_open){ }). */
#define SENDER_NOTHING(name)						\
static inline enum err							\
link_send_##name(struct link *l, const struct msg_##name *m)		\
{									\
	return link_send(l, MSG_##name, m, (struct span){ NULL, 0 });	\
}
#define SENDER_PIECE(name)						\
static inline enum err							\
link_send_##name(struct link *l, const struct msg_##name *m,		\
    struct span piece)							\
{									\
	return link_send(l, MSG_##name, m, piece);			\
}
#define SENDER_FD(name)							\
static inline enum err							\
link_send_##name(struct link *l, const struct msg_##name *m, int fd)	\
{									\
	return link_send_fd(l, MSG_##name, m, fd);			\
}
#define MSG(name, from, to, carries, fields)	SENDER_##carries(name)
#include "bus/messages.def"
#undef MSG

#endif
