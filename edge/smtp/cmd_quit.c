/*
 * cmd_quit.c - QUIT, RFC 5321 4.1.1.10; ends a transaction that is open.
 */
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

/* It is the last reply, whatever it says. */
static enum taken
leave(struct session *s, const struct reply *no)
{
	transaction_end(&s->transaction);
	if (no != NULL)
		session_say(s, no);
	else
		cmd_say_yes(s, POINT_QUIT);
	return TAKEN;
}

enum taken
cmd_quit(struct session *s, struct span args)
{
	if (args.len > 0) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		return REFUSED;
	}
	return stage_run(s, AT_QUIT, leave);
}
