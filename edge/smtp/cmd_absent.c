/*
 * cmd_absent.c - commands we know of and do not carry out (RFC 5321 4.2.4),
 * and words that no mail client says.
 *
 * A browser, or a server that was lied to, may be made to send a request here
 * whose body reads like SMTP.  Its first word tells; nothing behind it is
 * looked at.
 */
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

enum taken
cmd_absent(struct session *s, struct span args)
{
	session_refuse(s, 502, "5.5.1", "Command not implemented");
	return REFUSED;
}

enum taken
cmd_foreign(struct session *s, struct span args)
{
	session_refuse(s, 500, "5.5.2", "This is a mail server");
	transaction_end(&s->transaction);
	s->seat.is_hasty = true;
	return TAKEN;
}
