/*
 * stream.c - pieces are sent late: one that is full may have been the last, and
 * an empty one at the end would be a frame for nothing.
 */
#include "base/limits.h"
#include "edge/edge.h"
#include "edge/text/stream.h"
#include "edge/text/transaction.h"
#include "edge/to_queue.h"

void
stream_open(struct stream *st)
{
	struct edge *edge = st->edge;

	st->no = ++edge->last_stream;
	LIST_INSERT_HEAD(&edge->streams[st->no % EDGE_STREAM_BUCKETS], st,
	    entry);
	envelope_untell(&st->transaction->envelope);
	to_queue_open(st->transaction);
}

void
stream_forget(struct stream *st)
{
	if (st->no == 0)
		return;
	LIST_REMOVE(st, entry);
	st->no = 0;
}

void
stream_reset(struct stream *st)
{
	stream_forget(st);
	st->is_granted = false;
	st->credit = 0;
}

struct stream *
stream_find(struct edge *edge, uint64_t no)
{
	struct stream *st;

	LIST_FOREACH(st, &edge->streams[no % EDGE_STREAM_BUCKETS], entry)
		if (st->no == no)
			return st;
	return NULL;
}

/* One full or last piece, if credit allows. */
static bool
send_piece(struct stream *st)
{
	if (st->piece.len == 0)
		return true;
	if (!st->is_granted || st->is_committed || st->is_held ||
	    st->credit == 0)
		return false;
	st->body_len += st->piece.len;
	to_queue_body(st, grow_span(&st->piece));
	st->piece.len = 0;
	return true;
}

enum err
stream_put(struct stream *st, struct span run)
{
	enum err e;
	size_t n;

	while (run.len > 0) {
		if (st->piece.len == PIECE_MAX && !send_piece(st))
			return ERR_FULL;	/* more than there was room */
		n = PIECE_MAX - st->piece.len;
		if ((e = grow_add(&st->piece, span_head(run, n))) != OK)
			return e;
		run = span_tail(run, n);
	}
	return OK;
}

size_t
stream_room(const struct stream *st)
{
	return PIECE_MAX - st->piece.len +
	    (st->is_held ? 0 : st->credit * PIECE_MAX);
}

bool
stream_send(struct stream *st, bool is_ended)
{
	if (!is_ended && st->piece.len < PIECE_MAX)
		return true;
	return send_piece(st);
}

bool
stream_send_header(struct stream *st, struct span *rest)
{
	while (rest->len > PIECE_MAX) {
		if (st->credit == 0)
			return false;
		to_queue_header(st, span_head(*rest, PIECE_MAX));
		*rest = span_tail(*rest, PIECE_MAX);
	}
	return true;
}

void
stream_abort(struct stream *st)
{
	if (st->no != 0 && !st->is_committed)
		to_queue_abort(st);
	stream_forget(st);
	stream_drop(st);
}

bool
stream_restart(struct stream *st)
{
	stream_abort(st);
	st->is_granted = false;
	st->credit = 0;
	st->body_len = 0;
	if (st->edge->queue == NULL)
		return false;
	stream_open(st);
	return true;
}

void
stream_drop(struct stream *st)
{
	grow_free(&st->piece);
}
