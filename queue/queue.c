/* queue.c - ids, ages and the count of messages: what the parts share. */
#include <stdlib.h>

#include "queue/queue.h"
#include "sys/clock.h"
#include "sys/counters.h"

struct id
queue_mint(struct queue *q)
{
	uint8_t chance[8];

	arc4random_buf(chance, sizeof(chance));
	id_set_node(chance, q->settings.node);
	return id_next(&q->last_id, clock_wall_ms(), chance);
}

int64_t
queue_waived_ms(const struct queue *q, int64_t lived_ms,
    const struct record_delivery *d)
{
	char relay[BLOCK_NAME_MAX + 1], name[DOMAIN_MAX + 1];
	int64_t elsewhere_ms = (int64_t)d->waived_ms;

	if (lived_ms < (int64_t)d->waived_until_ms)
		lived_ms = (int64_t)d->waived_until_ms;
	if (q->suspensions == NULL ||
	    !span_cstr(d->relay, relay, sizeof(relay)) ||
	    !span_cstr(d->destination, name, sizeof(name)))
		return elsewhere_ms;
	return elsewhere_ms + suspension_waived_ms(q->suspensions, relay,
	    name, lived_ms, store_lived_ms(q->store));
}

int64_t
queue_age_ms(const struct queue *q, const struct record_message *m,
    const struct record_delivery *d)
{
	int64_t lived_ms = (int64_t)m->lived_ms;

	return store_lived_ms(q->store) - lived_ms -
	    queue_waived_ms(q, lived_ms, d);
}

void
queue_use_aliases(struct queue *q)
{
	q->aliases = (struct alias_look){ q->settings.aliases,
	    q->settings.routes, q->settings.delimiter };
	q->users.routes = q->settings.routes;
	/* Always each, for one that was asked may answer after a reload. */
	q->expander[0] = (struct expander){ "forward", forward_ask, NULL,
	    q->settings.forward };
	q->expander[1] = (struct expander){ "alias", alias_ask, NULL,
	    &q->aliases };
	q->expander[2] = (struct expander){ "user", user_ask, user_cancel,
	    &q->users };
	q->tables = (struct expanders){ q->expander,
	    q->settings.forward != NULL || q->settings.aliases != NULL ?
	    2 : 0 };
	q->expanders = (struct expanders){ q->expander,
	    route_has_users(q->settings.routes) ? 3 : q->tables.cnt };
}

void
queue_ready(struct queue *q, const struct store_ready *r)
{
	q->suspensions = r->suspensions;
	route_set_suspended(q->settings.routes, q->suspensions);
	q->last_id = r->last_id;
	queue_held(r->message_cnt, q);
	q->full = QUEUE_HAS_ROOM;
}

void
queue_held(uint64_t message_cnt, void *arg)
{
	struct queue *q = arg;

	q->message_cnt = message_cnt;
	counter_set(COUNTER_messages, message_cnt);
}

void
queue_rows(const struct store_flow *flow, const struct store_place *place,
    void *arg)
{
	struct queue *q = arg;

	due_note_flow(q->due, flow, place);
}

void
queue_owned(struct queue *q, unsigned shard)
{
	due_own(q->due, shard);
}

void
queue_disowned(unsigned shard, void *arg)
{
	struct queue *q = arg;

	due_disown(q->due, shard);
}

void
queue_accepted(struct queue *q, const struct store_accept *a)
{
	counter_add(COUNTER_queued, 1);
	for (uint32_t no = 0; no < a->message.delivery_cnt; no++) {
		const struct store_delivery *d = &a->deliveries[no];
		struct store_place place = store_place(d->due_ms,
		    a->mail->id, no);

		due_note(q->due, d->relay, d->destination, d->tenant, &place);
	}
}

enum queue_full
queue_room(const struct queue *q)
{
	return q->is_unanswered ? QUEUE_SHUT : q->full;
}

void
queue_rested(struct queue *q)
{
	if (q->is_draining && q->on_rested != NULL)
		q->on_rested(q);
}
