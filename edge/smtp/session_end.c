/*
 * session_end.c - the end that we bring about, whatever is under way.
 */
#include "edge/smtp/auth.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

void
session_end(struct session *s, const char *dsn, const char *text)
{
	if (s->state == ST_CLOSED)
		return;
	session_goodbye(s, dsn, text);
	transaction_end(&s->transaction);
	auth_end(&s->auth);
}

void
session_hang_up(struct session *s, const char *dsn, const char *text)
{
	session_refuse(s, 500, dsn, "%s", text);
	transaction_end(&s->transaction);
	auth_end(&s->auth);
	session_close(s, true);
}
