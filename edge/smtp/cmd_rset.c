/*
 * cmd_rset.c - RSET, RFC 5321 4.1.1.5.
 */
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

enum taken
cmd_rset(struct session *s, struct span args)
{
	if (args.len > 0) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		return REFUSED;
	}
	transaction_end(&s->transaction);
	session_reply(s, 250, "2.0.0", "Ok");
	return TAKEN;
}
