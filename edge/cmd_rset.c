/*
 * cmd_rset.c - RSET, RFC 5321 4.1.1.5.
 */
#include "edge/cmd.h"
#include "edge/session.h"
#include "edge/transaction.h"

bool
cmd_rset(struct session *s, struct span args)
{
	if (args.len > 0) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		return false;
	}
	transaction_end(&s->transaction);
	session_reply(s, 250, "2.0.0", "Ok");
	return true;
}
