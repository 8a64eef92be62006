/*
 * cmd_mail.c - MAIL, RFC 5321 4.1.1.2, with SIZE (RFC 1870), BODY (RFC 6152),
 * SMTPUTF8 (RFC 6531), AUTH (RFC 4954 5), RET and ENVID (RFC 3461 4).
 */
#include <stdio.h>

#include "edge/smtp/cmd.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"
#include "mail/dsn.h"

void
cmd_fault(struct session *s, enum command_fault fault, const char *address_dsn)
{
	switch (fault) {
	case FAULT_ADDRESS:
		session_refuse(s, 501, address_dsn, "Bad address syntax");
		return;
	case FAULT_UTF8:
		session_refuse(s, 553, "5.6.7",
		    "Address not ASCII, and SMTPUTF8 was not given");
		return;
	case FAULT_PARAM:
		session_refuse(s, 555, "5.5.4",
		    "Parameters not recognized or not implemented");
		return;
	case FAULT_BINARY:
		session_refuse(s, 501, "5.5.4", "Body type not supported");
		return;
	case FAULT_RET:
		session_refuse(s, 501, "5.5.4", "RET must be FULL or HDRS");
		return;
	case FAULT_ENVID:
		session_refuse(s, 501, "5.5.4",
		    "ENVID must be xtext of at most %d bytes", DSN_ENVID_MAX);
		return;
	case FAULT_NOTIFY:
		session_refuse(s, 501, "5.5.4",
		    "NOTIFY must be NEVER or a list of SUCCESS, FAILURE, "
		    "DELAY");
		return;
	case FAULT_ORCPT:
		session_refuse(s, 501, "5.5.4",
		    "ORCPT must be an address type, \";\" and xtext, "
		    "of at most %d bytes", DSN_ORCPT_MAX);
		return;
	case FAULT_NONE:
	case FAULT_SYNTAX:
		break;
	}
	session_refuse(s, 501, "5.5.4",
	    "Syntax error in parameters or arguments");
}

/* A user of ours, for whom it goes without saying where he is. */
bool
cmd_complete(struct session *s, struct address *a, char text[CMD_ADDRESS_MAX])
{
	if (a->kind == ADDRESS_USER && !origin_is_known(&s->origin))
		return false;
	if (a->kind == ADDRESS_USER || a->kind == ADDRESS_POSTMASTER) {
		snprintf(text, CMD_ADDRESS_MAX, "%.*s@%s", (int)a->whole.len,
		    a->whole.ptr, s->edge->set.home);
		a->whole = span_of(text);
	}
	return a->whole.len <= PATH_MAX_SMTP;
}

/* As others know him: envelope and text say the same, see sender_map.h. */
static void
map_sender(const struct session *s, struct address *a,
    char text[CMD_ADDRESS_MAX])
{
	const struct sender_map *m = &s->edge->set.senders;
	struct span other;

	if (a->whole.len == 0 || !sender_map_wants(m, &s->origin) ||
	    (other = sender_map_find(m, a->whole, text)).len == 0)
		return;
	a->whole = other;
	a->is_utf8 = address_needs_utf8(other);
}

/* Keep what MAIL said; memory is all that can be missing. */
static bool
begin(struct session *s, const struct command_mail *m)
{
	struct transaction *t;

	if (transaction_begin(&s->transaction, s->edge, &s->origin,
	    m->sender.whole, m->envid, &session_transaction_calls, s) != OK) {
		session_refuse(s, 451, "4.3.0", "Insufficient memory");
		return false;
	}
	t = s->transaction;
	t->size_hint = m->has_size ? m->size : 0;
	t->once = s->seat.once;
	t->has_smtputf8 = m->smtputf8;
	t->body = m->is_binary ? BODY_BINARYMIME :
	    m->is_8bit ? BODY_8BITMIME : BODY_7BIT;
	t->is_utf8 = m->sender.is_utf8;
	t->ret = m->ret;
	t->passed = s->passed;
	return true;
}

/*
 * SMTPUTF8 is a parameter only where it is offered.  Who was offered it before
 * the next hop changed its mind shall ask again, and not hear a lasting no.
 */
static bool
may_be_utf8(struct session *s)
{
	if (cmd_offers_utf8(s))
		return true;
	if (s->has_utf8)
		session_refuse(s, 451, "4.6.7",
		    "SMTPUTF8 is not offered any more, say EHLO again");
	else
		session_refuse(s, 555, "5.6.7", "SMTPUTF8 is not offered");
	return false;
}

/* The same of RFC 6152. */
static bool
may_be_8bit(struct session *s)
{
	if (cmd_offers_8bit(s))
		return true;
	if (s->has_8bit)
		session_refuse(s, 451, "4.6.3",
		    "8BITMIME is not offered any more, say EHLO again");
	else
		session_refuse(s, 555, "5.6.3", "8BITMIME is not offered");
	return false;
}

/* The same of RFC 3461, and of a body of any octets. */
static bool
may_have(struct session *s, const struct command_mail *m)
{
	bool wants_dsn = m->ret != DSN_RET_NONE || m->envid.len > 0;

	if ((!wants_dsn || cmd_offers_dsn(s)) &&
	    (!m->is_binary || cmd_offers_binary(s)))
		return true;
	if ((wants_dsn && s->has_dsn && !cmd_offers_dsn(s)) ||
	    (m->is_binary && s->has_binary && !cmd_offers_binary(s)))
		session_refuse(s, 451, "4.3.0",
		    "The next hop offers that no more, say EHLO again");
	else
		cmd_fault(s, m->is_binary && !cmd_offers_binary(s) ?
		    FAULT_BINARY : FAULT_PARAM, "5.1.7");
	return false;
}

/* The transaction has begun, and ends when a check says no. */
static enum taken
say_judged(struct session *s, const struct reply *no)
{
	if (no != NULL) {
		session_say(s, no);
		transaction_end(&s->transaction);
		return REFUSED;
	}
	cmd_say_yes(s, POINT_MAIL);
	return TAKEN;
}

enum taken
cmd_mail(struct session *s, struct span args)
{
	unsigned long long max = cmd_max_size(s);
	struct command_mail m;
	enum command_fault fault;
	char text[CMD_ADDRESS_MAX], other[CMD_ADDRESS_MAX];

	if (s->edge->set.require_auth && !origin_is_known(&s->origin)) {
		session_refuse(s, 530, "5.7.0", "Authentication required");
		return REFUSED;
	}
	fault = command_mail(args, s->origin.is_extended, &m);
	if (fault == FAULT_NONE && m.has_auth && !cmd_offers_auth(s))
		fault = FAULT_PARAM;
	if (fault == FAULT_NONE && !cmd_complete(s, &m.sender, text))
		fault = FAULT_ADDRESS;
	if (fault != FAULT_NONE) {
		cmd_fault(s, fault, "5.1.7");
		return REFUSED;
	}
	if ((m.smtputf8 && !may_be_utf8(s)) || (m.is_8bit && !may_be_8bit(s)) ||
	    !may_have(s, &m))
		return REFUSED;
	if (m.has_size && m.size > max) {
		session_refuse(s, 552, "5.3.4",
		    "Message size exceeds %llu limit", max);
		return REFUSED;
	}
	map_sender(s, &m.sender, other);
	if (!begin(s, &m))
		return REFUSED;
	return stage_run(s, AT_MAIL, say_judged);
}
