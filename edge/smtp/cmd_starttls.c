/*
 * cmd_starttls.c - STARTTLS, RFC 3207.
 *
 * What stands behind the command in the clear was put there by the client too
 * early or by somebody else: it is never carried out, least of all under TLS.
 * What arrives later is no handshake, and fails as one.
 */
#include "edge/smtp/cmd.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"

bool
cmd_offers_tls(const struct session *s)
{
	return s->edge->set.has_tls && !s->origin.is_secure &&
	    !origin_is_local(&s->origin);
}

static enum taken
begin(struct session *s, const struct reply *no)
{
	if (no != NULL) {
		session_say(s, no);
		return REFUSED;
	}
	cmd_say_yes(s, POINT_STARTTLS);
	return TAKEN;
}

enum taken
cmd_starttls(struct session *s, struct span args)
{
	if (s->origin.is_secure)
		session_refuse(s, 503, "5.5.1", "TLS already active");
	else if (!cmd_offers_tls(s))
		session_refuse(s, 502, "5.5.1", "Command not implemented");
	else if (!s->origin.is_extended)
		session_refuse(s, 503, "5.5.1", "Say EHLO first");
	else if (args.len > 0)
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
	else if (s->has_more) {
		session_refuse(s, 554, "5.5.1",
		    "Nothing may be sent behind STARTTLS");
		session_close(s, true);
	} else if (!s->edge->can_tls)
		session_refuse(s, 454, "4.7.0", "TLS not available");
	else
		return stage_run(s, AT_STARTTLS, begin);
	return REFUSED;
}
