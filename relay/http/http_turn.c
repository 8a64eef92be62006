/* http_turn.c - a turn reads, goes on with what that was, and writes. */
#include <string.h>

#include "base/log.h"
#include "relay/hop/hop_tls.h"
#include "relay/http/http_answer.h"
#include "relay/http/http_end.h"
#include "relay/http/http_mail.h"
#include "relay/http/http_pass.h"
#include "relay/http/http_turn.h"
#include "sys/clock.h"
#include "sys/counters.h"

static bool
hears(const struct http_client *c)
{
	return c->at == HTTP_AT_ASKING || c->at == HTTP_AT_SENDING ||
	    c->at == HTTP_AT_ANSWER;
}

static void
read_answers(struct http_client *c)
{
	enum err e = http_answer_read(c);

	if (e == OK)
		return;
	if (e == ERR_PEER && hears(c))
		http_end_ours(c, OWN_not_http);
	else
		http_end_lost(c);
}

/* TLS. */

static void
fail_tls(struct http_client *c, const char *why, enum own own)
{
	counter_add(COUNTER_tls_failed, 1);
	hop_tls_log(LOG_tls_failed, c->hop, c->channel.tls, why);
	http_end_ours(c, own);
}

static void
on_signed(void *arg)
{
	http_turn_take(arg, 0);
}

static void
be_ready(struct http_client *c)
{
	if (c->target->authorization.len > 0 && c->channel.tls == NULL &&
	    !c->is_local) {
		http_end_ours(c, OWN_login_in_clear);
		return;
	}
	c->was_ready = true;
	c->at = HTTP_AT_IDLE;
	timer_stop(&c->timer);
}

static void
shake(struct http_client *c)
{
	struct tls *t = c->channel.tls;
	char why[TLS_WHY_MAX];

	switch (channel_shake(&c->channel)) {
	case OK:
		counter_add(COUNTER_tls_done, 1);
		hop_tls_say(t, c->tls_words);
		if (log_wants(LOG_DEBUG))
			hop_tls_log(LOG_secured, c->hop, t, NULL);
		be_ready(c);
		break;
	case ERR_AGAIN:
		break;
	default:
		(void)strlcpy(why, tls_why(t), sizeof(why));
		fail_tls(c, why, tls_is_ours(t) ? OWN_no_tls :
		    hop_tls_own(t, &c->target->tls));
	}
}

/* Writing. */

/* What did the next hop say before it closed? */
static void
write_failed(struct http_client *c)
{
	read_answers(c);
	if (channel_is_open(&c->channel) && hears(c))
		http_end_lost(c);
}

static void
move_on(struct http_client *c, size_t written)
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
write_runs(struct http_client *c)
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
	if (c->at == HTTP_AT_SENDING)
		http_mail_wait(c);
	move_on(c, n);
	return c->iov_pos == c->iov_cnt;
}

/* The queue may have lost this delivery to another by now: a request must not
 * be completed. */
static bool
must_not_end(const struct http_client *c)
{
	return c->text_ended && c->iov_pos < c->iov_cnt &&
	    c->delivery->deadline_ms != (int64_t)BUS_NO_DEADLINE &&
	    clock_mono_ms() >= c->delivery->deadline_ms;
}

static void
write_request(struct http_client *c)
{
	enum err e;

	if (c->at == HTTP_AT_ASKING)
		(void)write_runs(c);
	while (c->at == HTTP_AT_SENDING) {
		e = http_mail_fill(c);
		if (e == ERR_AGAIN)
			return;
		if (e == ERR_NONE)
			http_mail_sent(c);
		else if (e != OK)
			http_end_ours(c, OWN_no_text);
		else if (must_not_end(c))
			http_end_ours(c, OWN_not_ours);
		else if (!write_runs(c))
			return;
	}
}

/* Turns. */

static bool
has_to_write(const struct http_client *c)
{
	return hears(c) && c->iov_pos < c->iov_cnt;
}

static void
go_on(struct http_client *c)
{
	if (c->at == HTTP_AT_PASSING)
		http_pass_go_on(c);
	if (c->at == HTTP_AT_WAITING)
		http_mail_go_on(c);
}

/*
 * What is begun may be over at once, and what is over makes room for what was
 * waiting.
 */
static void
work(struct http_client *c, bool was_idle)
{
	go_on(c);
	while (c->at == HTTP_AT_IDLE && !was_idle) {
		if (c->in_len > 0) {
			http_end_close(c);
			return;
		}
		was_idle = true;
		c->calls->ready(c->arg);
		if (c->at != HTTP_AT_IDLE) {
			go_on(c);
			was_idle = false;
		}
	}
}

static void
turn(struct http_client *c, unsigned what, bool was_idle)
{
	c->in_turn = true;
	if (c->at == HTTP_AT_SECURING)
		shake(c);
	else if (channel_may_read(&c->channel, what))
		read_answers(c);
	work(c, was_idle);
	if (channel_is_open(&c->channel))
		write_request(c);
	c->in_turn = false;
	if (channel_is_open(&c->channel))
		ev_want(&c->ev, channel_wants(&c->channel, true,
		    has_to_write(c)));
}

void
http_turn_take(struct http_client *c, unsigned what)
{
	turn(c, what, c->at == HTTP_AT_IDLE);
}

static void
begin_tls(struct http_client *c)
{
	const struct http_target *t = c->target;

	c->at = HTTP_AT_SECURING;
	http_mail_wait(c);
	if (t->tls.client == NULL || channel_connect(&c->channel,
	    t->tls.client, t->dial.host, tls_policy_verifies(&t->tls.policy),
	    on_signed, c) != OK)
		http_end_ours(c, OWN_no_tls);
}

void
http_turn_begin(struct http_client *c)
{
	if (c->target->tls.policy.immediately)
		begin_tls(c);
	else
		be_ready(c);
	if (channel_is_open(&c->channel))
		turn(c, 0, false);
}

void
http_turn_deliver(struct http_client *c)
{
	bool was_in_turn = c->in_turn;

	c->in_turn = true;
	if (c->delivery->is_passing)
		http_pass_begin(c);
	else
		http_mail_begin(c);
	c->in_turn = was_in_turn;
	if (!c->in_turn && c->at != HTTP_AT_IDLE)
		http_turn_take(c, 0);
}

/* While the vault is waited for, nothing but its end can come from the hop. */
void
http_turn_on_ready(struct ev *ev, unsigned what, void *arg)
{
	struct http_client *c = arg;

	if (c->channel.is_waiting)
		http_end_ours(c, OWN_lost);
	else
		http_turn_take(c, what);
}

void
http_turn_on_text(struct delivery *d, void *arg)
{
	struct http_client *c = arg;

	if (!c->in_turn && (c->at == HTTP_AT_PASSING ||
	    c->at == HTTP_AT_WAITING || c->at == HTTP_AT_SENDING))
		http_turn_take(c, 0);
}

void
http_turn_on_time(struct timer *t, void *arg)
{
	struct http_client *c = arg;
	struct verdict v = verdict_own(OWN_silent, http_end_stage(c));

	v.is_late = true;
	if (c->at == HTTP_AT_ASKING) {
		c->target->learnt->is_deaf = true;
		http_mail_go_ahead(c);
		http_turn_take(c, 0);
	} else if (c->at == HTTP_AT_SECURING) {
		fail_tls(c, c->channel.is_waiting ?
		    "the vault does not answer" : v.text.ptr,
		    c->channel.is_waiting ? OWN_no_tls : OWN_silent);
	} else if (c->at == HTTP_AT_REST) {
		http_end_close(c);
	} else if ((c->at == HTTP_AT_WAITING || c->at == HTTP_AT_SENDING) &&
	    !has_to_write(c)) {
		if (c->delivery->is_passing)
			http_mail_wait(c);	/* its client is slow */
		else
			http_end_ours(c, OWN_no_text);
	} else if (c->delivery != NULL) {
		http_end_fail(c, &v);
	}
}
