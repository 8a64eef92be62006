/*
 * text.c - a piece of a message's text for who administers it.  Each is asked
 * for by itself, so that no more than a few are in memory at a time.
 */
#include <stdlib.h>

#include "queue/control/control.h"
#include "queue/store/store_envelope.h"
#include "queue/to_control.h"

#define TEXTS_MAX	4		/* pieces being read		*/
#define UNSENT_MAX	(256u << 10)	/* bytes on the link before more */

struct reading {
	struct store_read_piece read;
	struct control	*control;
	uint64_t	 request;
};

static enum tool_status
status_of(const struct store_read_piece *r, enum err e)
{
	if (e == ERR_NONE)
		return STATUS_NONE;
	return e != OK ? STATUS_FAILED : r->len == PIECE_MAX ? STATUS_MORE :
	    STATUS_DONE;
}

static void
piece_read(struct store_op *op, enum err e, void *arg)
{
	struct reading *r = arg;

	r->control->text_cnt--;
	to_control_text(r->control->link, r->request, e != OK ? SPAN("") :
	    (struct span){ r->read.text, r->read.len },
	    status_of(&r->read, e));
	control_release(r->control);
	free(r->read.text);
	free(r);
}

enum err
control_text(struct control *c, const struct msg_text_ask *m)
{
	struct reading *r;

	if (m->part >= PART__COUNT)
		return ERR_PEER;
	if (c->text_cnt >= TEXTS_MAX || link_unsent(c->link) > UNSENT_MAX) {
		to_control_text(c->link, m->request, SPAN(""), STATUS_BUSY);
		return OK;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return ERR_SYS;
	r->control = c;
	r->request = m->request;
	r->read.id = m->id;
	r->read.part = m->part;
	r->read.piece_no = m->piece_no;
	c->text_cnt++;
	c->pending_cnt++;
	store_read_piece(c->queue->store, &r->read, piece_read, r);
	return OK;
}
