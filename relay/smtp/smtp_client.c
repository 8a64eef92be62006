/*
 * smtp_client.c - the life of a connection: dialling, reading, writing, the
 * clock, the end.
 *
 * What happens to the socket, the clock or the text ends in take_turn(), which
 * writes what has become writable.  The end is told from a call of the loop's
 * own, so no caller ever sees its client vanish.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "relay/smtp/slow.h"
#include "relay/smtp/smtp_client.h"
#include "relay/smtp/smtp_convert.h"
#include "relay/smtp/smtp_dialogue.h"
#include "relay/smtp/smtp_greet.h"
#include "relay/smtp/smtp_mail.h"
#include "relay/smtp/smtp_reply.h"
#include "relay/smtp/smtp_text.h"
#include "sys/clock.h"
#include "sys/counters.h"

#define OUT_MIN		1024	/* bytes to begin with; most envelopes */

static uint64_t	open_cnt;	/* connections of the whole process */

static void	take_turn(struct smtp_client *, unsigned what);

/* The end. */

static void
hang_up(struct smtp_client *c)
{
	ev_fini(&c->ev);
	timer_stop(&c->timer);
	if (c->knocking != 0)
		c->target->door->cancel(c->target->door, c->knocking);
	c->knocking = 0;
	if (channel_is_open(&c->channel))
		counter_set(COUNTER_connections, --open_cnt);
	channel_close(&c->channel);
	c->in_len = c->in_pos = c->out_len = c->out_pos = 0;
	c->iov_cnt = c->iov_pos = 0;
	c->in_reply = false;
}

void
smtp_client_close(struct smtp_client *c)
{
	if (c->step == SMTP_CLOSED)
		return;
	hang_up(c);
	if (place_waits(&c->dial.place))
		place_leave(&c->dial.place);
	c->step = SMTP_CLOSED;
	later_call(&c->end);
}

static void
tell_end(struct later *l, void *arg)
{
	struct smtp_client *c = arg;
	struct delivery *d = c->delivery;

	c->delivery = NULL;
	if (d != NULL) {
		d->on_text = NULL;
		c->calls->back(c, d, c->arg);
	}
	c->calls->gone(c, c->has_why ? &c->why : NULL, c->hop, c->arg);
}

static void
log_failure(const struct smtp_client *c, const struct verdict *v)
{
	struct log_line l;

	if (!log_wants(LOG_DEBUG))
		return;
	log_begin(&l, LOG_disconnected);
	log_str(&l, LOG_KEY_hop, c->hop);
	log_text(&l, LOG_KEY_stage, stage_name(v->stage));
	log_num(&l, LOG_KEY_code, v->code);
	log_str(&l, LOG_KEY_reply, v->text);
	log_end(&l);
}

void
smtp_client_fail(struct smtp_client *c, const struct verdict *v)
{
	struct delivery *d = c->delivery;

	if (c->step == SMTP_CLOSED)
		return;
	log_failure(c, v);
	if (d != NULL && (c->heard || c->mail_cnt == 0 || d->is_orphan)) {
		c->delivery = NULL;
		delivery_end(d, v, c->hop);
	}
	if (!c->was_ready && !c->is_hopeless && dial_has_more(&c->dial)) {
		hang_up(c);
		c->step = SMTP_DIALING;
		c->is_clear = false;
		dial_next(&c->dial);
		return;
	}
	if (!c->was_ready) {
		c->why = *v;
		c->has_why = true;
	}
	smtp_client_close(c);
}

static void
break_off(struct smtp_client *c, enum own own)
{
	struct verdict v = verdict_own(own, smtp_dialogue_stage(c));
	char why[TLS_WHY_MAX];

	if (c->step == SMTP_IDLE || c->step == SMTP_QUIT) {
		smtp_client_close(c);
	} else if (smtp_greet_is_refused(c)) {
		(void)strlcpy(why, tls_why(c->channel.tls), sizeof(why));
		smtp_greet_fail_tls(c, why);
	} else if (c->step == SMTP_STARTTLS || c->step == SMTP_SECURING) {
		smtp_greet_fail_tls(c, v.text.ptr);
	} else {
		smtp_client_fail(c, &v);
	}
}

/* What we lack is no fault of the next hop's. */
static void
fail_ours(struct smtp_client *c, enum own own)
{
	struct verdict v = verdict_own(own, smtp_dialogue_stage(c));

	smtp_client_fail(c, &v);
}

/* Writing. */

void
smtp_client_say(struct smtp_client *c, const char *format, ...)
{
	size_t room, cap;
	va_list ap;
	char *grown;
	int len;

	for (;;) {
		room = c->out_cap - c->out_len;
		va_start(ap, format);
		len = vsnprintf(room > 0 ? c->out + c->out_len : NULL, room,
		    format, ap);
		va_end(ap);
		if (len < 0 || (size_t)len < room)
			break;
		cap = (c->out_cap + OUT_MIN) * 2 + (size_t)len;
		if ((grown = realloc(c->out, cap)) == NULL) {
			fail_ours(c, OWN_no_memory);
			return;
		}
		c->out = grown;
		c->out_cap = cap;
	}
	if (len > 0)
		c->out_len += (size_t)len;
}

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
		break_off(c, OWN_not_smtp);
	else
		break_off(c, OWN_lost);
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
	smtp_dialogue_wait(c);
	move_on(c, n);
	return c->iov_pos == c->iov_cnt;
}

/* The text cannot be had, or must not be sent: break off within it. */
static void
stop_text(struct smtp_client *c, enum err e)
{
	struct verdict v = verdict_own(e == ERR_PEER ? OWN_bare_line_end :
	    e == ERR_SYS ? OWN_no_memory : OWN_no_text, STAGE_BODY);

	smtp_client_fail(c, &v);
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
			smtp_client_fail(c, &v);
			return;
		}
		if (!write_runs(c))
			return;
		e = smtp_text_fill(c);
		if (e == ERR_AGAIN)
			return;
		if (e == ERR_NONE)
			smtp_dialogue_enter(c, SMTP_END);
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
		break_off(c, OWN_not_smtp);
	else if (e != OK)
		break_off(c, OWN_lost);
}

/* Half a line that answers nothing is as bad as a whole one. */
static void
offer(struct smtp_client *c)
{
	if (c->in_len > 0 || c->in_reply)
		smtp_client_close(c);
	else if (c->mail_cnt >= SMTP_CLIENT_MAILS)
		smtp_dialogue_enter(c, SMTP_QUIT);
	else
		c->calls->ready(c, c->arg);
}

static bool
has_to_write(const struct smtp_client *c)
{
	return c->out_pos < c->out_len ||
	    (c->step == SMTP_TEXT && c->iov_pos < c->iov_cnt);
}

static void
take_turn(struct smtp_client *c, unsigned what)
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
static void
on_ready(struct ev *ev, unsigned what, void *arg)
{
	struct smtp_client *c = arg;

	if (c->channel.is_waiting)
		break_off(c, OWN_lost);
	else
		take_turn(c, what);
}

void
smtp_client_wake(void *arg)
{
	take_turn(arg, 0);
}

static void
on_piece(struct delivery *d, void *arg)
{
	struct smtp_client *c = arg;

	if ((c->step == SMTP_TEXT || c->step == SMTP_PLAN) && !c->in_turn)
		take_turn(c, 0);
}

/* The next attempt waits longer here. */
static void
give_up_waiting(struct smtp_client *c)
{
	struct verdict v = verdict_own(OWN_silent, smtp_dialogue_stage(c));

	v.is_late = true;
	if (c->channel.is_waiting) {	/* not for the next hop */
		smtp_greet_fail_ours(c, "the vault does not answer");
		return;
	}
	if (c->delivery != NULL)
		c->delivery->late |= SLOW_BIT(v.stage);
	if (c->step == SMTP_STARTTLS || c->step == SMTP_SECURING ||
	    c->step == SMTP_QUIT)
		break_off(c, OWN_silent);
	else
		smtp_client_fail(c, &v);
}

/* Somebody may have come meanwhile who is worth a longer wait. */
static void
out_of_time(struct timer *t, void *arg)
{
	struct smtp_client *c = arg;

	if (c->step == SMTP_DIALING)
		break_off(c, OWN_connect_late);
	else if (c->step == SMTP_PLAN ||
	    (c->step == SMTP_TEXT && !has_to_write(c)))
		stop_text(c, ERR_CLOSED);
	else if (!smtp_dialogue_waits_on(c))
		give_up_waiting(c);
}

/* The beginning. */

static void
speak_on(struct smtp_client *c, int fd, struct span hop)
{
	struct log_line l;

	channel_open(&c->channel, fd);
	c->is_local = channel_is_local(&c->channel);
	counter_add(COUNTER_connected, 1);
	counter_set(COUNTER_connections, ++open_cnt);
	(void)span_cstr(hop, c->hop_bytes, sizeof(c->hop_bytes));
	c->hop = span_of(c->hop_bytes);
	memset(&c->ehlo, 0, sizeof(c->ehlo));
	if (log_wants(LOG_DEBUG)) {
		log_begin(&l, LOG_connected);
		log_str(&l, LOG_KEY_hop, c->hop);
		log_end(&l);
	}
	c->step = SMTP_GREETING;
	if (ev_init(&c->ev, c->loop, fd, EV_READ, on_ready, c) != OK) {
		fail_ours(c, OWN_no_connection);
	} else if (c->target->tls.policy.immediately) {
		smtp_dialogue_enter(c, SMTP_SECURING);
		take_turn(c, 0);
	} else {
		smtp_dialogue_enter(c, SMTP_GREETING);
	}
}

static void
on_connected(int fd, struct span hop, void *arg)
{
	speak_on(arg, fd, hop);
}

static void
on_refused(const struct verdict *why, struct span hop, void *arg)
{
	struct smtp_client *c = arg;

	(void)span_cstr(hop, c->hop_bytes, sizeof(c->hop_bytes));
	c->hop = span_of(c->hop_bytes);
	c->why = *why;
	c->has_why = true;
	smtp_client_close(c);
}

static const struct dial_calls dial_calls = { on_connected, on_refused };

/* Through the door instead. */

static void
on_accept(int fd, int error, void *arg)
{
	struct smtp_client *c = arg;

	c->knocking = 0;
	if (fd != -1)
		speak_on(c, fd, c->target->door->hop);
	else
		break_off(c, error == ECONNREFUSED ? OWN_connect_refused :
		    error == ENOENT ? OWN_no_such_socket : OWN_connect_failed);
}

static void
knock_now(struct smtp_client *c)
{
	const struct smtp_door *door = c->target->door;

	c->knocking = door->open(door, on_accept, c);
	if (c->knocking == 0)
		fail_ours(c, OWN_no_memory);
	else
		timer_set(&c->timer, c->target->dial.connect_ms);
}

static void
may_knock(struct place *p, void *arg)
{
	knock_now(arg);
}

/* What is behind the door is one host, and the only one. */
static void
knock(struct smtp_client *c)
{
	enum err e = place_take(&c->dial.place, c->target->dial.places, 0);

	c->hop = c->target->door->hop;
	if (e == OK)
		knock_now(c);
	else if (e != ERR_AGAIN)
		fail_ours(c, OWN_no_memory);
}

struct smtp_client *
smtp_client_new(struct ev_loop *loop, struct resolve *resolve,
    const struct smtp_client_target *target,
    const struct smtp_client_calls *calls, void *arg)
{
	struct smtp_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->loop = loop;
	c->target = target;
	c->calls = calls;
	c->arg = arg;
	c->channel.fd = -1;
	c->step = SMTP_DIALING;
	timer_init(&c->timer, loop, out_of_time, c);
	later_init(&c->end, loop, tell_end, c);
	dial_init(&c->dial, loop, resolve, &target->dial, &dial_calls, c);
	if (target->door != NULL) {
		c->dial.place.given = may_knock;
		c->dial.place.given_arg = c;
	}
	return c;
}

void
smtp_client_free(struct smtp_client **cp)
{
	struct smtp_client *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	dial_fini(&c->dial);
	hang_up(c);
	later_stop(&c->end);
	smtp_convert_forget(c);
	free(c->batch);
	if (c->out != NULL)
		explicit_bzero(c->out, c->out_cap);
	free(c->out);
	free(c);
}

void
smtp_client_start(struct smtp_client *c)
{
	c->was_started = true;
	if (c->target->door != NULL)
		knock(c);
	else
		dial_start(&c->dial);
}

void
smtp_client_restart(struct smtp_client *c)
{
	hang_up(c);
	c->step = SMTP_DIALING;
	c->is_clear = true;
	if (c->target->door != NULL)
		knock(c);
	else
		dial_again(&c->dial);
}

void
smtp_client_start_on(struct smtp_client *c, int fd, struct span hop)
{
	speak_on(c, fd, hop);
}

bool
smtp_client_is_alive(struct smtp_client *c)
{
	char byte;
	size_t n;

	if (c->step != SMTP_IDLE)
		return false;
	if (c->in_len == 0 &&
	    channel_read(&c->channel, &byte, 1, &n) == ERR_AGAIN)
		return true;
	smtp_client_close(c);
	return false;
}

void
smtp_client_deliver(struct smtp_client *c, struct delivery *d)
{
	bool was_in_turn = c->in_turn;

	c->delivery = d;
	c->heard = false;
	c->was_granted = false;
	c->refused_code = 0;
	d->on_text = on_piece;
	d->on_text_arg = c;
	smtp_convert_forget(c);
	delivery_rewind(d);		/* it may have been read elsewhere */
	delivery_prefetch(d);
	c->in_turn = true;
	smtp_mail_begin(c);
	c->in_turn = was_in_turn;
	if (!c->in_turn && c->step != SMTP_IDLE)
		take_turn(c, 0);
}

void
smtp_client_quit(struct smtp_client *c)
{
	if (c->step != SMTP_IDLE) {
		smtp_client_close(c);
		return;
	}
	smtp_dialogue_enter(c, SMTP_QUIT);
	if (!c->in_turn)
		take_turn(c, 0);
}
