/*
 * follow.c - readings come back in order, so when the next rows of the walk
 * are here all envelopes of the last are.
 */
#include <stdlib.h>

#include "base/log.h"
#include "queue/plan/dispatch_inside.h"
#include "queue/store/store_due.h"
#include "queue/walk/follow.h"
#include "queue/route/reroute.h"

#define BEHIND_MAX	512	/* moves on their way: wait for them	*/
#define PAUSE_MS	5

struct follow {
	struct queue	*queue;
	struct timer	 pause;
	bool		 is_walking, again;
	struct store_read_spent read;
};

static void	read_on(struct follow *);

static void
judge(struct queue *q, const struct store_spent *row)
{
	struct store_names n = store_flow_names(store_flow_span(&row->flow));
	char relay[BLOCK_NAME_MAX + 1], name[DOMAIN_MAX + 1];
	struct delivery *dl;

	if (!span_cstr(n.relay, relay, sizeof(relay)) ||
	    !span_cstr(n.destination, name, sizeof(name)) ||
	    suspension_of(q->suspensions, relay, name) == NULL ||
	    !route_has_relay(q->settings.routes, relay))
		return;
	if ((dl = due_claim(q->due, &row->flow, &row->place)) != NULL)
		dispatch_load(q, dl);
}

static void
begin(struct follow *f)
{
	f->again = false;
	f->is_walking = true;
	f->read.from = (struct id){ { 0 } };
	f->read.from_no = 0;
	f->read.until_ms = INT64_MAX;
	read_on(f);
}

static void
rows_read(struct store_op *op, enum err e, void *arg)
{
	struct follow *f = arg;
	struct queue *q = f->queue;
	bool is_over = e != OK || q->is_draining || f->again;

	if (e != OK)
		log_why(LOG_trouble, "suspended deliveries cannot be read", 0);
	for (unsigned i = 0; i < f->read.cnt && !is_over; i++)
		judge(q, &f->read.rows[i]);
	if (!is_over && !f->read.at_end) {
		read_on(f);
		return;
	}
	f->is_walking = false;
	if (f->again)
		begin(f);
}

static void
read_on(struct follow *f)
{
	if (reroute_busy_cnt(f->queue->reroutes) >= BEHIND_MAX)
		timer_set(&f->pause, PAUSE_MS);
	else
		store_read_spent(f->queue->store, &f->read, rows_read, f);
}

static void
pause_over(struct timer *t, void *arg)
{
	read_on(arg);
}

void
follow_start(struct follow *f)
{
	if (f == NULL || suspension_cnt(f->queue->suspensions) == 0)
		return;
	f->again = f->is_walking;
	if (!f->again)
		begin(f);
}

enum err
follow_open(struct follow **out, struct queue *q)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return ERR_SYS;
	f->queue = q;
	timer_init(&f->pause, q->loop, pause_over, f);
	*out = f;
	return OK;
}

void
follow_close(struct follow **f)
{
	if (*f == NULL)
		return;
	timer_stop(&(*f)->pause);
	free(*f);
	*f = NULL;
}
