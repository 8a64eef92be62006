/*
 * intake - messages on their way in: what may come next on a stream, where the
 * pieces go, and when the edge may say 250.
 *
 * A stream begins with MAIL, when an id is minted for it and nothing lies on
 * disk.  Its recipients are judged as they come, if the edge asks, and what
 * their route was is kept for the end; only where routes have changed meanwhile
 * it is looked for again.
 *
 * A full piece is handed to the store as it comes and credited when it is on
 * disk; the last, shorter ones wait and share the transaction with the
 * envelope.  A stream ends by its commit, by an abort, by a refusal of ours, or
 * with its edge; what the edge said before it heard of a refusal is ignored.
 *
 * Errors  ERR_PEER the edge broke the rules
 */
#ifndef QUEUE_INTAKE_H
#define QUEUE_INTAKE_H

#include "queue/queue.h"

struct edge;		/* one link to an edge, and its streams */

MUST_CHECK enum err intake_open(struct intake **out, struct queue *);
void	intake_close(struct intake **);

/* A link to an edge is there, or gone (taken; *e becomes NULL). */
struct edge *intake_edge(struct queue *, const struct link_peer *);
void	intake_edge_linked(struct edge *, struct link *);
void	intake_edge_gone(struct edge **);
struct queue *intake_queue(const struct edge *);

MUST_CHECK enum err intake_mail(struct edge *, const struct msg_mail_open *);
MUST_CHECK enum err intake_rcpt(struct edge *, const struct msg_mail_rcpt *);
MUST_CHECK enum err intake_piece(struct edge *, uint64_t stream, enum part,
	    struct span piece);
MUST_CHECK enum err intake_commit(struct edge *,
	    const struct msg_mail_commit *, struct span piece);
MUST_CHECK enum err intake_abort(struct edge *, uint64_t stream);

/* Whether we are full, or want to be asked, has changed: tell the edges. */
void	intake_tell(struct intake *);

/* Take nothing new; what is not committed by now is refused. */
void	intake_drain(struct intake *);
/* Is a commit on its way? */
bool	intake_is_busy(const struct intake *);

#endif
