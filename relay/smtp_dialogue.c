/*
 * smtp_dialogue.c - one row a step: what it says, how long it waits, and who
 * hears the reply.
 *
 * With PIPELINING the commands of a transaction are said in one go, and the
 * steps only wait for their replies, in order (RFC 2920 3.1).  A next hop that
 * takes DATA although we have nobody left to deliver to gets a lone dot, which
 * ends the transaction without a message, for none of its recipients stands.
 */
#include <string.h>

#include "relay/smtp_batch.h"
#include "relay/smtp_dialogue.h"
#include "relay/smtp_text.h"

#define QUIT_MS		5000	/* patience for the reply to QUIT */

typedef void say_fn(struct smtp_client *);
typedef void hear_fn(struct smtp_client *, const struct verdict *);

enum patience { PATIENCE_NONE, PATIENCE_COMMAND, PATIENCE_DATA, PATIENCE_QUIT };

static bool
is_pipelined(const struct smtp_client *c)
{
	return (c->ehlo.has & EHLO_PIPELINING) != 0;
}

/* Said. */

static void
say_ehlo(struct smtp_client *c)
{
	smtp_client_say(c, "EHLO %.*s\r\n", (int)c->target->ehlo_as.len,
	    c->target->ehlo_as.ptr);
}

static void
say_helo(struct smtp_client *c)
{
	smtp_client_say(c, "HELO %.*s\r\n", (int)c->target->ehlo_as.len,
	    c->target->ehlo_as.ptr);
}

static void
say_rset(struct smtp_client *c)
{
	smtp_client_say(c, "RSET\r\n");
}

static void
say_mail(struct smtp_client *c)
{
	const struct delivery *d = c->delivery;

	smtp_client_say(c, "MAIL FROM:<%.*s>", (int)d->sender.len,
	    d->sender.len > 0 ? d->sender.ptr : "");
	if (c->ehlo.has & EHLO_SIZE)
		smtp_client_say(c, " SIZE=%llu",
		    (unsigned long long)delivery_size(d));
	if (d->flags & MAIL_8BIT && c->ehlo.has & EHLO_8BITMIME)
		smtp_client_say(c, " BODY=8BITMIME");
	if (d->flags & MAIL_SMTPUTF8)
		smtp_client_say(c, " SMTPUTF8");
	smtp_client_say(c, "\r\n");
}

static void
say_rcpt_no(struct smtp_client *c, unsigned no)
{
	struct span a = c->delivery->rcpts[c->batch[no]].address;

	smtp_client_say(c, "RCPT TO:<%.*s>\r\n", (int)a.len, a.ptr);
}

static void
say_rcpt(struct smtp_client *c)
{
	say_rcpt_no(c, c->batch_pos);
}

static void
say_data(struct smtp_client *c)
{
	smtp_client_say(c, "DATA\r\n");
}

static void
say_text(struct smtp_client *c)
{
	smtp_text_begin(c);
}

static void
say_quit(struct smtp_client *c)
{
	smtp_client_say(c, "QUIT\r\n");
}

/* Decided. */

static void
decide_all(struct smtp_client *c, const struct verdict *v)
{
	const struct outcome *o = delivery_outcome(c->delivery, v, c->hop);

	for (uint32_t i = 0; i < c->delivery->rcpt_cnt; i++)
		delivery_decide(c->delivery, i, o);
}

static void
decide_taken(struct smtp_client *c, const struct verdict *v)
{
	const struct outcome *o = delivery_outcome(c->delivery, v, c->hop);

	for (unsigned i = 0; i < c->taken_cnt; i++)
		delivery_decide(c->delivery, c->batch[i], o);
}

static void
end_delivery(struct smtp_client *c)
{
	struct delivery *d = c->delivery;

	c->delivery = NULL;
	delivery_finish(d);
	smtp_dialogue_enter(c, SMTP_IDLE);
}

static void
end_transaction(struct smtp_client *c)
{
	struct delivery *d = c->delivery;
	struct verdict ours = verdict_own(CLASS_LATER, SCOPE_OURS, STAGE_BODY,
	    451, "4.3.0 The text of the message is not at hand");

	c->mail_cnt++;
	if (d->undecided > 0 && d->undecided < c->undecided &&
	    delivery_can_go_on(d)) {
		delivery_rewind(d);
		smtp_dialogue_begin(c);
		return;
	}
	if (d->undecided > 0)
		decide_all(c, &ours);
	end_delivery(c);
}

/* Heard. */

static void
protest(struct smtp_client *c, const struct verdict *v)
{
	struct verdict w = verdict_broken(v->stage, 451,
	    "4.5.0 The next hop's reply does not fit");

	smtp_client_fail(c, &w);
}

static void
hear_greeting(struct smtp_client *c, const struct verdict *v)
{
	if (v->code == 220)
		smtp_dialogue_enter(c, SMTP_EHLO);
	else if (v->code >= 400)
		smtp_client_fail(c, v);
	else
		protest(c, v);
}

static void
become_ready(struct smtp_client *c)
{
	c->was_ready = true;
	smtp_dialogue_enter(c, SMTP_IDLE);
}

static void
hear_ehlo(struct smtp_client *c, const struct verdict *v)
{
	if (v->code == 250) {
		become_ready(c);
	} else if (v->code >= 500) {
		memset(&c->ehlo, 0, sizeof(c->ehlo));
		smtp_dialogue_enter(c, SMTP_HELO);
	} else if (v->code >= 400) {
		smtp_client_fail(c, v);
	} else {
		protest(c, v);
	}
}

static void
hear_helo(struct smtp_client *c, const struct verdict *v)
{
	if (v->code == 250)
		become_ready(c);
	else if (v->code >= 400)
		smtp_client_fail(c, v);
	else
		protest(c, v);
}

static void
hear_rset(struct smtp_client *c, const struct verdict *v)
{
	if (v->class != CLASS_DONE) {
		protest(c, v);
		return;
	}
	c->needs_rset = false;
	smtp_dialogue_enter(c, SMTP_MAIL);
}

static void
hear_mail(struct smtp_client *c, const struct verdict *v)
{
	if (v->class == CLASS_DONE) {
		c->needs_rset = true;
	} else {
		decide_all(c, v);
		c->is_refused = true;
		if (!is_pipelined(c)) {
			end_transaction(c);
			return;
		}
	}
	smtp_dialogue_enter(c, SMTP_RCPT);
}

/*
 * Too many recipients for one transaction, RFC 5321 4.5.3.1.10: this one waits
 * for the next, which begins as soon as those already taken are through.
 */
static bool
is_over_limit(const struct smtp_client *c, const struct verdict *v)
{
	return v->code == 452 && c->taken_cnt > 0 &&
	    (span_begins(v->text, SPAN("4.5.3")) ||
	    !span_begins(v->text, SPAN("4.")));
}

static void
hear_rcpt(struct smtp_client *c, const struct verdict *v)
{
	uint32_t i = c->batch[c->batch_pos++];

	if (v->class == CLASS_DONE)
		c->batch[c->taken_cnt++] = i;
	else if (!is_over_limit(c, v))
		delivery_decide(c->delivery, i,
		    delivery_outcome(c->delivery, v, c->hop));
	if (c->batch_pos < c->batch_cnt)
		smtp_dialogue_enter(c, SMTP_RCPT);
	else if (c->taken_cnt > 0 || is_pipelined(c))
		smtp_dialogue_enter(c, SMTP_DATA);
	else
		end_transaction(c);
}

static void
hear_data(struct smtp_client *c, const struct verdict *v)
{
	if (v->code == 354 && c->is_refused && c->taken_cnt > 0) {
		protest(c, v);
	} else if (v->code == 354 && c->taken_cnt == 0) {
		smtp_client_say(c, ".\r\n");
		smtp_dialogue_enter(c, SMTP_END);
	} else if (v->code == 354) {
		smtp_dialogue_enter(c, SMTP_TEXT);
	} else if (v->code < 400) {
		protest(c, v);
	} else {
		if (c->taken_cnt > 0)
			decide_all(c, v);
		end_transaction(c);
	}
}

/* An answer before the end of the text can only be a refusal. */
static void
hear_early(struct smtp_client *c, const struct verdict *v)
{
	if (v->code < 400)
		protest(c, v);
	else
		smtp_client_fail(c, v);
}

static void
hear_end(struct smtp_client *c, const struct verdict *v)
{
	c->needs_rset = false;
	if (c->taken_cnt > 0 && v->class == CLASS_DONE)
		decide_taken(c, v);
	else if (c->taken_cnt > 0)
		decide_all(c, v);
	end_transaction(c);
}

static void
hear_nothing(struct smtp_client *c, const struct verdict *v)
{
	smtp_client_close(c);
}

static const struct row {
	const char	*word;
	enum stage	 stage;
	enum patience	 patience;
	bool		 is_ahead;	/* said with MAIL when pipelined */
	say_fn		*say;
	hear_fn		*hear;
} rows[SMTP__COUNT] = {
	[SMTP_DIALING]	= { "dialing", STAGE_CONNECT, PATIENCE_NONE, false,
	    NULL, hear_nothing },
	[SMTP_GREETING]	= { "greeting", STAGE_GREETING, PATIENCE_COMMAND, false,
	    NULL, hear_greeting },
	[SMTP_EHLO]	= { "ehlo", STAGE_EHLO, PATIENCE_COMMAND, false,
	    say_ehlo, hear_ehlo },
	[SMTP_HELO]	= { "helo", STAGE_EHLO, PATIENCE_COMMAND, false,
	    say_helo, hear_helo },
	[SMTP_IDLE]	= { "idle", STAGE_MAIL, PATIENCE_NONE, false,
	    NULL, hear_nothing },
	[SMTP_RSET]	= { "rset", STAGE_MAIL, PATIENCE_COMMAND, false,
	    say_rset, hear_rset },
	[SMTP_MAIL]	= { "mail", STAGE_MAIL, PATIENCE_COMMAND, true,
	    say_mail, hear_mail },
	[SMTP_RCPT]	= { "rcpt", STAGE_RCPT, PATIENCE_COMMAND, true,
	    say_rcpt, hear_rcpt },
	[SMTP_DATA]	= { "data", STAGE_DATA, PATIENCE_COMMAND, true,
	    say_data, hear_data },
	[SMTP_TEXT]	= { "text", STAGE_BODY, PATIENCE_DATA, false,
	    say_text, hear_early },
	[SMTP_END]	= { "end", STAGE_BODY, PATIENCE_DATA, false,
	    NULL, hear_end },
	[SMTP_QUIT]	= { "quit", STAGE_MAIL, PATIENCE_QUIT, false,
	    say_quit, hear_nothing },
	[SMTP_CLOSED]	= { "closed", STAGE_CONNECT, PATIENCE_NONE, false,
	    NULL, hear_nothing },
};

static void
wait_for(struct smtp_client *c, enum patience p)
{
	if (p == PATIENCE_NONE)
		timer_stop(&c->timer);
	else
		timer_set(&c->timer, p == PATIENCE_COMMAND ?
		    c->target->command_ms : p == PATIENCE_DATA ?
		    c->target->data_ms : QUIT_MS);
}

void
smtp_dialogue_enter(struct smtp_client *c, enum smtp_step step)
{
	const struct row *r = &rows[step];

	c->step = step;
	if (r->say != NULL && !(r->is_ahead && is_pipelined(c)))
		r->say(c);
	if (c->step == step)
		wait_for(c, r->patience);
}

/*
 * 421 ends the connection wherever it comes; on one that had been used before
 * and idled, it is the next hop's way of saying that we come too late.
 */
void
smtp_dialogue_reply(struct smtp_client *c, uint16_t code)
{
	const struct row *r = &rows[c->step];
	struct verdict v = verdict_reply(r->stage, code,
	    verdict_span(&c->text));

	if (code == 421 && c->step != SMTP_IDLE && c->step != SMTP_QUIT) {
		if (!c->was_ready)
			v.scope = SCOPE_DESTINATION;
		smtp_client_fail(c, &v);
		return;
	}
	if (code < 400 && code / 100 != 2 && c->step != SMTP_DATA) {
		protest(c, &v);
		return;
	}
	c->heard = true;
	r->hear(c, &v);
}

void
smtp_dialogue_note(struct smtp_client *c, const struct reply *r)
{
	if (c->step == SMTP_EHLO)
		reply_ehlo(r->text, &c->ehlo);
}

void
smtp_dialogue_begin(struct smtp_client *c)
{
	enum smtp_step first = c->needs_rset ? SMTP_RSET : SMTP_MAIL;
	struct verdict v;

	c->is_refused = false;
	c->undecided = c->delivery->undecided;
	c->batch_cnt = 0;
	if (smtp_batch_lacks(c, &v))
		decide_all(c, &v);
	else
		smtp_batch_fill(c);
	if (c->batch_cnt == 0) {
		end_delivery(c);
		return;
	}
	smtp_dialogue_enter(c, first);
	if (!is_pipelined(c))
		return;
	say_mail(c);
	for (unsigned i = 0; i < c->batch_cnt; i++)
		say_rcpt_no(c, i);
	say_data(c);
}

enum stage
smtp_dialogue_stage(const struct smtp_client *c)
{
	return rows[c->step].stage;
}

const char *
smtp_dialogue_word(enum smtp_step step)
{
	return rows[step].word;
}
