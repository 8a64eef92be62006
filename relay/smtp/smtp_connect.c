/* smtp_connect.c - from a socket that reach.h has brought to the greeting. */
#include <string.h>

#include "base/log.h"
#include "relay/smtp/smtp_connect.h"
#include "relay/smtp/smtp_end.h"
#include "relay/smtp/smtp_step.h"
#include "relay/smtp/smtp_turn.h"

void
smtp_connect_on(struct smtp_client *c, int fd, struct span hop)
{
	struct log_line l;

	channel_open(&c->channel, fd);
	c->is_local = channel_is_local(&c->channel);
	reach_opened();
	(void)span_cstr(hop, c->hop_bytes, sizeof(c->hop_bytes));
	c->hop = span_of(c->hop_bytes);
	c->tls_words[0] = '\0';
	memset(&c->ehlo, 0, sizeof(c->ehlo));
	if (log_wants(LOG_DEBUG)) {
		log_begin(&l, LOG_connected);
		log_str(&l, LOG_KEY_hop, c->hop);
		log_end(&l);
	}
	c->step = SMTP_GREETING;
	if (ev_init(&c->ev, c->loop, fd, EV_READ, smtp_turn_on_ready, c) !=
	    OK) {
		smtp_end_ours(c, OWN_no_connection);
	} else if (c->target->tls.policy.immediately) {
		smtp_step_enter(c, SMTP_SECURING);
		smtp_turn_take(c, 0);
	} else {
		smtp_step_enter(c, SMTP_GREETING);
	}
}

static void
on_connected(int fd, struct span hop, void *arg)
{
	smtp_connect_on(arg, fd, hop);
}

static void
on_refused(const struct verdict *why, struct span hop, void *arg)
{
	struct smtp_client *c = arg;

	(void)span_cstr(hop, c->hop_bytes, sizeof(c->hop_bytes));
	c->hop = span_of(c->hop_bytes);
	c->why = *why;
	c->has_why = true;
	smtp_end_close(c);
}

static const struct dial_calls dial_calls = { on_connected, on_refused };

void
smtp_connect_init(struct smtp_client *c, struct resolve *resolve)
{
	reach_init(&c->reach, c->loop, resolve, &c->target->dial,
	    c->target->endpoint, &dial_calls, c);
	if (c->target->endpoint != NULL)
		c->hop = c->target->endpoint->hop;
}

void
smtp_connect_start(struct smtp_client *c)
{
	c->was_started = true;
	reach_start(&c->reach);
}

void
smtp_connect_again(struct smtp_client *c)
{
	smtp_end_hang_up(c);
	c->step = SMTP_DIALING;
	c->is_clear = true;
	reach_again(&c->reach);
}
