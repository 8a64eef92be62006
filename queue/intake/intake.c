/*
 * intake.c - the rules of the dialogue with an edge.  Whatever breaks them is
 * ERR_PEER; whatever we lack is a refusal of this one stream.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/intake/intake_inside.h"
#include "queue/inbound.h"
#include "queue/to_edge.h"

enum err
intake_mail(struct edge *ed, const struct msg_mail_open *m)
{
	struct queue *q = ed->queue;
	struct stream *s, key = { .no = m->stream };

	if (RB_FIND(stream_tree, &ed->streams, &key) != NULL ||
	    !inbound_is_mail(m, link_peer(ed->link)->role))
		return ERR_PEER;
	if (m->stream >= ed->highest)
		ed->highest = m->stream + 1;
	if (q->is_draining || ed->stream_cnt >= INBOUND_STREAMS_MAX ||
	    !stream_may_hold(ed, 0)) {
		to_edge_refused(ed->link, m->stream, 451, "4.3.0",
		    "Try again in a moment");
		return OK;
	}
	if (queue_room(q) != QUEUE_HAS_ROOM) {
		to_edge_no_room(ed->link, m->stream,
		    queue_room(q) == QUEUE_FULL);
		return OK;
	}
	if ((s = stream_new(ed, m)) == NULL) {
		to_edge_refused(ed->link, m->stream, 451, "4.3.0",
		    "Out of memory");
		return OK;
	}
	to_edge_grant(ed->link, s->no, s->mail.id);
	return OK;
}

enum err
intake_piece(struct edge *ed, uint64_t stream, enum part part,
    struct span piece)
{
	struct stream *s;
	enum err e = stream_find(ed, stream, &s);
	bool is_full = piece.len == PIECE_MAX, kept;

	if (e != OK)
		return e == ERR_NONE ? OK : e;
	stream_touch(s);
	if (piece.len == 0 && part == PART_BODY)
		return OK;		/* its client is slow */
	if (s->credit == 0 || piece.len == 0 || (!is_full &&
	    part == PART_HEADER) || (part == PART_BODY && s->body_is_over) ||
	    s->len[part] / PIECE_MAX >= STORE_PIECES_MAX - 2)
		return ERR_PEER;
	s->credit--;
	s->len[part] += piece.len;
	if (queue_room(s->queue) != QUEUE_HAS_ROOM) {
		stream_refuse_room(s, queue_room(s->queue) == QUEUE_FULL);
		return OK;
	}
	if (!stream_may_hold(ed, piece.len)) {
		stream_refuse_many(s);
		return OK;
	}
	if (is_full) {
		kept = stream_put_piece(s, part, piece);
	} else {
		s->body_is_over = true;
		kept = stream_keep_tail(s, part, piece);
	}
	if (!kept)
		stream_refuse(s, 451, "4.3.0", "Out of memory");
	return OK;
}

enum err
intake_commit(struct edge *ed, const struct msg_mail_commit *m,
    struct span piece)
{
	struct stream *s;
	enum err e = stream_find(ed, m->stream, &s);

	if (e != OK)
		return e == ERR_NONE ? OK : e;
	s->len[PART_HEADER] += piece.len;
	if (!inbound_is_line(m->message_id) || !inbound_is_line(m->checks) ||
	    (s->said_cnt == 0 && LIST_EMPTY(&s->arrivals)) ||
	    m->header_len != s->len[PART_HEADER] ||
	    m->body_len != s->len[PART_BODY])
		return ERR_PEER;
	s->accept.message.flags |= m->flags & INTAKE_FLAGS;
	if (queue_room(s->queue) != QUEUE_HAS_ROOM)
		stream_refuse_room(s, queue_room(s->queue) == QUEUE_FULL);
	else if (!stream_may_hold(ed, piece.len))
		stream_refuse_many(s);
	else if (!stream_keep_tail(s, PART_HEADER, piece) ||
	    !stream_keep_facts(s, m))
		stream_refuse(s, 451, "4.3.0", "Out of memory");
	else
		stream_complete(s);
	return OK;
}

/* An abort may cross our answer, or come too late: then it is a message. */
enum err
intake_abort(struct edge *ed, uint64_t stream)
{
	struct stream key = { .no = stream };
	struct stream *s = RB_FIND(stream_tree, &ed->streams, &key);

	if (s == NULL)
		return stream < ed->highest ? OK : ERR_PEER;
	if (s->state < STREAM_COMMITTING)
		stream_end(s);
	else
		stream_detach(s);
	return OK;
}

struct edge *
intake_edge(struct queue *q, const struct link_peer *peer)
{
	struct edge *ed = calloc(1, sizeof(*ed));

	if (ed == NULL)
		return NULL;
	ed->queue = q;
	strlcpy(ed->name, peer->block, sizeof(ed->name));
	RB_INIT(&ed->streams);
	LIST_INSERT_HEAD(&q->intake->edges, ed, entry);
	return ed;
}

void
intake_edge_linked(struct edge *ed, struct link *l)
{
	ed->link = l;
	intake_tell_edge(ed);
}

void
intake_edge_gone(struct edge **e)
{
	struct edge *ed = *e;
	struct stream *s;

	while ((s = RB_MIN(stream_tree, &ed->streams)) != NULL) {
		if (s->state < STREAM_COMMITTING)
			stream_end(s);
		else
			stream_detach(s);
	}
	LIST_REMOVE(ed, entry);
	link_close(&ed->link);
	stream_leave(ed);
	*e = NULL;
}

struct queue *
intake_queue(const struct edge *ed)
{
	return ed->queue;
}

void
intake_drain(struct intake *in)
{
	struct edge *ed;
	struct stream *s, *next;

	LIST_FOREACH(ed, &in->edges, entry)
		RB_FOREACH_SAFE(s, stream_tree, &ed->streams, next)
			if (s->state < STREAM_COMMITTING)
				stream_refuse(s, 451, "4.3.0",
				    "Try again in a moment");
}

bool
intake_is_busy(const struct intake *in)
{
	return in->busy_cnt > 0;
}

enum err
intake_open(struct intake **out, struct queue *q)
{
	struct intake *in = calloc(1, sizeof(*in));

	if (in == NULL)
		return ERR_SYS;
	in->queue = q;
	LIST_INIT(&in->edges);
	intake_watch_init(in);
	*out = in;
	return OK;
}

void
intake_close(struct intake **i)
{
	struct edge *ed;

	if (*i == NULL)
		return;
	timer_stop(&(*i)->watch);
	while ((ed = LIST_FIRST(&(*i)->edges)) != NULL)
		intake_edge_gone(&ed);
	free(*i);
	*i = NULL;
}
