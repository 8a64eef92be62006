/*
 * cmd_vrfy.c - VRFY, RFC 5321 3.5.3 and 7.3: the same answer for everybody,
 * so that nobody learns who lives here.
 */
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"

enum taken
cmd_vrfy(struct session *s, struct span args)
{
	if (args.len == 0) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		return REFUSED;
	}
	session_reply(s, 252, "2.5.0",
	    "Cannot VRFY user, but will accept message and attempt delivery");
	return TAKEN;
}
