/*
 * cmd_data.c - DATA, RFC 5321 4.1.1.4.  The text itself is text.c's.
 */
#include "edge/cmd.h"
#include "edge/edge.h"
#include "edge/session.h"
#include "edge/text.h"
#include "edge/transaction.h"

bool
cmd_data(struct session *s, struct span args)
{
	if (args.len > 0) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		return false;
	}
	if (!cmd_queue_is_there(s))
		return false;
	text_begin(s->transaction);
	session_reply(s, 354, "",
	    "Start mail input; end with <CRLF>.<CRLF>");
	return true;
}

/* A sender but no recipient that we took (RFC 5321 3.3). */
bool
cmd_data_early(struct session *s, struct span args)
{
	if (s->transaction->refused_cnt > 0)
		session_refuse(s, 554, "5.5.1", "No valid recipients given");
	else
		session_refuse(s, 503, "5.5.1", "No valid recipients given");
	return false;
}
