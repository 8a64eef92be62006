/*
 * cmd_rset.c - RSET, RFC 5321 4.1.1.5.
 */
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

static enum taken
forget(struct session *s, const struct reply *no)
{
	if (no != NULL) {
		session_say(s, no);
		return REFUSED;
	}
	transaction_end(&s->transaction);
	cmd_say_yes(s, POINT_RSET);
	return TAKEN;
}

enum taken
cmd_rset(struct session *s, struct span args)
{
	if (args.len > 0) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		return REFUSED;
	}
	return stage_run(s, AT_RSET, forget);
}
