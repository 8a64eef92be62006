/*
 * browse.c - a listing in the reader's hands outlives its link: it is freed
 * when it comes back.
 */
#include <stdlib.h>

#include "queue/control/browse.h"
#include "queue/control/waits.h"
#include "queue/store/store_list.h"
#include "queue/to_control.h"
#include "sys/clock.h"

#define LISTINGS_MAX	64	/* asked for at once			*/
#define MESSAGES_MAX	64	/* of one list				*/
#define UNSENT_MAX	(256u << 10)	/* bytes on the link before more */
#define PAUSE_MS	10	/* until we look whether they are gone	*/

struct listing {
	STAILQ_ENTRY(listing) entry;
	struct control	*control;
	uint64_t	 request;
	struct id	 last;		/* message begun		*/
	struct record_message message;	/* of it; its strings are gone	*/
	bool		 has_any;
	struct store_read_rows read;
};

static void read_on(struct control *);

static enum listed
state_of(const struct queue *q, const struct store_row *row)
{
	const struct delivery *dl = due_find(q->due, row->id, row->no);

	if (dl != NULL && dl->state != DELIVERY_WAITING &&
	    dl->state != DELIVERY_LOADING && dl->state != DELIVERY_SUSPECT)
		return LISTED_ACTIVE;
	return (int64_t)row->rec.delivery.due_ms == STORE_HELD_MS ?
	    LISTED_HELD : LISTED_DUE;
}

/* When its lifetime ends, where that is what ends its hold; else 0. */
static uint64_t
held_until_ms(const struct listing *l, const struct record_delivery *d)
{
	const struct queue *q = l->control->queue;
	int64_t left_ms;

	if (store_held_by(d) != HELD_DEATHS || l->message.header_len == 0)
		return 0;		/* the other kinds, or damaged	*/
	left_ms = settings_retry(&q->settings, &l->message)->lifetime_ms -
	    queue_age_ms(q, &l->message, d);
	return (uint64_t)(clock_wall_ms() + (left_ms > 0 ? left_ms : 0));
}

static void
send_row(const struct listing *l, const struct store_row *row)
{
	const struct record_delivery *d = &row->rec.delivery;
	struct link *link = l->control->link;
	struct waits_for waits;

	switch (row->kind) {
	case ROW_MESSAGE:
		to_control_message(link, l->request, row);
		break;
	case ROW_DELIVERY:
		waits_find(l->control->queue, d, &waits);
		to_control_delivery(link, l->request, row,
		    state_of(l->control->queue, row), &waits,
		    held_until_ms(l, d));
		break;
	case ROW_RCPT:
		to_control_rcpt(link, l->request, row);
		break;
	}
}

static void
end_listing(struct listing *l, enum tool_status status)
{
	struct control *c = l->control;

	to_control_listed(c->link, l->request, l->last, status);
	STAILQ_REMOVE_HEAD(&c->listings, entry);
	c->listing_cnt--;
	free(l);
}

/* Is that all that was asked for?  Then *out says how it ends. */
static bool
is_over(const struct listing *l, enum tool_status *out)
{
	const struct store_read_rows *r = &l->read;

	if (r->at_end) {
		*out = r->one && !l->has_any ? STATUS_NONE : STATUS_DONE;
		return true;
	}
	*out = STATUS_MORE;
	return r->message_max == 0 && r->next.kind == ROW_MESSAGE;
}

static void
rows_read(struct store_op *op, enum err e, void *arg)
{
	struct listing *l = arg;
	struct control *c = l->control;
	enum tool_status status = STATUS_FAILED;

	c->is_reading = false;
	if (c->link == NULL) {
		free(l->read.rows);
		free(l);
		control_release(c);
		return;
	}
	for (unsigned i = 0; i < l->read.cnt; i++) {
		const struct store_row *row = &l->read.rows[i];

		if (row->kind == ROW_MESSAGE) {
			l->last = row->id;
			l->message = row->rec.message;
			l->has_any = true;
		}
		send_row(l, row);
	}
	free(l->read.rows);
	l->read.rows = NULL;
	l->read.message_max -= l->read.message_cnt;
	l->read.from = l->read.next;
	if (e != OK || is_over(l, &status))
		end_listing(l, status);
	control_release(c);
	read_on(c);
}

static void
read_on(struct control *c)
{
	struct listing *l = STAILQ_FIRST(&c->listings);

	if (l == NULL || c->is_reading || timer_running(&c->pause))
		return;
	if (link_unsent(c->link) > UNSENT_MAX) {
		timer_set(&c->pause, PAUSE_MS);
		return;
	}
	c->is_reading = true;
	c->pending_cnt++;
	store_read_rows(c->queue->store, &l->read, rows_read, l);
}

static void
pause_over(struct timer *t, void *arg)
{
	read_on(arg);
}

void
browse_init(struct control *c)
{
	STAILQ_INIT(&c->listings);
	timer_init(&c->pause, c->queue->loop, pause_over, c);
}

void
browse_stop(struct control *c)
{
	struct listing *l;

	timer_stop(&c->pause);
	while ((l = STAILQ_FIRST(&c->listings)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->listings, entry);
		if (!c->is_reading)
			free(l);
		c->is_reading = false;	/* it was the first		*/
	}
	c->listing_cnt = 0;
}

/* NULL when it is refused, and told so. */
static struct listing *
add(struct control *c, uint64_t request, struct id last)
{
	struct listing *l = NULL;

	if (c->listing_cnt >= LISTINGS_MAX ||
	    (l = calloc(1, sizeof(*l))) == NULL) {
		to_control_listed(c->link, request, last, STATUS_BUSY);
		return NULL;
	}
	l->control = c;
	l->request = request;
	l->last = last;
	STAILQ_INSERT_TAIL(&c->listings, l, entry);
	c->listing_cnt++;
	return l;
}

/* The id just behind; the highest there can be has none, and is no message. */
static struct id
behind(struct id id)
{
	struct id next = id;

	for (size_t i = sizeof(next.b); i > 0; i--)
		if (++next.b[i - 1] != 0)
			return next;
	return id;
}

void
browse_list(struct control *c, const struct msg_list_ask *m)
{
	struct listing *l = add(c, m->request, m->after);

	if (l == NULL)
		return;
	l->read.from.id = behind(m->after);
	l->read.message_max = m->max < 1 ? 1 :
	    m->max > MESSAGES_MAX ? MESSAGES_MAX : m->max;
	read_on(c);
}

void
browse_show(struct control *c, const struct msg_show_ask *m)
{
	struct listing *l = add(c, m->request, m->id);

	if (l == NULL)
		return;
	l->read.from.id = m->id;
	l->read.one = true;
	l->read.message_max = 1;
	read_on(c);
}
