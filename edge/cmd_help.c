/*
 * cmd_help.c - HELP, RFC 5321 4.1.1.8.
 */
#include "edge/cmd.h"
#include "edge/session.h"

bool
cmd_help(struct session *s, struct span args)
{
	session_reply(s, 214, "2.0.0",
	    "EHLO HELO STARTTLS AUTH MAIL RCPT DATA RSET NOOP VRFY HELP "
	    "QUIT");
	return true;
}
