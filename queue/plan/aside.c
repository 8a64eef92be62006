/* aside.c - known here until it is held there, or it would be read again. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/plan/aside.h"
#include "queue/plan/dispatch.h"
#include "queue/plan/outcome.h"
#include "queue/store/store_damage.h"

struct hold {
	struct store_hold hold;
	struct queue	*queue;
	struct delivery	*delivery;
	char		 flow[];
};

const char *
aside_said(enum aside why)
{
	switch (why) {
	case ASIDE_NEWER:
		return "a row of it was written by a newer postern";
	case ASIDE_MISSING:
		return "a row of it is missing";
	default:
		return "a row of it is damaged";
	}
}

static void
log_held(const struct store_hold *h)
{
	struct log_line l;

	log_begin(&l, LOG_held);
	log_id(&l, LOG_KEY_id, h->place.id);
	log_num(&l, LOG_KEY_delivery, h->place.no);
	log_text(&l, LOG_KEY_why, aside_said(h->why));
	log_end(&l);
	log_begin(&l, LOG_trouble);
	log_id(&l, LOG_KEY_id, h->place.id);
	log_text(&l, LOG_KEY_why, held_line(store_held_for(h->why)));
	log_end(&l);
}

static void
held(struct store_op *op, enum err e, void *arg)
{
	struct hold *h = arg;

	if (e == OK && h->hold.held)
		log_held(&h->hold);
	if (e == OK)
		due_forget(h->queue->due, &h->delivery);
	else
		outcome_put_off(h->queue, h->delivery);
	free(h);
}

void
aside_hold(struct queue *q, struct delivery *dl, enum aside why)
{
	struct span flow = due_flow(dl);
	struct hold *h = calloc(1, sizeof(*h) + flow.len);

	dispatch_release_untried(q, dl);
	if (h == NULL) {
		outcome_put_off(q, dl);
		return;
	}
	if (flow.len > 0)
		memcpy(h->flow, flow.ptr, flow.len);
	h->queue = q;
	h->delivery = dl;
	h->hold.flow = (struct span){ h->flow, flow.len };
	h->hold.place = dl->place;
	h->hold.why = why;
	dl->state = DELIVERY_SETTLING;
	store_hold(q->store, &h->hold, held, h);
}
