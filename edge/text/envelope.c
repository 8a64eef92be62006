/*
 * envelope.c - addresses lie in one run, each followed by a NUL, a byte of
 * NOTIFY, and ENVID or ORCPT with its NUL: nothing that we take holds one.
 */
#include "edge/text/envelope.h"

#define EXTRA	3	/* bytes beside address and parameter */

static enum err
add_address(struct envelope *v, const struct envelope_rcpt *r)
{
	const struct span parts[] = {
		r->address, { "", 1 }, { (const char *)&r->notify, 1 },
		r->orcpt, { "", 1 },
	};
	enum err e = grow_reserve(&v->addresses, r->address.len +
	    r->orcpt.len + EXTRA);

	v->last_at = v->addresses.len;
	for (size_t i = 0; e == OK && i < sizeof(parts) / sizeof(parts[0]);
	    i++)
		e = grow_add(&v->addresses, parts[i]);
	return e;
}

/* The address at *at, which is moved behind all that goes with it. */
static void
address_at(const struct envelope *v, size_t *at, struct envelope_rcpt *out)
{
	const char *p = v->addresses.ptr + *at;

	out->address = span_of(p);
	p += out->address.len + 1;
	out->notify = (uint8_t)*p++;
	out->orcpt = span_of(p);
	*at += out->address.len + out->orcpt.len + EXTRA;
}

enum err
envelope_begin(struct envelope *v, struct span sender, struct span envid)
{
	const struct envelope_rcpt first = { sender, 0, envid };

	*v = (struct envelope){ 0 };
	return add_address(v, &first);
}

void
envelope_fini(struct envelope *v)
{
	grow_free(&v->addresses);
}

enum err
envelope_add(struct envelope *v, const struct envelope_rcpt *rcpt)
{
	enum err e = add_address(v, rcpt);

	if (e != OK)
		return e;
	v->rcpt_cnt++;
	v->rcpt_bytes += rcpt->address.len + rcpt->orcpt.len;
	return OK;
}

void
envelope_drop(struct envelope *v)
{
	struct envelope_rcpt last;
	size_t at = v->last_at;

	address_at(v, &at, &last);
	v->rcpt_bytes -= last.address.len + last.orcpt.len;
	v->addresses.len = v->last_at;
	v->rcpt_cnt--;
}

struct span
envelope_sender(const struct envelope *v)
{
	return span_of(v->addresses.ptr);
}

struct span
envelope_envid(const struct envelope *v)
{
	struct envelope_rcpt first;
	size_t at = 0;

	address_at(v, &at, &first);
	return first.orcpt;
}

struct span
envelope_last(const struct envelope *v)
{
	return span_of(v->addresses.ptr + v->last_at);
}

void
envelope_rcpt(const struct envelope *v, size_t *at, struct envelope_rcpt *out)
{
	if (*at == 0)		/* the sender stands there */
		address_at(v, at, out);
	address_at(v, at, out);
}

void
envelope_untell(struct envelope *v)
{
	v->sent_cnt = 0;
	v->sent_at = 0;
}

void
envelope_untell_last(struct envelope *v)
{
	if (v->sent_cnt == 0)
		return;
	v->sent_cnt--;
	v->sent_at = v->last_at;
}
