/*
 * cmd_rcpt.c - RCPT, RFC 5321 4.1.1.3, with NOTIFY and ORCPT (RFC 3461 4).  A
 * bare <postmaster> is ours (4.5.1) and gets our domain behind it, and of whom
 * we know any bare user does.
 *
 * While it is judged the recipient stands at the end of the envelope already,
 * and is taken off again when a check says no.
 */
#include "edge/smtp/cmd.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

static enum taken
say_judged(struct session *s, const struct reply *no)
{
	struct transaction *t = s->transaction;

	if (no != NULL) {
		t->refused_cnt++;
		session_about(s, LOG_KEY_rcpt,
		    envelope_last(&t->envelope));
		session_say(s, no);
		transaction_drop_rcpt(t);
		return REFUSED;
	}
	t->is_utf8 |= t->last_is_utf8;
	if (t->reply.text[0] != '\0' && s->yes == NULL)
		session_reply(s, 250, t->reply.dsn, "%s", t->reply.text);
	else
		cmd_say_yes(s, POINT_RCPT);
	return TAKEN;
}

enum taken
cmd_rcpt(struct session *s, struct span args)
{
	struct transaction *t = s->transaction;
	struct command_rcpt r = { 0 };
	struct envelope_rcpt rcpt;
	enum command_fault fault;
	char text[CMD_ADDRESS_MAX];

	fault = command_rcpt(args, s->origin.is_extended, t->has_smtputf8, &r);
	if (fault == FAULT_NONE && (r.notify != 0 || r.orcpt.len > 0) &&
	    !s->has_dsn)
		fault = FAULT_PARAM;
	if (fault == FAULT_NONE && !cmd_complete(s, &r.rcpt, text))
		fault = FAULT_ADDRESS;
	if (fault != FAULT_NONE) {
		cmd_fault(s, fault, "5.1.3");
		t->refused_cnt++;
		return REFUSED;
	}
	rcpt = (struct envelope_rcpt){ r.rcpt.whole, r.notify, r.orcpt };
	if (envelope_add(&t->envelope, &rcpt) != OK) {
		session_refuse(s, 451, "4.3.0", "Insufficient memory");
		return REFUSED;
	}
	t->last_is_utf8 = r.rcpt.is_utf8;
	t->last_is_ours = r.rcpt.kind == ADDRESS_POSTMASTER;
	return stage_run(s, AT_RCPT, say_judged);
}
