/*
 * smtp_batch.c - what the next hop cannot be told it is not told.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "mail/address.h"
#include "relay/hop/hop_address.h"
#include "relay/smtp/smtp_batch.h"
#include "relay/smtp/smtp_convert.h"

static bool
grow_batch(struct smtp_client *c)
{
	uint32_t *grown;

	if (c->batch_cnt < c->batch_cap)
		return true;
	grown = reallocarray(c->batch, c->batch_cap + 20, sizeof(*grown));
	if (grown == NULL)
		return false;
	c->batch = grown;
	c->batch_cap += 20;
	return true;
}

static bool
is_enveloped_in_utf8(const struct delivery *d)
{
	for (uint32_t i = 0; i < d->rcpt_cnt; i++)
		if (!utf8_is_ascii(d->rcpts[i].address))
			return true;
	return !utf8_is_ascii(d->sender);
}

/*
 * What comes back is known to nobody if its bounce is given up: a next hop that
 * offered SMTPUTF8 when the mail was taken may do so again (RFC 6531 3.2).
 */
static enum own
lacks_utf8(const struct delivery *d)
{
	return d->sender.len > 0 ? OWN_needs_smtputf8 :
	    OWN_bounce_needs_smtputf8;
}

/* Where not every host could be asked, nothing of this is for good. */
static struct verdict
lacks(const struct delivery *d, enum own own, enum stage stage)
{
	return verdict_own(d->is_half_asked ? OWN_others_unasked : own, stage);
}

bool
smtp_batch_is_void(const struct smtp_client *c, struct verdict *v)
{
	const struct delivery *d = c->delivery;

	if (d->sender.len == 0 || hop_address_is_sound(d->sender))
		return false;
	*v = verdict_own(OWN_sender_no_address, STAGE_MAIL);
	return true;
}

bool
smtp_batch_lacks(struct smtp_client *c, struct verdict *v)
{
	struct delivery *d = c->delivery;
	unsigned has = c->ehlo.has;
	enum own own;

	c->is_utf8 = has & EHLO_SMTPUTF8 &&
	    (d->flags & MAIL_SMTPUTF8 || is_enveloped_in_utf8(d));
	c->is_binary = d->body == BODY_BINARYMIME;
	if (!c->is_utf8 && address_needs_utf8(d->sender))
		own = OWN_needs_smtputf8;
	else if (c->is_binary && (~has & (EHLO_CHUNKING | EHLO_BINARYMIME)))
		own = OWN_needs_binarymime;
	else if (c->is_binary && smtp_convert_lacks_utf8(c))
		own = OWN_needs_smtputf8;
	else if (smtp_convert_is_refused(c))
		own = smtp_convert_lacks_utf8(c) ? lacks_utf8(d) :
		    OWN_needs_8bitmime;
	else if (has & EHLO_SIZE && c->ehlo.size != 0 &&
	    smtp_convert_size(c) > c->ehlo.size)
		own = OWN_too_large;
	else
		return false;
	*v = lacks(d, own, STAGE_MAIL);
	return true;
}

bool
smtp_batch_is_short(struct smtp_client *c)
{
	const struct delivery *d = c->delivery;
	struct verdict unused;

	if (smtp_batch_lacks(c, &unused))
		return true;
	for (uint32_t i = 0; !c->is_utf8 && i < d->rcpt_cnt; i++)
		if (hop_address_is_sound(d->rcpts[i].address) &&
		    address_needs_utf8(d->rcpts[i].address))
			return true;
	return false;
}

bool
smtp_batch_add(struct smtp_client *c, uint32_t i)
{
	if (!grow_batch(c))
		return false;
	c->batch[c->batch_cnt++] = i;
	return true;
}

const struct verdict *
smtp_batch_refuse(const struct smtp_client *c, struct span rcpt,
    struct verdict *v)
{
	if (!hop_address_is_sound(rcpt)) {
		*v = verdict_own(OWN_recipient_no_address, STAGE_RCPT);
		return v;
	}
	if (c->is_utf8 || !address_needs_utf8(rcpt))
		return NULL;
	*v = lacks(c->delivery, lacks_utf8(c->delivery), STAGE_RCPT);
	v->scope = SCOPE_RECIPIENT;
	return v;
}

void
smtp_batch_fill(struct smtp_client *c)
{
	struct delivery *d = c->delivery;
	const struct verdict *no;
	struct verdict v;

	c->batch_cnt = c->batch_pos = c->taken_cnt = 0;
	for (uint32_t i = 0; i < d->rcpt_cnt &&
	    c->batch_cnt < SMTP_CLIENT_RCPTS; i++) {
		if (d->rcpts[i].outcome != NULL)
			continue;
		no = smtp_batch_refuse(c, d->rcpts[i].address, &v);
		if (no != NULL)
			delivery_decide(d, i, delivery_outcome(d, no,
			    SPAN("")));
		else
			(void)smtp_batch_add(c, i);
	}
}
