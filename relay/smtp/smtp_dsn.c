/*
 * smtp_dsn.c - values go out as they came in, byte for byte; but an ORCPT of
 * UTF-8 is written in ASCII where this transaction is without SMTPUTF8
 * (RFC 6533 3), and left out where that makes it too long.
 *
 * An LMTP server that offers no DSN has no queue either (RFC 2033 1): what it
 * has said yes to is in the mailbox.
 */
#include "mail/dsn.h"
#include "relay/smtp/smtp_dsn.h"
#include "relay/smtp/smtp_say.h"

void
smtp_dsn_say_mail(struct smtp_client *c)
{
	const struct delivery *d = c->delivery;

	if (d->ret != DSN_RET_NONE)
		smtp_say(c, " RET=%s",
		    d->ret == DSN_RET_FULL ? "FULL" : "HDRS");
	if (d->envid.len > 0)
		smtp_say(c, " ENVID=%.*s", (int)d->envid.len,
		    d->envid.ptr);
}

void
smtp_dsn_say_rcpt(struct smtp_client *c, const struct delivery_rcpt *r)
{
	char notify[DSN_NOTIFY_TEXT], text[DSN_ORCPT_MAX];
	struct span orcpt = r->orcpt;

	if (r->notify != 0)
		smtp_say(c, " NOTIFY=%.*s",
		    (int)dsn_notify_text(r->notify, notify).len, notify);
	if (orcpt.len > 0 && !c->is_utf8)
		orcpt = dsn_orcpt_ascii(orcpt, text);
	if (orcpt.len > 0)
		smtp_say(c, " ORCPT=%.*s", (int)orcpt.len, orcpt.ptr);
}

struct verdict
smtp_dsn_verdict(const struct smtp_client *c, const struct verdict *v)
{
	struct verdict w = *v;

	if (w.class != CLASS_DONE)
		return w;
	if (c->ehlo.has & EHLO_DSN)
		w.flags |= RESULT_PASSED;
	else if (c->target->is_lmtp)
		w.flags |= RESULT_FINAL;
	return w;
}
