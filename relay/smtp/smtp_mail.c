/*
 * smtp_mail.c - with PIPELINING the commands of a transaction are said in one
 * go, and the steps only wait for their replies, in order (RFC 2920 3.1).
 *
 * A next hop that takes DATA although we have nobody left to deliver to gets a
 * lone dot, which ends the transaction without a message, for none of its
 * recipients stands.  LMTP forbids it to take that (RFC 2033 4.2), and answers
 * the end of the text once for each recipient it took: those answered are
 * decided, whatever becomes of the others.
 *
 * DATA is what every next hop knows.  BDAT is said for a message that is
 * binary, which may not go by DATA, and where the block wants it (chunking) for
 * all that is not converted: the length of what is stands at its front.  It
 * waits for the replies to all recipients, or the text would go to who refuses
 * them.
 *
 * A reply to DATA or to the text is about its transaction (RFC 5321 3.3), so it
 * decides those it was for, and the next are tried.  Only when two in a row are
 * refused with one code is it believed of the message, and decides all: ten
 * thousand recipients would else cost a text that is spam a hundred
 * transactions.
 */
#include "mail/address_say.h"
#include "relay/smtp/smtp_batch.h"
#include "relay/smtp/smtp_convert.h"
#include "relay/smtp/smtp_dsn.h"
#include "relay/smtp/smtp_end.h"
#include "relay/smtp/smtp_mail.h"
#include "relay/smtp/smtp_pass.h"
#include "relay/smtp/smtp_say.h"
#include "relay/smtp/smtp_step.h"
#include "relay/smtp/smtp_text.h"

/* Said. */

void
smtp_mail_say_rset(struct smtp_client *c)
{
	smtp_say(c, "RSET\r\n");
}

/* Of what the text is, where it is known. */
static void
say_params(struct smtp_client *c)
{
	const struct delivery *d = c->delivery;

	if (c->ehlo.has & EHLO_SIZE && d->is_measured)
		smtp_say(c, " SIZE=%llu",
		    (unsigned long long)smtp_convert_size(c));
	if (c->is_binary)
		smtp_say(c, " BODY=BINARYMIME");
	else if (d->flags & MAIL_8BIT && c->ehlo.has & EHLO_8BITMIME)
		smtp_say(c, " BODY=8BITMIME");
}

void
smtp_mail_say_mail(struct smtp_client *c)
{
	const struct delivery *d = c->delivery;
	char buf[ADDRESS_KEY_MAX];
	struct span sender = address_say(d->sender, c->is_utf8, buf);

	smtp_say(c, "MAIL FROM:<%.*s>", (int)sender.len,
	    sender.len > 0 ? sender.ptr : "");
	if (d->is_passing)
		smtp_pass_say_params(c);
	else
		say_params(c);
	if (c->is_utf8)
		smtp_say(c, " SMTPUTF8");
	if (c->ehlo.has & EHLO_DSN)
		smtp_dsn_say_mail(c);
	smtp_say(c, "\r\n");
}

static void
say_rcpt_no(struct smtp_client *c, unsigned no)
{
	const struct delivery_rcpt *r = &c->delivery->rcpts[c->batch[no]];
	char buf[ADDRESS_KEY_MAX];
	struct span rcpt = address_say(r->address, c->is_utf8, buf);

	smtp_say(c, "RCPT TO:<%.*s>", (int)rcpt.len, rcpt.ptr);
	if (c->ehlo.has & EHLO_DSN)
		smtp_dsn_say_rcpt(c, r);
	smtp_say(c, "\r\n");
}

void
smtp_mail_say_rcpt(struct smtp_client *c)
{
	say_rcpt_no(c, c->batch_pos);
}

void
smtp_mail_say_data(struct smtp_client *c)
{
	smtp_say(c, "DATA\r\n");
}

void
smtp_mail_say_text(struct smtp_client *c)
{
	if (c->is_chunked) {
		smtp_pass_say_chunks(c);
		return;
	}
	if (c->is_counted)
		smtp_say(c, "BDAT %llu LAST\r\n",
		    (unsigned long long)delivery_size(c->delivery));
	smtp_text_begin(c);
}

/* Decided. */

static const struct outcome *
outcome_of(struct smtp_client *c, const struct verdict *v)
{
	struct verdict w = *v;

	w.tls = span_of(c->tls_words);
	return delivery_outcome(c->delivery, &w, c->hop);
}

static void
decide_all(struct smtp_client *c, const struct verdict *v)
{
	const struct outcome *o = outcome_of(c, v);

	for (uint32_t i = 0; i < c->delivery->rcpt_cnt; i++)
		delivery_decide(c->delivery, i, o);
}

static void
decide_taken(struct smtp_client *c, const struct verdict *v)
{
	struct verdict w = smtp_dsn_verdict(c, v);
	const struct outcome *o = outcome_of(c, &w);

	for (unsigned i = 0; i < c->taken_cnt; i++)
		delivery_decide(c->delivery, c->batch[i], o);
}

/* A transaction is refused whole: its own, or all when that is the second. */
static void
refuse(struct smtp_client *c, const struct verdict *v)
{
	if (c->refused_code == v->code)
		decide_all(c, v);
	else
		decide_taken(c, v);
	c->refused_code = v->code;
}

static void
end_delivery(struct smtp_client *c)
{
	struct delivery *d = c->delivery;

	smtp_convert_forget(c);
	c->delivery = NULL;
	delivery_finish(d);
	smtp_step_enter(c, SMTP_IDLE);
}

static void
end_transaction(struct smtp_client *c)
{
	struct delivery *d = c->delivery;
	struct verdict ours = verdict_own(OWN_no_text, STAGE_BODY);

	c->mail_cnt++;
	if (d->undecided > 0 && d->undecided < c->undecided &&
	    delivery_can_go_on(d)) {
		delivery_rewind(d);
		smtp_mail_begin(c);
		return;
	}
	if (d->undecided > 0)
		decide_all(c, &ours);
	end_delivery(c);
}

/* Heard. */

void
smtp_mail_hear_rset(struct smtp_client *c, const struct verdict *v)
{
	if (v->class != CLASS_DONE) {
		smtp_end_protest(c, v);
		return;
	}
	c->needs_rset = false;
	smtp_step_enter(c, SMTP_MAIL);
}

/*
 * MAIL names the sender and the size, which are the same in each transaction:
 * a refusal is about all recipients.  But where one was granted before, it can
 * only be about their number, so it is not for good whatever it says.
 */
void
smtp_mail_hear_mail(struct smtp_client *c, const struct verdict *v)
{
	struct verdict w = *v;

	if (c->delivery->is_passing) {
		smtp_pass_hear_mail(c, v);
		return;
	}
	if (v->class == CLASS_DONE) {
		c->needs_rset = true;
		c->was_granted = true;
	} else {
		if (c->was_granted)
			w.class = CLASS_LATER;
		decide_all(c, &w);
		c->is_refused = true;
		if (!smtp_step_is_pipelined(c)) {
			end_transaction(c);
			return;
		}
	}
	smtp_step_enter(c, SMTP_RCPT);
}

/*
 * Too many recipients for one transaction, RFC 5321 4.5.3.1.10: this one waits
 * for the next, which begins as soon as those already taken are through.  That
 * RFC's ancestor had 552 for it.
 */
static bool
is_over_limit(const struct smtp_client *c, const struct verdict *v)
{
	if (c->taken_cnt == 0 || (v->code != 452 && v->code != 552))
		return false;
	return span_begins(v->text, SPAN("4.5.3")) ||
	    span_begins(v->text, SPAN("5.5.3")) ||
	    (!span_begins(v->text, SPAN("4.")) &&
	    !span_begins(v->text, SPAN("5.")));
}

/* All of a text is one chunk, said when somebody is there to get it. */
static void
begin_chunk(struct smtp_client *c, const struct verdict *v)
{
	if (c->taken_cnt == 0)
		end_transaction(c);
	else if (c->is_refused)
		smtp_end_protest(c, v);	/* no sender, yet it takes */
	else
		smtp_step_enter(c, SMTP_TEXT);
}

void
smtp_mail_hear_rcpt(struct smtp_client *c, const struct verdict *v)
{
	uint32_t i;

	if (c->delivery->is_passing) {
		smtp_pass_hear_rcpt(c, v);
		return;
	}
	i = c->batch[c->batch_pos++];
	if (v->class == CLASS_DONE)
		c->batch[c->taken_cnt++] = i;
	else if (!is_over_limit(c, v))
		delivery_decide(c->delivery, i, outcome_of(c, v));
	if (c->batch_pos < c->batch_cnt)
		smtp_step_enter(c, SMTP_RCPT);
	else if (c->is_counted)
		begin_chunk(c, v);
	else if (c->taken_cnt > 0 || smtp_step_is_pipelined(c))
		smtp_step_enter(c, SMTP_DATA);
	else
		end_transaction(c);
}

void
smtp_mail_hear_data(struct smtp_client *c, const struct verdict *v)
{
	if (c->delivery->is_passing) {
		smtp_pass_hear_data(c, v);
	} else if (v->code == 354 && c->is_refused && c->taken_cnt > 0) {
		smtp_end_protest(c, v);	/* no sender, yet it takes */
	} else if (v->code == 354 && c->taken_cnt == 0 &&
	    !c->target->is_lmtp) {
		smtp_say(c, ".\r\n");
		smtp_step_enter(c, SMTP_END);
	} else if (v->code == 354 && c->taken_cnt > 0) {
		smtp_step_enter(c, SMTP_TEXT);
	} else if (v->code < 400) {
		smtp_end_protest(c, v);
	} else {
		if (c->taken_cnt > 0)
			refuse(c, v);
		end_transaction(c);
	}
}

/*
 * An answer before the end of the text can only be a refusal; of everybody who
 * was taken, which in LMTP it cannot be.  What follows it on this connection
 * nobody can tell, and the text cannot begin anew in its middle: whom it does
 * not concern waits for the next attempt.
 */
void
smtp_mail_hear_early(struct smtp_client *c, const struct verdict *v)
{
	struct verdict rest = verdict_own(OWN_broken_off, STAGE_BODY);

	if (v->code < 400 || c->target->is_lmtp) {
		smtp_end_protest(c, v);
		return;
	}
	refuse(c, v);
	smtp_end_fail(c, c->delivery->undecided > 0 ? &rest : v);
}

/* RFC 2033 4.2: in the order of those that were taken. */
static void
hear_end_of_one(struct smtp_client *c, const struct verdict *v)
{
	uint32_t i = c->batch[c->ended_cnt++];
	struct verdict w = smtp_dsn_verdict(c, v);

	if (w.scope == SCOPE_MESSAGE)
		w.scope = SCOPE_RECIPIENT;
	delivery_decide(c->delivery, i, outcome_of(c, &w));
	if (c->ended_cnt < c->taken_cnt)
		smtp_step_enter(c, SMTP_END);
	else
		end_transaction(c);
}

void
smtp_mail_hear_end(struct smtp_client *c, const struct verdict *v)
{
	if (c->ended_cnt == 0)
		c->needs_rset = false;
	if ((c->is_counted || c->is_chunked) && v->class != CLASS_DONE)
		c->needs_rset = true;	/* RFC 3030 2 */
	if (c->target->is_lmtp) {
		hear_end_of_one(c, v);
		return;
	}
	if (c->taken_cnt > 0 && v->class != CLASS_DONE) {
		refuse(c, v);
	} else if (c->taken_cnt > 0) {
		c->refused_code = 0;
		decide_taken(c, v);
	}
	end_transaction(c);
}

static void
begin(struct smtp_client *c)
{
	enum smtp_step first = c->needs_rset ? SMTP_RSET : SMTP_MAIL;

	c->is_counted = c->is_binary || (c->target->may_chunk &&
	    c->ehlo.has & EHLO_CHUNKING && !smtp_convert_is_on(c));
	smtp_batch_fill(c);
	if (c->batch_cnt == 0) {
		end_delivery(c);
		return;
	}
	smtp_step_enter(c, first);
	if (!smtp_step_is_pipelined(c))
		return;
	smtp_mail_say_mail(c);
	for (unsigned i = 0; i < c->batch_cnt; i++)
		say_rcpt_no(c, i);
	if (!c->is_counted)
		smtp_mail_say_data(c);
}

/* Another next hop may have what this one lacks. */
static void
move_on(struct smtp_client *c)
{
	struct delivery *d = c->delivery;

	smtp_convert_forget(c);
	c->delivery = NULL;
	d->on_text = NULL;
	smtp_step_enter(c, SMTP_IDLE);
	d->on_unable(d, d->on_unable_arg);
}

/* Is it over before anything is said? */
static bool
is_over(struct smtp_client *c)
{
	struct delivery *d = c->delivery;
	bool may_move = d->on_unable != NULL && d->undecided == d->rcpt_cnt;
	struct verdict v;

	if (smtp_batch_is_void(c, &v)) {
		decide_all(c, &v);
		end_delivery(c);
	} else if (may_move && smtp_batch_is_short(c)) {
		move_on(c);
	} else if (smtp_batch_lacks(c, &v)) {
		decide_all(c, &v);
		end_delivery(c);
	} else {
		return false;
	}
	return true;
}

void
smtp_mail_begin(struct smtp_client *c)
{
	c->is_refused = c->is_chunked = c->is_counted = false;
	c->ended_cnt = 0;
	c->undecided = c->delivery->undecided;
	c->batch_cnt = 0;
	if (c->delivery->is_passing) {
		smtp_pass_begin(c);
		return;
	}
	if (is_over(c))
		return;
	if (smtp_convert_is_due(c)) {
		smtp_step_enter(c, SMTP_PLAN);
	} else {
		begin(c);
	}
}

/* The next hop has heard nothing of it yet, so nothing is its fault. */
void
smtp_mail_plan(struct smtp_client *c)
{
	enum err e = smtp_convert_plan(c);
	struct verdict v;

	if (e == ERR_AGAIN) {
		smtp_step_wait(c);
		return;
	}
	if (e == OK) {
		if (!is_over(c))
			begin(c);
		return;
	}
	v = verdict_own(e == ERR_PEER ? OWN_bare_line_end :
	    e == ERR_SYS ? OWN_no_memory : OWN_no_text, STAGE_MAIL);
	decide_all(c, &v);
	end_delivery(c);
}
