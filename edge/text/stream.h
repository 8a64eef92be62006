/*
 * stream - one message on its way to the queue: its number there, the credit it
 * has, and the piece of its body that is being filled.
 *
 * It is opened by stream_open(), with MAIL, granted by the queue, and ended
 * by a commit, by stream_abort(), or by the queue.  A check that wants another
 * body restarts it.
 *
 * Owns	   one piece; a stream not committed is the caller's to abort
 * Blocks  never
 */
#ifndef EDGE_STREAM_H
#define EDGE_STREAM_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/span.h"
#include "edge/client/grow.h"

struct edge;
struct transaction;

struct stream {
	LIST_ENTRY(stream) entry;	/* while it has a number	*/
	struct edge	*edge;		/* borrowed			*/
	struct transaction *transaction;	/* whose it is		*/
	uint64_t	 no;		/* 0: the queue knows of none	*/
	bool		 is_granted;	/* id and credit are ours	*/
	bool		 is_committed;	/* its fate is the queue's	*/
	bool		 is_held;	/* no body before the header section:
					 * the queue keeps nothing	*/
	unsigned	 credit;	/* pieces we may send		*/
	struct id	 id;
	struct grow	 piece;		/* of the body, at most PIECE_MAX */
	uint64_t	 body_len;	/* bytes handed to the queue	*/
};

/* Have the queue open it, under a number by which its answers find it; there it
 * has no recipients. */
void	stream_open(struct stream *);
/* The queue has ended it, or is gone: forget the number. */
void	stream_forget(struct stream *);
/* The same, before there is text: another may be opened in its place. */
void	stream_reset(struct stream *);
/* NULL when there is none of this number, which may just have ended. */
struct stream *stream_find(struct edge *, uint64_t no);

/*
 * Put bytes of the body behind the others; no more than stream_room() says, or
 * ERR_FULL.  A full piece goes out when the next byte comes.
 */
MUST_CHECK enum err stream_put(struct stream *, struct span run);
/* Bytes of body that can be put now; 0 is back pressure. */
size_t	stream_room(const struct stream *);
/* Send the full piece if credit allows; the last one too, when it is_ended.
 * False while something is left that has to wait. */
bool	stream_send(struct stream *, bool is_ended);
/* The header section goes last, as far as credit goes: *rest is what has not
 * gone yet, and no more than a piece when this says true. */
bool	stream_send_header(struct stream *, struct span *rest);

/*
 * Begin anew: what the queue has of it is dropped, and what is held.  The whole
 * body comes again, another one.  False: there is no link to the queue.
 */
bool	stream_restart(struct stream *);

/* Drop it at the queue too, and what is held of it.  Allowed on one that has no
 * number, or is committed: then the queue has its way. */
void	stream_abort(struct stream *);
/* Give the piece back. */
void	stream_drop(struct stream *);

#endif
