/*
 * checks_dnsbl.c - is the client on a list?  Asked once in a session, where it
 * is first of interest: at its first recipient, when it is known whether it has
 * logged in; or before the greeting.  Mail to a postmaster comes through, so
 * that who is listed by mistake can say so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/client/client_name.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

static void
say_listed(const struct session *s, struct reply *no)
{
	*no = (struct reply){ 554, "5.7.1", "", false };
	snprintf(no->text, sizeof(no->text), "%s", s->listed);
}

static void
on_listed(const char *zone, const char *reason, void *arg)
{
	struct session *s = arg;
	char text[REPLY_WORDS_MAX];
	struct reply no;

	s->dnsbl = NULL;
	s->is_looked_up = true;
	if (zone != NULL) {
		snprintf(text, sizeof(text), "Client [%s] is listed by "
		    "%.64s%s%s", s->origin.client, zone,
		    reason[0] != '\0' ? ": " : "", reason);
		s->listed = strdup(text);
	}
	if (!session_waits_for(s, &check_dnsbl_client))
		return;
	if (s->listed != NULL)
		say_listed(s, &no);
	session_resume(s, s->listed != NULL ? &no : NULL);
}

static bool
is_to_postmaster(const struct session *s)
{
	struct span rcpt = envelope_last(&s->transaction->envelope);

	return s->transaction->last_is_ours ||
	    span_begins_nocase(rcpt, SPAN("postmaster@"));
}

static bool
is_exempt(const struct session *s)
{
	const struct client_address *a = &s->origin.address;

	return origin_is_known(&s->origin) || client_name_own(a) != NULL ||
	    dnsbl_is_private(a);
}

static enum answer
judge(struct session *s, struct reply *no)
{
	const struct dnsbls *set = &s->edge->set.dnsbls;
	bool at_connect = s->waiting.stage == AT_CONNECT;

	if (set->cnt == 0 || at_connect != set->at_connect || is_exempt(s) ||
	    (!at_connect && is_to_postmaster(s)))
		return ANSWER_SKIP;
	if (!s->is_looked_up) {
		s->dnsbl = dnsbl_ask(set, s->edge->loop, s->edge->resolve,
		    &s->origin.address, on_listed, s);
		return s->dnsbl != NULL ? ANSWER_LATER : ANSWER_SKIP;
	}
	if (s->listed == NULL)
		return ANSWER_YES;
	say_listed(s, no);
	return ANSWER_NO;
}

static void
forget(struct session *s)
{
	dnsbl_cancel(&s->dnsbl);
}

/* It has a deadline of its own, and always answers. */
const struct check check_dnsbl_client = {
	.name = "dnsbl", .asks = "resolver", .judge = judge, .cancel = forget,
};
