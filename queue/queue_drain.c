/* queue_drain.c - what a relay can do, for all edges; and the orderly end. */
#include "queue/bounce/digest.h"
#include "queue/bounce/telling.h"
#include "queue/intake/intake.h"
#include "queue/plan/dispatch.h"
#include "queue/plan/outcome.h"
#include "queue/queue.h"
#include "queue/route/route_utf8.h"

enum err
queue_can(struct queue *q, const char *relay, const struct msg_relay_can *m)
{
	struct routes *routes = q->settings.routes;
	int lacks;
	enum queue_utf8 before = route_utf8(routes, &lacks);
	bool took_binary = route_all_take_binary(routes);
	enum err e = able_take(&q->able, relay, m);

	if (e != OK)
		return e;
	able_tell(&q->able, routes);
	if (route_utf8(routes, &lacks) != before ||
	    route_all_take_binary(routes) != took_binary)
		intake_tell(q->intake);
	return OK;
}

/* Something came to an end: was that all? */
static void
on_rested(struct queue *q)
{
	if (intake_is_busy(q->intake) ||
	    outcome_is_busy(q->outcomes) || telling_is_busy(q->reports) ||
	    digest_is_busy(q->digest) || dispatch_is_busy(q->dispatch))
		return;
	timer_stop(&q->patience);
	due_release_all(q->due);
	boot_done(q->boot);
}

/* What is still under way is on disk, and due again at the next start. */
static void
stop_waiting(struct timer *t, void *arg)
{
	struct queue *q = arg;

	boot_done(q->boot);
}

void
queue_drain(struct queue *q, uint32_t patience_ms)
{
	if (!q->is_draining)
		timer_init(&q->patience, q->loop, stop_waiting, q);
	q->is_draining = true;
	q->on_rested = on_rested;
	timer_set(&q->patience, patience_ms - patience_ms / 4);
	intake_drain(q->intake);
	queue_rested(q);
}
