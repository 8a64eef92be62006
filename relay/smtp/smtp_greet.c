/*
 * smtp_greet.c - RFC 3207: what was said before TLS is forgotten, EHLO is said
 * anew, and whatever came behind the 220 in the clear is somebody's attempt to
 * have it taken for what came under TLS.
 *
 * To go on in the clear another connection is made, because one on which a
 * handshake failed half way is of no use, and a next hop that offers STARTTLS
 * and then refuses it may want no mail before it (RFC 3207 4).  Whatever is
 * not 220 refuses it.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "relay/hop/hop_tls.h"
#include "relay/smtp/smtp_end.h"
#include "relay/smtp/smtp_greet.h"
#include "relay/smtp/smtp_login.h"
#include "relay/smtp/smtp_say.h"
#include "relay/smtp/smtp_step.h"
#include "sys/counters.h"

static void
fail(struct smtp_client *c, enum own own)
{
	struct verdict v = verdict_own(own, STAGE_EHLO);

	smtp_end_fail(c, &v);
}

/* Said. */

void
smtp_greet_say_ehlo(struct smtp_client *c)
{
	memset(&c->ehlo, 0, sizeof(c->ehlo));
	smtp_say(c, "%s %.*s\r\n", c->target->is_lmtp ? "LHLO" : "EHLO",
	    (int)c->target->ehlo_as.len, c->target->ehlo_as.ptr);
}

void
smtp_greet_say_helo(struct smtp_client *c)
{
	smtp_say(c, "HELO %.*s\r\n", (int)c->target->ehlo_as.len,
	    c->target->ehlo_as.ptr);
}

void
smtp_greet_say_starttls(struct smtp_client *c)
{
	smtp_say(c, "STARTTLS\r\n");
}

/* TLS. */

void
smtp_greet_secure(struct smtp_client *c)
{
	const struct smtp_client_target *t = c->target;

	if (t->tls.client == NULL || channel_connect(&c->channel, t->tls.client,
	    t->dial.host, tls_policy_verifies(&t->tls.policy),
	    c->above->wake, c) != OK)
		fail(c, OWN_no_tls);
}

static bool
may_be_clear(const struct smtp_client *c)
{
	const struct smtp_client_target *t = c->target;

	return c->was_started && tls_policy_may_go_clear(&t->tls.policy,
	    t->login.username.len > 0, c->is_local);
}

/* What may be said of a handshake that failed. */
static enum own
own_of(const struct smtp_client *c)
{
	return c->step == SMTP_STARTTLS ? OWN_tls_missing :
	    hop_tls_own(c->channel.tls, &c->target->tls);
}

void
smtp_greet_fail_tls(struct smtp_client *c, const char *why)
{
	counter_add(COUNTER_tls_failed, 1);
	if (may_be_clear(c)) {
		hop_tls_log(LOG_downgraded, c->hop, c->channel.tls, why);
		c->above->restart(c);
		return;
	}
	hop_tls_log(LOG_tls_failed, c->hop, c->channel.tls, why);
	fail(c, own_of(c));
}

void
smtp_greet_fail_ours(struct smtp_client *c, const char *why)
{
	counter_add(COUNTER_tls_failed, 1);
	hop_tls_log(LOG_tls_failed, c->hop, c->channel.tls, why);
	fail(c, OWN_no_tls);
}

bool
smtp_greet_is_refused(const struct smtp_client *c)
{
	return c->channel.tls != NULL && !c->was_ready &&
	    tls_is_refused(c->channel.tls);
}

static void
on_handshake(struct smtp_client *c)
{
	counter_add(COUNTER_tls_done, 1);
	hop_tls_say(c->channel.tls, c->tls_words);
	if (log_wants(LOG_DEBUG))
		hop_tls_log(LOG_secured, c->hop, c->channel.tls, NULL);
	smtp_step_enter(c, c->target->tls.policy.immediately ?
	    SMTP_GREETING : SMTP_EHLO);
}

void
smtp_greet_shake(struct smtp_client *c)
{
	char why[256];

	switch (channel_shake(&c->channel)) {
	case OK:
		on_handshake(c);
		break;
	case ERR_AGAIN:
		break;
	default:
		snprintf(why, sizeof(why), "%s", tls_why(c->channel.tls));
		if (tls_is_ours(c->channel.tls))
			smtp_greet_fail_ours(c, why);
		else
			smtp_greet_fail_tls(c, why);
	}
}

/* Heard. */

static bool
is_tls_due(const struct smtp_client *c)
{
	return c->channel.tls == NULL && !c->is_clear &&
	    tls_policy_starts(&c->target->tls.policy) &&
	    c->ehlo.has & EHLO_STARTTLS;
}

/* We know each other: what is still to be asked? */
static void
go_on(struct smtp_client *c)
{
	if (is_tls_due(c))
		smtp_step_enter(c, SMTP_STARTTLS);
	else if (c->channel.tls == NULL &&
	    tls_policy_requires(&c->target->tls.policy))
		fail(c, OWN_tls_missing);
	else if (c->target->login.username.len > 0)
		smtp_login_begin(c);
	else
		smtp_step_ready(c);
}

void
smtp_greet_hear_greeting(struct smtp_client *c, const struct verdict *v)
{
	if (v->code == 220)
		smtp_step_enter(c, SMTP_EHLO);
	else if (v->code >= 400)
		smtp_end_fail(c, v);
	else
		smtp_end_protest(c, v);
}

void
smtp_greet_hear_ehlo(struct smtp_client *c, const struct verdict *v)
{
	if (v->code == 250) {
		go_on(c);
	} else if (v->code >= 500 && !c->target->is_lmtp) {
		memset(&c->ehlo, 0, sizeof(c->ehlo));
		smtp_step_enter(c, SMTP_HELO);
	} else if (v->code >= 400) {
		smtp_end_fail(c, v);
	} else {
		smtp_end_protest(c, v);
	}
}

void
smtp_greet_hear_helo(struct smtp_client *c, const struct verdict *v)
{
	if (v->code == 250)
		go_on(c);
	else if (v->code >= 400)
		smtp_end_fail(c, v);
	else
		smtp_end_protest(c, v);
}

void
smtp_greet_hear_starttls(struct smtp_client *c, const struct verdict *v)
{
	char why[REPLY_TEXT_MAX + 8];

	if (v->code != 220) {
		snprintf(why, sizeof(why), "%u %.*s", v->code,
		    (int)v->text.len, v->text.ptr);
		smtp_greet_fail_tls(c, why);
	} else if (c->in_pos < c->in_len) {
		fail(c, OWN_tls_injected);
	} else {
		smtp_step_enter(c, SMTP_SECURING);
	}
}
