/*
 * http_pass.c - what has been told is noted in the delivery, which may go to
 * another connection when the next hop closes this one before the text comes.
 */
#include "relay/hop/hop_address.h"
#include "relay/http/http_end.h"
#include "relay/http/http_mail.h"
#include "relay/http/http_pass.h"

static void
say(struct http_client *c, enum stage stage, uint32_t rcpt_no, uint16_t code,
    struct span text)
{
	struct verdict v = { .class = CLASS_DONE, .stage = stage,
	    .code = code, .text = text, .flags = RESULT_OWN };

	delivery_word(c->delivery, stage, rcpt_no, &v, SPAN(""));
}

static void
refuse_rcpt(struct http_client *c, uint32_t i, enum own own)
{
	struct verdict v = verdict_own(own, STAGE_RCPT);
	struct delivery *d = c->delivery;

	delivery_decide(d, i, delivery_outcome(d, &v, SPAN("")));
	if (i + 1 == d->told_cnt)
		delivery_word(d, STAGE_RCPT, d->rcpts[i].no, &v, SPAN(""));
}

/* Into the batch, if he fits there; who was told before is not told again. */
static void
take_rcpt(struct http_client *c, uint32_t i)
{
	struct delivery *d = c->delivery;
	bool is_new = i >= d->told_cnt;

	if (is_new)
		d->told_cnt = i + 1;
	if (d->rcpts[i].outcome != NULL)
		return;
	if (!hop_address_is_sound(d->rcpts[i].address)) {
		refuse_rcpt(c, i, OWN_recipient_no_address);
	} else if (c->batch_cnt == HTTP_CLIENT_PASSED) {
		refuse_rcpt(c, i, OWN_too_many);
	} else {
		c->batch[c->batch_cnt++] = i;
		if (is_new)
			say(c, STAGE_RCPT, d->rcpts[i].no, 250,
			    SPAN("2.1.5 Recipient ok"));
	}
}

static void
begin_text(struct http_client *c)
{
	struct delivery *d = c->delivery;

	if (!d->is_text_told)
		say(c, STAGE_DATA, 0, 354, SPAN("Start mail input"));
	d->is_text_told = true;
	http_mail_send(c);
}

void
http_pass_go_on(struct http_client *c)
{
	struct verdict gone = verdict_own(OWN_no_text, STAGE_RCPT);
	struct delivery *d = c->delivery;

	if (d->is_orphan) {
		http_mail_end(c, &gone);
		return;
	}
	while (c->seen_cnt < d->rcpt_have)
		take_rcpt(c, c->seen_cnt++);
	if (!d->is_over)
		return;
	if (c->batch_cnt == 0)
		http_mail_end(c, &gone);
	else
		begin_text(c);
}

void
http_pass_begin(struct http_client *c)
{
	struct delivery *d = c->delivery;
	struct verdict v;

	c->batch_cnt = 0;
	c->seen_cnt = 0;
	if (d->sender.len > 0 && !hop_address_is_sound(d->sender)) {
		v = verdict_own(OWN_sender_no_address, STAGE_MAIL);
		http_mail_end(c, &v);
		return;
	}
	if (d->body == BODY_BINARYMIME) {
		v = verdict_own(OWN_needs_binarymime, STAGE_MAIL);
		http_mail_end(c, &v);
		return;
	}
	c->at = HTTP_AT_PASSING;
	c->since_ms = ev_now_ms(c->loop);
	timer_stop(&c->timer);
	if (!d->is_granted)
		say(c, STAGE_MAIL, 0, 250, SPAN("2.1.0 Sender ok"));
	d->is_granted = true;
	http_pass_go_on(c);
}
