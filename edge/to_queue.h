/*
 * to_queue - what the edge says to the queue about a message.  Only packing:
 * when to say it is transaction's and stream's business.
 *
 * Nothing here fails: a link that cannot take a frame is given up, and
 * from_queue.c hears of it at the end of the turn.
 */
#ifndef EDGE_TO_QUEUE_H
#define EDGE_TO_QUEUE_H

#include <stdint.h>

#include "base/span.h"

struct stream;
struct transaction;

/* mail_open, of a stream that has a number and no recipients yet. */
void	to_queue_open(struct transaction *);

/* Those it has not yet; ask is the number of a question about the last, or 0.
 * They go before any text by themselves. */
void	to_queue_rcpts(struct transaction *, uint64_t ask);

/* To a proxy: those were all, may the text come?  ask is as above. */
void	to_queue_data(struct transaction *, uint64_t ask);

/* One piece of body or header; uses up one credit, of which there is one. */
void	to_queue_body(struct stream *, struct span piece);
void	to_queue_header(struct stream *, struct span piece);

/* Nothing comes just now, and its client has time yet. */
void	to_queue_wait(struct stream *);

/* The last piece of header, and the whole is to be kept. */
void	to_queue_commit(struct transaction *, struct span piece);

/* The stream is not wanted after all; nothing without a link. */
void	to_queue_abort(struct stream *);

#endif
