/*
 * smtp_pass.c - what the next hop cannot is said at the command that asks for
 * it: nothing can be converted, for nothing of the text is here before DATA.
 *
 * Octets over 127 that nobody has announced pass as they are.
 *
 * A text that its client sends by BDAT goes on by BDAT where the next hop has
 * it.  What is not binary has been looked at, so it may go by DATA as well.
 */
#include "mail/address.h"
#include "relay/smtp/smtp_batch.h"
#include "relay/smtp/smtp_end.h"
#include "relay/smtp/smtp_pass.h"
#include "relay/smtp/smtp_say.h"
#include "relay/smtp/smtp_step.h"
#include "relay/smtp/smtp_text.h"

/* The end of it for all that are not decided. */
static void
end(struct smtp_client *c, const struct verdict *v)
{
	struct delivery *d = c->delivery;

	c->delivery = NULL;
	delivery_end(d, v, c->hop);
	smtp_step_enter(c, SMTP_IDLE);
}

static bool
wants_utf8(const struct delivery *d)
{
	return (d->params & PARAM_SMTPUTF8) != 0 ||
	    address_needs_utf8(d->sender);
}

static bool
lacks(const struct smtp_client *c, struct verdict *v)
{
	const struct delivery *d = c->delivery;
	unsigned has = c->ehlo.has;
	enum own own;

	if (!(has & EHLO_SMTPUTF8) && wants_utf8(d))
		own = OWN_needs_smtputf8;
	else if (d->body == BODY_BINARYMIME &&
	    (~has & (EHLO_CHUNKING | EHLO_BINARYMIME)) != 0)
		own = OWN_needs_binarymime;
	else if (d->body == BODY_8BITMIME &&
	    !(has & (EHLO_8BITMIME | EHLO_SMTPUTF8)) &&
	    c->target->eightbit != SMTP_8BIT_SEND)
		own = OWN_needs_8bitmime;
	else if (has & EHLO_SIZE && c->ehlo.size != 0 &&
	    d->size_hint > c->ehlo.size)
		own = OWN_too_large;
	else
		return false;
	*v = verdict_own(d->is_half_asked ? OWN_others_unasked : own,
	    STAGE_MAIL);
	return true;
}

/* Another next hop may have what this one lacks. */
static void
move_on(struct smtp_client *c)
{
	struct delivery *d = c->delivery;

	c->delivery = NULL;
	d->on_text = NULL;
	smtp_step_enter(c, SMTP_IDLE);
	d->on_unable(d, d->on_unable_arg);
}

void
smtp_pass_begin(struct smtp_client *c)
{
	const struct delivery *d = c->delivery;
	struct verdict v;

	c->is_refused = false;
	c->is_utf8 = c->ehlo.has & EHLO_SMTPUTF8 && wants_utf8(d);
	c->is_binary = d->body == BODY_BINARYMIME;
	c->is_chunked = false;
	c->ended_cnt = c->batch_cnt = c->batch_pos = c->taken_cnt = 0;
	c->undecided = 0;
	if (smtp_batch_is_void(c, &v))
		end(c, &v);
	else if (lacks(c, &v) && d->on_unable != NULL)
		move_on(c);
	else if (lacks(c, &v))
		end(c, &v);
	else
		smtp_step_enter(c, c->needs_rset ? SMTP_RSET : SMTP_MAIL);
}

void
smtp_pass_say_params(struct smtp_client *c)
{
	const struct delivery *d = c->delivery;

	if (c->ehlo.has & EHLO_SIZE && d->size_hint > 0)
		smtp_say(c, " SIZE=%llu",
		    (unsigned long long)d->size_hint);
	if (c->is_binary)
		smtp_say(c, " BODY=BINARYMIME");
	else if (d->body == BODY_8BITMIME && c->ehlo.has & EHLO_8BITMIME)
		smtp_say(c, " BODY=8BITMIME");
}

/* A recipient of whom the next hop need not hear. */
static bool
is_refused(struct smtp_client *c, uint32_t i)
{
	struct delivery *d = c->delivery;
	const struct verdict *no;
	struct verdict v;

	if ((no = smtp_batch_refuse(c, d->rcpts[i].address, &v)) == NULL)
		return false;
	delivery_decide(d, i, delivery_outcome(d, no, SPAN("")));
	delivery_word(d, STAGE_RCPT, d->rcpts[i].no, no, SPAN(""));
	return true;
}

/* The next recipient that can be said, or false. */
static bool
say_next(struct smtp_client *c)
{
	struct delivery *d = c->delivery;
	struct verdict v = verdict_own(OWN_no_memory, STAGE_RCPT);

	while (c->batch_cnt < d->rcpt_have) {
		if (!smtp_batch_add(c, c->batch_cnt)) {
			end(c, &v);
			return true;
		}
		if (!is_refused(c, c->batch_cnt - 1)) {
			smtp_step_enter(c, SMTP_RCPT);
			return true;
		}
		c->batch_pos++;
	}
	return false;
}

/* Nobody wants it any more, and it has not come to its text. */
static void
leave(struct smtp_client *c)
{
	struct verdict v = verdict_own(OWN_no_text, STAGE_RCPT);

	c->mail_cnt++;
	end(c, &v);
}

/* Nobody need be asked for a 354, so ours is told. */
static void
begin_chunks(struct smtp_client *c)
{
	struct verdict yes = { .class = CLASS_DONE, .stage = STAGE_DATA,
	    .code = 354 };

	delivery_word(c->delivery, STAGE_DATA, 0, &yes, c->hop);
	c->is_chunked = true;
	c->text_begun = c->chunk_ended = false;
	smtp_step_enter(c, SMTP_TEXT);
}

void
smtp_pass_go_on(struct smtp_client *c)
{
	struct delivery *d = c->delivery;

	if (d->is_orphan)
		leave(c);
	else if (!say_next(c) && d->is_over) {
		if (c->taken_cnt == 0)
			leave(c);
		else if (c->is_binary || (d->is_chunked &&
		    (c->ehlo.has & EHLO_CHUNKING) != 0))
			begin_chunks(c);
		else
			smtp_step_enter(c, SMTP_DATA);
	}
}

void
smtp_pass_hear_mail(struct smtp_client *c, const struct verdict *v)
{
	if (v->class != CLASS_DONE) {
		c->mail_cnt++;
		end(c, v);
		return;
	}
	c->needs_rset = true;
	delivery_word(c->delivery, STAGE_MAIL, 0, v, c->hop);
	smtp_step_enter(c, SMTP_PASS);
}

void
smtp_pass_hear_rcpt(struct smtp_client *c, const struct verdict *v)
{
	struct delivery *d = c->delivery;
	uint32_t i = c->batch[c->batch_pos++];

	if (v->class == CLASS_DONE)
		c->batch[c->taken_cnt++] = i;
	else
		delivery_decide(d, i, delivery_outcome(d, v, c->hop));
	delivery_word(d, STAGE_RCPT, d->rcpts[i].no, v, c->hop);
	smtp_step_enter(c, SMTP_PASS);
}

void
smtp_pass_hear_data(struct smtp_client *c, const struct verdict *v)
{
	if (v->code == 354) {
		delivery_word(c->delivery, STAGE_DATA, 0, v, c->hop);
		smtp_step_enter(c, SMTP_TEXT);
	} else if (v->code < 400) {
		smtp_end_protest(c, v);
	} else {
		c->mail_cnt++;
		end(c, v);
	}
}

/* Between two chunks all stays as it is. */
void
smtp_pass_say_chunks(struct smtp_client *c)
{
	if (c->text_begun)
		return;
	smtp_text_begin(c);
	c->text_begun = true;
}

/* RFC 3030 2: after a no the rest must not come, and RSET must. */
void
smtp_pass_hear_chunk(struct smtp_client *c, const struct verdict *v)
{
	if (v->code / 100 == 2) {
		smtp_step_enter(c, SMTP_TEXT);
	} else if (v->code < 400) {
		smtp_end_protest(c, v);
	} else {
		c->mail_cnt++;
		end(c, v);
	}
}
