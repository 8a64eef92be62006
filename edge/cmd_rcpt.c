/*
 * cmd_rcpt.c - RCPT, RFC 5321 4.1.1.3, with NOTIFY and ORCPT (RFC 3461 4).  A
 * bare <postmaster> is ours (4.5.1) and gets our name behind it.
 *
 * A queue that could say no to somebody is asked about each.  Meanwhile the
 * recipient stands at the end of the envelope, and is taken off again when the
 * answer is no.
 */
#include <stdio.h>

#include "edge/cmd.h"
#include "edge/edge.h"
#include "edge/session.h"
#include "edge/to_queue.h"
#include "edge/transaction.h"

#define RCPT_MAX	(PATH_MAX_SMTP + DOMAIN_MAX)	/* bytes */

/* May this one be taken?  Says the reply if not. */
static bool
judge(struct session *s, struct span args, struct command_rcpt *out)
{
	struct transaction *t = s->transaction;
	enum command_fault fault;
	struct span whole;

	fault = command_rcpt(args, s->is_extended, t->has_smtputf8, out);
	whole = out->rcpt.whole;
	if (fault != FAULT_NONE) {
		cmd_fault(s, fault, "5.1.3");
		return false;
	}
	if (!rules_rcpt(&s->edge->set.rules, &out->rcpt)) {
		session_refuse(s, 550, "5.7.1", "Recipient <%.*s> Not allowed",
		    (int)whole.len, whole.ptr);
		return false;
	}
	return cmd_queue_is_there(s);
}

static void
say_taken(struct session *s)
{
	struct span rcpt = transaction_last_rcpt(s->transaction);

	session_reply(s, 250, "2.1.5", "<%.*s> Ok", (int)rcpt.len, rcpt.ptr);
}

void
cmd_rcpt_judged(struct session *s, const struct fault *no)
{
	struct transaction *t = s->transaction;

	if (no == NULL) {
		t->is_utf8 |= t->asks_utf8;
		s->state = ST_RCPT;
		say_taken(s);
		return;
	}
	transaction_drop_rcpt(t);
	t->refused_cnt++;
	s->state = t->rcpt_cnt > 0 ? ST_RCPT : ST_MAIL;
	session_refuse(s, no->code, no->dsn, "%s", no->text);
}

bool
cmd_rcpt(struct session *s, struct span args)
{
	struct transaction *t = s->transaction;
	struct command_rcpt r = { 0 };
	struct transaction_rcpt rcpt;
	char text[RCPT_MAX];

	if (!judge(s, args, &r)) {
		t->refused_cnt++;
		return false;
	}
	rcpt = (struct transaction_rcpt){ r.rcpt.whole, r.notify, r.orcpt };
	if (r.rcpt.kind == ADDRESS_POSTMASTER) {
		snprintf(text, sizeof(text), "%.*s@%s", (int)rcpt.address.len,
		    rcpt.address.ptr, s->edge->set.hostname);
		rcpt.address = span_of(text);
	}
	if (!transaction_has_room(t, &rcpt)) {
		t->refused_cnt++;
		session_refuse(s, 452, "4.5.3", "Too many recipients");
		return false;
	}
	if (transaction_add_rcpt(t, &rcpt) != OK) {
		session_refuse(s, 451, "4.3.0", "Insufficient memory");
		return false;
	}
	if (s->edge->asks) {
		t->asks_utf8 = r.rcpt.is_utf8;
		to_queue_ask(t);
		s->state = ST_ASK;
		return false;
	}
	t->is_utf8 |= r.rcpt.is_utf8;
	say_taken(s);
	return true;
}
