/* intake_text.c - pieces of text: full ones to the disk, the last ones kept. */
#include <stdlib.h>
#include <string.h>

#include "queue/intake/intake_inside.h"
#include "queue/to_edge.h"

/* A full piece on its way to the disk. */
struct piece {
	struct store_piece put;
	char		 text[];
};

static void
piece_put(struct store_op *op, enum err e, void *arg)
{
	struct stream *s = arg;

	s->writing_cnt--;
	stream_answered(s);
	stream_touch(s);
	stream_let_go(s, ((struct piece *)op)->put.text.len);
	free(op);		/* the head of its struct piece */
	if (s->edge == NULL || s->state != STREAM_OPEN)
		return;
	if (e != OK) {
		stream_refuse_room(s, e == ERR_FULL);
		return;
	}
	s->credit++;
	to_edge_credit(s->edge->link, s->no, 1);
}

bool
stream_put_piece(struct stream *s, enum part part, struct span text)
{
	struct piece *p = malloc(sizeof(*p) + text.len);

	if (p == NULL)
		return false;
	memcpy(p->text, text.ptr, text.len);
	p->put = (struct store_piece){
		.mail = &s->mail, .part = part, .piece_no = s->pieces[part]++,
		.text = { p->text, text.len },
	};
	stream_hold(s, text.len);
	stream_handed(s);
	s->writing_cnt++;
	store_put_piece(s->queue->store, &p->put, piece_put, s);
	return true;
}

bool
stream_keep_tail(struct stream *s, enum part part, struct span text)
{
	if (text.len == 0)
		return true;
	if ((s->tail[part] = malloc(text.len)) == NULL)
		return false;
	memcpy(s->tail[part], text.ptr, text.len);
	s->tail_len[part] = text.len;
	stream_hold(s, text.len);
	return true;
}
