/*
 * cmd_auth.c - AUTH, RFC 4954 4: may it be said, and with which mechanism.
 * The exchange itself is auth.c's.
 */
#include "edge/smtp/auth.h"
#include "edge/smtp/cmd.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"

bool
cmd_offers_auth(const struct session *s)
{
	const struct settings *set = &s->edge->set;

	return set->has_users && !origin_is_local(&s->origin) &&
	    (s->origin.is_secure || set->auth_without_tls);
}

/* Says the reply if not. */
static bool
may_log_in(struct session *s)
{
	if (!s->edge->set.has_users || origin_is_local(&s->origin))
		session_refuse(s, 502, "5.5.1", "Command not implemented");
	else if (s->origin.login != NULL)
		session_refuse(s, 503, "5.5.1", "Already authenticated");
	else if (!s->origin.is_extended)
		session_refuse(s, 503, "5.5.1", "Say EHLO first");
	else if (!cmd_offers_auth(s))
		session_refuse(s, 538, "5.7.11", "Encryption required for "
		    "requested authentication mechanism");
	else
		return true;
	return false;
}

enum taken
cmd_auth(struct session *s, struct span args)
{
	struct span name = span_head(args, span_find(args, ' '));
	struct span initial = span_trim(span_tail(args, name.len));
	enum auth_mechanism mechanism = AUTH_PLAIN;

	if (!may_log_in(s))
		return REFUSED;
	if (span_eq_nocase(name, SPAN("LOGIN")))
		mechanism = AUTH_LOGIN;
	else if (name.len == 0) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		return REFUSED;
	} else if (!span_eq_nocase(name, SPAN("PLAIN"))) {
		session_refuse(s, 504, "5.5.4",
		    "Unrecognized authentication type");
		return REFUSED;
	}
	return auth_begin(s, mechanism, initial.len > 0 ? &initial : NULL);
}

enum taken
cmd_auth_response(struct session *s, struct span line)
{
	return auth_respond(s, line);
}
