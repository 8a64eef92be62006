/* past.c - out of the history, a bounded number of rows an answer. */
#include <stdlib.h>
#include <string.h>

#include "queue/control/control.h"
#include "queue/store/store_story.h"
#include "queue/store/story.h"
#include "queue/to_control.h"

struct finding {
	struct store_read_found read;
	struct control	*control;
	uint64_t	 request;
};

struct telling {
	struct store_read_story read;
	struct control	*control;
	uint64_t	 request;
};

static enum tool_status
status_of(enum err e, bool at_end)
{
	return e != OK ? STATUS_FAILED : at_end ? STATUS_DONE : STATUS_MORE;
}

static bool
take_place(struct store_index_key *from, struct span after)
{
	if (after.len > sizeof(from->b))
		return false;
	from->len = after.len;
	if (after.len > 0)
		memcpy(from->b, after.ptr, after.len);
	return true;
}

static void
found(struct store_op *op, enum err e, void *arg)
{
	struct finding *f = arg;
	const struct store_read_found *r = &f->read;

	for (unsigned i = 0; e == OK && i < r->cnt; i++)
		to_control_found(f->control->link, f->request, r->ids[i]);
	to_control_found_end(f->control->link, f->request, &r->from,
	    status_of(e, r->at_end));
	control_release(f->control);
	free(f);
}

static bool
take_word(struct store_read_found *r, const struct msg_found_ask *m)
{
	r->by_id = m->by == FOUND_BY_ID;
	if (r->by_id)
		return id_range(m->word, &r->first_id, &r->last_id);
	r->word = m->by == FOUND_BY_ADDRESS ? story_hash_address(m->word) :
	    story_hash_message_id(m->word);
	return true;
}

enum err
control_found(struct control *c, const struct msg_found_ask *m)
{
	struct finding *f;

	if (c->pending_cnt >= CONTROL_PENDING_MAX || m->by >= FOUND_BY__COUNT)
		return ERR_PEER;
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return ERR_SYS;
	if (!take_place(&f->read.from, m->after) || !take_word(&f->read, m)) {
		free(f);
		return ERR_PEER;
	}
	f->control = c;
	f->request = m->request;
	f->read.since_ms = (int64_t)(m->since_ms > INT64_MAX ? INT64_MAX :
	    m->since_ms);
	c->pending_cnt++;
	store_read_found(c->queue->store, &f->read, found, f);
	return OK;
}

static void
on_story(struct store_op *op, enum err e, void *arg)
{
	struct telling *t = arg;
	struct store_read_story *r = &t->read;

	for (unsigned i = 0; e == OK && i < r->cnt; i++)
		to_control_event(t->control->link, t->request, r->id,
		    &r->rows[i]);
	to_control_story_end(t->control->link, t->request, &r->from,
	    status_of(e, r->at_end));
	control_release(t->control);
	free(r->rows);
	free(t);
}

enum err
control_story(struct control *c, const struct msg_story_ask *m)
{
	struct telling *t;

	if (c->pending_cnt >= CONTROL_PENDING_MAX)
		return ERR_PEER;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return ERR_SYS;
	if (!take_place(&t->read.from, m->after)) {
		free(t);
		return ERR_PEER;
	}
	t->control = c;
	t->request = m->request;
	t->read.id = m->id;
	c->pending_cnt++;
	store_read_story(c->queue->store, &t->read, on_story, t);
	return OK;
}
