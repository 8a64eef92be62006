/* listed.c - copies of rows in arrays that grow. */
#include <stdlib.h>
#include <string.h>

#include "ctl/tool/listed.h"

static enum err
copy(struct span *out, struct span s)
{
	char *bytes = malloc(s.len + 1);

	if (bytes == NULL)
		return ERR_SYS;
	if (s.len > 0)
		memcpy(bytes, s.ptr, s.len);
	*out = (struct span){ bytes, s.len };
	return OK;
}

static void
drop(struct span *s)
{
	free((void *)(uintptr_t)s->ptr);
	*s = (struct span){ NULL, 0 };
}

void
listed_fini(struct listed_message *m)
{
	for (size_t i = 0; i < m->delivery_len; i++) {
		drop(&m->deliveries[i].relay);
		drop(&m->deliveries[i].destination);
		drop(&m->deliveries[i].who);
		drop(&m->deliveries[i].reason);
		drop(&m->deliveries[i].holder);
	}
	for (size_t i = 0; i < m->rcpt_len; i++) {
		drop(&m->rcpts[i].address);
		drop(&m->rcpts[i].reply);
		drop(&m->rcpts[i].hop);
		drop(&m->rcpts[i].trace);
	}
	free(m->deliveries);
	free(m->rcpts);
	drop(&m->sender);
	drop(&m->tenant);
	drop(&m->client);
	drop(&m->edge);
	memset(m, 0, sizeof(*m));
}

enum err
listed_begin(struct listed_message *m, struct span queue,
    const struct msg_list_message *row)
{
	listed_fini(m);
	m->queue = queue;
	m->id = row->id;
	m->arrived_ms = row->arrived_ms;
	m->size = row->size;
	m->rcpt_cnt = row->rcpt_cnt;
	if (copy(&m->sender, row->sender) != OK ||
	    copy(&m->tenant, row->tenant) != OK ||
	    copy(&m->client, row->client) != OK ||
	    copy(&m->edge, row->edge) != OK)
		return ERR_SYS;
	return OK;
}

/* Room for one more behind the len there are, of `size' bytes each. */
static void *
grow(void *old, size_t len, size_t *cap, size_t size)
{
	void *bigger = old;

	if (len < *cap)
		return old;
	bigger = reallocarray(old, len * 2 + 4, size);
	if (bigger != NULL)
		*cap = len * 2 + 4;
	return bigger;
}

enum err
listed_add_delivery(struct listed_message *m,
    const struct msg_list_delivery *row)
{
	struct listed_delivery *all, *d;

	if (m->sender.ptr == NULL || id_cmp(m->id, row->id) != 0 ||
	    row->state >= LISTED__COUNT || (m->delivery_len > 0 &&
	    row->delivery <= m->deliveries[m->delivery_len - 1].no))
		return ERR_PEER;
	all = grow(m->deliveries, m->delivery_len, &m->delivery_cap,
	    sizeof(*all));
	if (all == NULL)
		return ERR_SYS;
	m->deliveries = all;
	d = &all[m->delivery_len++];
	*d = (struct listed_delivery){
		.no = row->delivery, .attempts = row->attempts,
		.due_ms = row->due_ms, .state = row->state,
		.suspended_ms = row->suspended_ms,
		.held = row->held, .until_ms = row->until_ms,
		.waits = row->waits < WAITS__COUNT ? row->waits :
		    WAITS_NOTHING,
		.down_ms = row->down_ms, .probe_ms = row->probe_ms,
	};
	if (copy(&d->relay, row->relay) != OK ||
	    copy(&d->destination, row->destination) != OK ||
	    copy(&d->who, row->who) != OK ||
	    copy(&d->reason, row->reason) != OK ||
	    copy(&d->holder, row->holder) != OK)
		return ERR_SYS;
	return OK;
}

enum err
listed_add_rcpt(struct listed_message *m, const struct msg_list_rcpt *row)
{
	const struct listed_delivery *d;
	struct listed_rcpt *all, *r;

	if (m->sender.ptr == NULL || id_cmp(m->id, row->id) != 0)
		return ERR_PEER;
	all = grow(m->rcpts, m->rcpt_len, &m->rcpt_cap, sizeof(*all));
	if (all == NULL)
		return ERR_SYS;
	m->rcpts = all;
	r = &all[m->rcpt_len++];
	*r = (struct listed_rcpt){
		.no = row->rcpt_no, .delivery = row->delivery,
		.code = row->code,
	};
	if ((d = listed_delivery_of(m, r)) != NULL)
		m->deliveries[d - m->deliveries].has_rcpt = true;
	if (copy(&r->address, row->address) != OK ||
	    copy(&r->reply, row->reply) != OK ||
	    copy(&r->hop, row->hop) != OK ||
	    copy(&r->trace, row->trace) != OK)
		return ERR_SYS;
	return OK;
}

enum err
listed_end(struct listed_message *m)
{
	struct msg_list_rcpt row = { .id = m->id, .rcpt_no = UINT32_MAX,
	    .address = SPAN("(not known)") };
	enum err e = OK;

	for (size_t i = 0; e == OK && i < m->delivery_len; i++) {
		row.delivery = m->deliveries[i].no;
		if (!m->deliveries[i].has_rcpt)
			e = listed_add_rcpt(m, &row);
	}
	return e;
}

const struct listed_delivery *
listed_delivery_of(const struct listed_message *m,
    const struct listed_rcpt *r)
{
	size_t low = 0, high = m->delivery_len;

	while (low < high) {
		size_t i = low + (high - low) / 2;

		if (m->deliveries[i].no == r->delivery)
			return &m->deliveries[i];
		if (m->deliveries[i].no < r->delivery)
			low = i + 1;
		else
			high = i;
	}
	return NULL;
}

const char *
listed_state(const struct listed_delivery *d)
{
	if (d->state == LISTED_HELD)
		return "held";
	if (d->state == LISTED_ACTIVE)
		return "active";
	return d->attempts > 0 ? "deferred" : "new";
}

bool
listed_is_suspended(const struct listed_delivery *d)
{
	return d->state == LISTED_DUE && d->suspended_ms > 0;
}
