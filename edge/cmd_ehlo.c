/*
 * cmd_ehlo.c - EHLO and HELO, RFC 5321 4.1.1.1.  Both act like RSET.  The reply
 * begins with our name.
 */
#include <stdlib.h>
#include <string.h>

#include "edge/cmd.h"
#include "edge/edge.h"
#include "edge/session.h"
#include "edge/transaction.h"

/* Keep the name.  False, and the reply is said, when there is none to keep. */
static bool
greet(struct session *s, struct span name)
{
	char *copy;

	if (!command_ehlo_name(name)) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		return false;
	}
	if ((copy = strndup(name.ptr, name.len)) == NULL) {
		session_refuse(s, 451, "4.3.0", "Insufficient memory");
		return false;
	}
	free(s->helo);
	s->helo = copy;
	transaction_end(&s->transaction);
	return true;
}

/* RFC 6531 3.2: what nobody behind us can carry would only come back. */
bool
cmd_offers_utf8(const struct session *s)
{
	switch (s->edge->set.smtputf8) {
	case SMTPUTF8_YES:
		return true;
	case SMTPUTF8_NO:
		return false;
	default:
		return s->edge->can_utf8;
	}
}

bool
cmd_ehlo(struct session *s, struct span args)
{
	static const char *const extensions[] = {
		"8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES", "DSN",
	};

	if (!greet(s, args))
		return false;
	s->is_extended = true;
	session_reply(s, 250, "-", "%s Hello %s", s->edge->set.hostname,
	    s->helo);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(*extensions); i++)
		session_reply(s, 250, "-", "%s", extensions[i]);
	if ((s->has_utf8 = cmd_offers_utf8(s)))
		session_reply(s, 250, "-", "SMTPUTF8");
	if (cmd_offers_tls(s))
		session_reply(s, 250, "-", "STARTTLS");
	if (cmd_offers_auth(s))
		session_reply(s, 250, "-", "AUTH PLAIN LOGIN");
	session_reply(s, 250, "", "SIZE %llu",
	    (unsigned long long)s->edge->set.max_size);
	return true;
}

bool
cmd_helo(struct session *s, struct span args)
{
	if (!greet(s, args))
		return false;
	s->is_extended = false;
	session_reply(s, 250, "", "%s Hello %s", s->edge->set.hostname,
	    s->helo);
	return true;
}
