/*
 * link_inside - what the files of a link share, and nobody else sees.
 *
 * A packet is one or more frames, each whole: u16 type, u16 length of its
 * piece, u32 length of its fields, the fields, the piece.  A descriptor comes
 * with a packet of one frame.
 */
#ifndef BUS_LINK_INSIDE_H
#define BUS_LINK_INSIDE_H

#include <sys/queue.h>

#include "bus/link.h"

#define HEAD_LEN	8	/* bytes of a frame before its fields	*/
#define PACKET_FRAMES	64	/* in a packet, at most			*/

struct packet;

struct link {
	struct ev_loop	*loop;
	struct ev	 ev;
	struct later	 flush;		/* at the end of the turn	*/
	int		 fd;
	enum role	 mine;
	struct link_peer peer;
	link_msg_fn	*on_msg;
	link_gone_fn	*on_gone;
	void		*arg;

	TAILQ_HEAD(link_packets, packet) queue;
	size_t		 unsent;	/* bytes in the queue		*/
	size_t		 queue_max;

	bool		 greeted;	/* the peer has said hello	*/
	bool		 traced;
	bool		 failed;	/* gone() is due or was called	*/
	enum err	 why;
	bool		 reading;	/* in link_ready(): free later	*/
	bool		 closed;	/* by its owner, while reading	*/
};

/* link_trace.c */
void	link_trace(const struct link *, const char *arrow, unsigned type,
	    const union msg *, size_t piece_len);

/* link_send.c: no use any more, of which the owner is told later. */
void	link_fail(struct link *, enum err why);
/* What is queued is lost. */
void	link_drop_all(struct link *);

/*
 * link_receive.c: fetch a batch, check it, and hand its frames on, counting
 * them.  ERR_AGAIN: there is nothing more just now.
 */
enum err link_receive_batch(struct link *, unsigned *cnt);

#endif
