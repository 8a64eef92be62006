/*
 * cmd_ehlo.c - EHLO and HELO, RFC 5321 4.1.1.1, and LHLO, RFC 2033 4.1.  All
 * act like RSET.  The reply begins with our name.
 */
#include <stdlib.h>
#include <string.h>

#include "edge/smtp/cmd.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

/* Keep the name while it is judged. */
static enum taken
greet(struct session *s, struct span name, stage_done_fn *done)
{
	if (!command_ehlo_name(name)) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		return REFUSED;
	}
	free(s->helo);
	if ((s->helo = strndup(name.ptr, name.len)) == NULL) {
		session_refuse(s, 451, "4.3.0", "Insufficient memory");
		return REFUSED;
	}
	return stage_run(s, AT_EHLO, done);
}

/* It is the client's name now, and what was said under another is void. */
static bool
is_greeted(struct session *s, const struct reply *no)
{
	if (no != NULL) {
		session_say(s, no);
		return false;
	}
	free(s->origin.helo);
	s->origin.helo = s->helo;
	s->helo = NULL;
	transaction_end(&s->transaction);
	return true;
}

/*
 * RFC 6531 3.2: what nobody behind us can carry would only come back.  Where
 * some can the queue says of each recipient whether his relay does.
 */
bool
cmd_offers_utf8(const struct session *s)
{
	switch (s->edge->set.smtputf8) {
	case SMTPUTF8_YES:
		return true;
	case SMTPUTF8_NO:
		return false;
	default:
		return s->edge->utf8 != QUEUE_ASCII;
	}
}

/* SMTPUTF8 never goes without it (RFC 6531 3.1). */
bool
cmd_offers_8bit(const struct session *s)
{
	return s->edge->eightbit || cmd_offers_utf8(s);
}

/* Who keeps mail reports on it; who passes it on offers what is behind. */
bool
cmd_offers_dsn(const struct session *s)
{
	return !s->edge->passes || s->edge->dsn;
}

bool
cmd_offers_binary(const struct session *s)
{
	return s->edge->set.binarymime &&
	    (!s->edge->passes || s->edge->binary);
}

uint64_t
cmd_max_size(const struct session *s)
{
	uint64_t ours = s->edge->set.max_size, theirs = s->edge->max_size;

	return theirs > 0 && theirs < ours ? theirs : ours;
}

static enum taken
say_ehlo(struct session *s, const struct reply *no)
{
	static const char *const extensions[] = {
		"PIPELINING", "ENHANCEDSTATUSCODES",
	};

	if (!is_greeted(s, no))
		return REFUSED;
	s->origin.is_extended = true;
	if (s->yes != NULL)
		session_reply(s, 250, "-", "%s", s->yes->text);
	else
		session_reply(s, 250, "-", "%s Hello %s",
		    s->edge->set.hostname, s->origin.helo);
	if ((s->has_8bit = cmd_offers_8bit(s)))
		session_reply(s, 250, "-", "8BITMIME");
	for (size_t i = 0; i < sizeof(extensions) / sizeof(*extensions); i++)
		session_reply(s, 250, "-", "%s", extensions[i]);
	if ((s->has_dsn = cmd_offers_dsn(s)))
		session_reply(s, 250, "-", "DSN");
	session_reply(s, 250, "-", "CHUNKING");
	if ((s->has_utf8 = cmd_offers_utf8(s)))
		session_reply(s, 250, "-", "SMTPUTF8");
	if ((s->has_binary = cmd_offers_binary(s)))
		session_reply(s, 250, "-", "BINARYMIME");
	if (cmd_offers_tls(s))
		session_reply(s, 250, "-", "STARTTLS");
	if (cmd_offers_auth(s))
		session_reply(s, 250, "-", "AUTH PLAIN LOGIN");
	session_reply(s, 250, "", "SIZE %llu",
	    (unsigned long long)cmd_max_size(s));
	return TAKEN;
}

static enum taken
say_helo(struct session *s, const struct reply *no)
{
	if (!is_greeted(s, no))
		return REFUSED;
	s->origin.is_extended = false;
	if (!cmd_say_other(s))
		session_reply(s, 250, "", "%s Hello %s",
		    s->edge->set.hostname, s->origin.helo);
	return TAKEN;
}

enum taken
cmd_ehlo(struct session *s, struct span args)
{
	return greet(s, args, say_ehlo);
}

enum taken
cmd_helo(struct session *s, struct span args)
{
	return greet(s, args, say_helo);
}
