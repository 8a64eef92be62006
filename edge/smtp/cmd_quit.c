/*
 * cmd_quit.c - QUIT, RFC 5321 4.1.1.10; ends a transaction that is open.
 */
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

enum taken
cmd_quit(struct session *s, struct span args)
{
	if (args.len > 0) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		return REFUSED;
	}
	transaction_end(&s->transaction);
	session_reply(s, 221, "2.0.0", "Bye");
	return TAKEN;
}
