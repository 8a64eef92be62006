/*
 * smtp_turn.c - writing, reading and the clock, and what follows from them.
 */
#include <string.h>

#include "relay/hop/slow.h"
#include "relay/smtp/smtp_end.h"
#include "relay/smtp/smtp_greet.h"
#include "relay/smtp/smtp_mail.h"
#include "relay/smtp/smtp_pass.h"
#include "relay/smtp/smtp_reply.h"
#include "relay/smtp/smtp_step.h"
#include "relay/smtp/smtp_text.h"
#include "relay/smtp/smtp_turn.h"
#include "sys/clock.h"

void
smtp_turn_break_off(struct smtp_client *c, enum own own)
{
	struct verdict v = verdict_own(own, smtp_step_stage(c));
	char why[TLS_WHY_MAX];

	if (c->step == SMTP_IDLE || c->step == SMTP_QUIT) {
		smtp_end_close(c);
	} else if (smtp_greet_is_refused(c)) {
		(void)strlcpy(why, tls_why(c->channel.tls), sizeof(why));
		smtp_greet_fail_tls(c, why);
	} else if (c->step == SMTP_STARTTLS || c->step == SMTP_SECURING) {
		smtp_greet_fail_tls(c, v.text.ptr);
	} else {
		smtp_end_fail(c, &v);
	}
}

/* Writing. */

/*
 * The socket takes no more: what did the next hop say before it closed?  If
 * nothing, that it closed is all there is to say.
 */
static void
write_failed(struct smtp_client *c)
{
	enum err e = smtp_reply_read(c);

	if (!channel_is_open(&c->channel))
		return;			/* it said why, and that was that */
	if (e == ERR_PEER)
		smtp_turn_break_off(c, OWN_not_smtp);
	else
		smtp_turn_break_off(c, OWN_lost);
}

static bool
write_commands(struct smtp_client *c)
{
	struct iovec all;
	size_t n;
	enum err e;

	if (c->out_pos == c->out_len)
		return true;
	all = (struct iovec){ c->out + c->out_pos, c->out_len - c->out_pos };
	if ((e = channel_write(&c->channel, &all, 1, &n)) != OK) {
		if (e != ERR_AGAIN)
			write_failed(c);
		return false;
	}
	c->out_pos += n;
	if (c->out_pos < c->out_len)
		return false;
	c->out_pos = c->out_len = 0;
	return true;
}

static void
move_on(struct smtp_client *c, size_t written)
{
	while (c->iov_pos < c->iov_cnt &&
	    written >= c->iov[c->iov_pos].iov_len)
		written -= c->iov[c->iov_pos++].iov_len;
	if (written > 0) {
		struct iovec *v = &c->iov[c->iov_pos];

		v->iov_base = (char *)v->iov_base + written;
		v->iov_len -= written;
	}
}

/* True when the runs are all out. */
static bool
write_runs(struct smtp_client *c)
{
	unsigned cnt = c->iov_cnt - c->iov_pos;
	size_t n;
	enum err e;

	if (cnt == 0)
		return true;
	e = channel_write(&c->channel, c->iov + c->iov_pos, cnt, &n);
	if (e != OK) {
		if (e != ERR_AGAIN)
			write_failed(c);
		return false;
	}
	smtp_step_wait(c);
	move_on(c, n);
	return c->iov_pos == c->iov_cnt;
}

/* The text cannot be had, or must not be sent: break off within it. */
static void
stop_text(struct smtp_client *c, enum err e)
{
	struct verdict v = verdict_own(e == ERR_PEER ? OWN_bare_line_end :
	    e == ERR_SYS ? OWN_no_memory : OWN_no_text, STAGE_BODY);

	smtp_end_fail(c, &v);
}

/*
 * The queue may have lost this delivery to another by now: it must not be
 * completed.  To break off is safe as long as the end is not all written.
 */
static bool
must_not_end(const struct smtp_client *c)
{
	return c->text_ended && c->iov_pos < c->iov_cnt &&
	    c->delivery->deadline_ms != (int64_t)BUS_NO_DEADLINE &&
	    clock_mono_ms() >= c->delivery->deadline_ms;
}

static void
write_text(struct smtp_client *c)
{
	struct verdict v;
	enum err e;

	while (c->step == SMTP_TEXT) {
		if (must_not_end(c)) {
			v = verdict_own(OWN_not_ours, STAGE_BODY);
			smtp_end_fail(c, &v);
			return;
		}
		if (!write_runs(c))
			return;
		if (smtp_text_is_chunk(c)) {
			smtp_step_enter(c, SMTP_CHUNK);
			return;
		}
		e = smtp_text_fill(c);
		if (e == ERR_AGAIN)
			return;
		if (e == ERR_NONE)
			smtp_step_enter(c, SMTP_END);
		else if (e != OK)
			stop_text(c, e);
	}
}

/* Reading, and what follows from it. */

static void
read_replies(struct smtp_client *c)
{
	enum err e = smtp_reply_read(c);

	if (e == ERR_PEER)
		smtp_turn_break_off(c, OWN_not_smtp);
	else if (e != OK)
		smtp_turn_break_off(c, OWN_lost);
}

/* Half a line that answers nothing is as bad as a whole one. */
static void
offer(struct smtp_client *c)
{
	if (c->in_len > 0 || c->in_reply)
		smtp_end_close(c);
	else if (c->mail_cnt >= SMTP_CLIENT_MAILS)
		smtp_step_enter(c, SMTP_QUIT);
	else
		c->calls->ready(c->arg);
}

static bool
has_to_write(const struct smtp_client *c)
{
	return c->out_pos < c->out_len ||
	    (c->step == SMTP_TEXT && c->iov_pos < c->iov_cnt);
}

void
smtp_turn_take(struct smtp_client *c, unsigned what)
{
	enum smtp_step before = c->step;

	c->in_turn = true;
	if (c->step != SMTP_SECURING &&
	    channel_may_read(&c->channel, what))
		read_replies(c);
	if (c->step == SMTP_SECURING)
		smtp_greet_shake(c);
	if (c->step == SMTP_PLAN)
		smtp_mail_plan(c);
	if (c->step == SMTP_PASS)
		smtp_pass_go_on(c);
	if (c->step == SMTP_IDLE && before != SMTP_IDLE)
		offer(c);
	if (channel_is_open(&c->channel) && write_commands(c))
		write_text(c);
	c->in_turn = false;
	if (channel_is_open(&c->channel))
		ev_want(&c->ev, channel_wants(&c->channel, true,
		    has_to_write(c)));
}

/* While the vault is waited for, nothing but its end can come from the hop. */
void
smtp_turn_on_ready(struct ev *ev, unsigned what, void *arg)
{
	struct smtp_client *c = arg;

	if (c->channel.is_waiting)
		smtp_turn_break_off(c, OWN_lost);
	else
		smtp_turn_take(c, what);
}

void
smtp_turn_on_piece(struct delivery *d, void *arg)
{
	struct smtp_client *c = arg;

	if ((c->step == SMTP_TEXT || c->step == SMTP_PLAN ||
	    c->step == SMTP_PASS) && !c->in_turn)
		smtp_turn_take(c, 0);
}

/* The next attempt waits longer here. */
static void
give_up_waiting(struct smtp_client *c)
{
	struct verdict v = verdict_own(OWN_silent, smtp_step_stage(c));

	v.is_late = true;
	if (c->channel.is_waiting) {	/* not for the next hop */
		smtp_greet_fail_ours(c, "the vault does not answer");
		return;
	}
	if (c->delivery != NULL)
		c->delivery->late |= SLOW_BIT(v.stage);
	if (c->step == SMTP_STARTTLS || c->step == SMTP_SECURING ||
	    c->step == SMTP_QUIT)
		smtp_turn_break_off(c, OWN_silent);
	else
		smtp_end_fail(c, &v);
}

/* Somebody may have come meanwhile who is worth a longer wait. */
void
smtp_turn_on_time(struct timer *t, void *arg)
{
	struct smtp_client *c = arg;

	if (c->step == SMTP_TEXT && !has_to_write(c) &&
	    c->delivery->is_passing)
		smtp_step_wait(c);	/* its client is slow */
	else if (c->step == SMTP_PLAN ||
	    (c->step == SMTP_TEXT && !has_to_write(c)))
		stop_text(c, ERR_CLOSED);
	else if (!smtp_step_waits_on(c))
		give_up_waiting(c);
}
