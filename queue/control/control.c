/* control.c - an answer needs its link: when that is gone nobody is told. */
#include <stdlib.h>
#include <string.h>

#include "queue/control/browse.h"
#include "queue/control/control.h"
#include "queue/plan/dispatch.h"
#include "queue/control/edit.h"
#include "queue/control/errand.h"
#include "queue/route/route_utf8.h"
#include "queue/plan/suspend.h"
#include "queue/store/store_damage.h"
#include "queue/store/store_list.h"
#include "queue/to_control.h"

#define SUSPENDED_MAX	64	/* rows of one answer */

struct totals {
	struct store_read_totals read;
	struct control	*control;
	uint64_t	 request;
};

struct asides {
	struct store_read_notes read;
	struct control	*control;
	uint64_t	 request;
};

struct edit_answer {
	struct control	*control;
	uint64_t	 request;
};

struct control *
control_new(struct queue *q)
{
	struct control *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->queue = q;
	browse_init(c);
	LIST_INSERT_HEAD(&q->controls, c, entry);
	return c;
}

void
control_linked(struct control *c, struct link *l)
{
	c->link = l;
}

void
control_gone(struct control **control)
{
	struct control *c = *control;

	LIST_REMOVE(c, entry);
	link_close(&c->link);
	browse_stop(c);
	control_alias_end(c);
	if (c->pending_cnt == 0)
		free(c);
	*control = NULL;
}

void
control_close(struct queue *q)
{
	struct control *c;

	while ((c = LIST_FIRST(&q->controls)) != NULL)
		control_gone(&c);
}

static void
totals_read(struct store_op *op, enum err e, void *arg)
{
	struct totals *t = arg;
	const struct queue *q = t->control->queue;
	struct msg_queue_status status = {
		.request = t->request, .messages = q->message_cnt,
		.deliveries = t->read.deliveries,
		.active = dispatch_active_cnt(q->dispatch),
		.held = t->read.held,
		.oldest_ms = (uint64_t)due_id_ms(t->read.oldest),
		.full = (uint8_t)queue_room(q),
		.quarantined = t->read.quarantined,
		.lost = q->has_lost && due_is_empty(q->due),
		.suspended = suspension_cnt(q->suspensions),
		.down = (uint32_t)due_down_cnt(q->due),
		.disk_free = t->read.disk_free,
		.disk_size = t->read.disk_size,
	};
	int lacks;

	status.utf8 = (uint8_t)route_utf8(q->settings.routes, &lacks);
	if (lacks != -1) {
		status.utf8_relay = span_of(route_relay(q->settings.routes,
		    (unsigned)lacks));
		status.utf8_hop = (uint8_t)able_hop(&q->able,
		    status.utf8_relay.ptr);
	}
	to_control_status(t->control->link, &status);
	control_release(t->control);
	free(t);
}

enum err
control_totals(struct control *c, const struct msg_queue_ask *m)
{
	struct totals *t;

	if (c->pending_cnt >= CONTROL_PENDING_MAX)
		return ERR_PEER;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return ERR_SYS;
	t->control = c;
	t->request = m->request;
	c->pending_cnt++;
	store_read_totals(c->queue->store, &t->read, totals_read, t);
	return OK;
}

static void
notes_read(struct store_op *op, enum err e, void *arg)
{
	struct asides *a = arg;
	const struct store_read_notes *r = &a->read;
	struct span last = { (const char *)r->from.b, r->from.len };

	for (unsigned i = 0; e == OK && i < r->cnt; i++)
		to_control_aside(a->control->link, a->request, &r->rows[i]);
	to_control_asides(a->control->link, a->request, last, e != OK ?
	    STATUS_FAILED : r->at_end ? STATUS_DONE : STATUS_MORE);
	control_release(a->control);
	free(a);
}

enum err
control_aside(struct control *c, const struct msg_aside_ask *m)
{
	struct asides *a;

	if (c->pending_cnt >= CONTROL_PENDING_MAX ||
	    m->after.len > sizeof(a->read.from.b))
		return ERR_PEER;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return ERR_SYS;
	a->control = c;
	a->request = m->request;
	a->read.from.len = m->after.len;
	if (m->after.len > 0)
		memcpy(a->read.from.b, m->after.ptr, m->after.len);
	c->pending_cnt++;
	store_read_notes(c->queue->store, &a->read, notes_read, a);
	return OK;
}

/* Mail for it would be taken, and wait: a route alone does not say so. */
static void
tell_suspension(const struct queue *q, const struct route *r,
    struct msg_route_answer *answer)
{
	const struct suspension *s = suspension_of(q->suspensions, r->relay,
	    r->destination);

	if (s == NULL)
		return;
	answer->suspended = 1;
	answer->since_ms = (uint64_t)s->since_ms;
	answer->reason = span_of(s->reason);
}

void
control_route(struct control *c, const struct msg_route_ask *m)
{
	struct msg_route_answer answer = { .request = m->request };
	struct route_ask ask = { m->address, m->sender, m->login, m->bounce };
	struct route_reply reply;
	struct route r;

	(void)route_judge(c->queue->settings.routes, &ask, &r, &reply);
	answer.code = reply.code;
	answer.dsn = span_of(reply.dsn);
	answer.text = span_of(reply.text);
	answer.rule = r.rule;
	answer.by = (uint8_t)r.by;
	if (r.relay != NULL) {
		answer.relay = span_of(r.relay);
		answer.destination = span_of(r.destination);
		tell_suspension(c->queue, &r, &answer);
	}
	to_control_route(c->link, &answer);
}

static void
edit_over(enum tool_status status, void *arg)
{
	struct edit_answer *a = arg;

	to_control_edited(a->control->link, a->request, status);
	control_release(a->control);
	free(a);
}

static bool
begin_edit(struct queue *q, const struct msg_edit_ask *m, enum tool_status *why,
    struct edit_answer *a)
{
	switch (m->action) {
	case EDIT_GIVE_UP:
		return edit_give_up(q, m->id, m->text, m->who, why,
		    edit_over, a);
	case EDIT_BOUNCE:
	case EDIT_MOVE:
	case EDIT_REROUTE:
	case EDIT_EXPIRE:
		return errand_start(q, m->id, m->action, m->text, why,
		    edit_over, a);
	default:
		return edit_start(q, m->id, m->action, m->who, why, edit_over,
		    a);
	}
}

enum err
control_edit(struct control *c, const struct msg_edit_ask *m)
{
	struct edit_answer *a;
	enum tool_status why = STATUS_FAILED;

	if (m->action >= EDIT__COUNT || c->pending_cnt >= CONTROL_PENDING_MAX)
		return ERR_PEER;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return ERR_SYS;
	a->control = c;
	a->request = m->request;
	c->pending_cnt++;
	if (!begin_edit(c->queue, m, &why, a))
		edit_over(why, a);
	return OK;
}

static void
suspend_over(enum tool_status status, void *arg)
{
	struct edit_answer *a = arg;

	to_control_suspend_done(a->control->link, a->request, status);
	control_release(a->control);
	free(a);
}

enum err
control_suspend(struct control *c, const struct msg_suspend_ask *m)
{
	struct suspend_what what = { m->relay, m->domain, m->reason, m->who };
	enum tool_status why = STATUS_FAILED;
	struct edit_answer *a;

	if (c->pending_cnt >= CONTROL_PENDING_MAX)
		return ERR_PEER;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return ERR_SYS;
	a->control = c;
	a->request = m->request;
	c->pending_cnt++;
	if (m->ends ?
	    suspend_end(c->queue, &what, &why, suspend_over, a) :
	    suspend_begin(c->queue, &what, &why, suspend_over, a))
		return OK;
	suspend_over(why, a);
	return OK;
}

void
control_suspended(struct control *c, const struct msg_suspended_ask *m)
{
	const struct queue *q = c->queue;
	char relay[BLOCK_NAME_MAX + 1], domain[DOMAIN_MAX + 1];
	const struct suspension *s = NULL;
	unsigned cnt = 0;

	if (span_cstr(m->relay, relay, sizeof(relay)) &&
	    span_cstr(m->domain, domain, sizeof(domain)))
		s = suspension_next(q->suspensions, relay, domain);
	for (; s != NULL && cnt < SUSPENDED_MAX; s = suspension_next(
	    q->suspensions, s->relay, s->domain)) {
		if (!s->is_active)
			continue;
		to_control_suspended(c->link, m->request, s,
		    s->relay[0] != '\0' &&
		    !route_has_relay(q->settings.routes, s->relay));
		cnt++;
	}
	to_control_suspended_end(c->link, m->request, s != NULL ? STATUS_MORE :
	    STATUS_DONE);
}
