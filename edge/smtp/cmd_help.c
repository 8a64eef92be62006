/*
 * cmd_help.c - HELP, RFC 5321 4.1.1.8: the commands that can be said here.
 */
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"

enum taken
cmd_help(struct session *s, struct span args)
{
	session_reply(s, 214, "2.0.0",
	    "%s%s%s MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT",
	    s->origin.is_lmtp ? "LHLO" : "EHLO HELO",
	    cmd_offers_tls(s) ? " STARTTLS" : "",
	    cmd_offers_auth(s) ? " AUTH" : "");
	return TAKEN;
}
