/*
 * submit.c - the dialogue with the edge; of all recipients who are refused it
 * is noted why.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/sendmail/smtp.h"
#include "ctl/sendmail/submit.h"
#include "mail/address_say.h"
#include "mail/dsn.h"

/* What a failure of the connection means. */
static int
lost(struct letter *l, enum err e, const char *path)
{
	if (e == ERR_NONE)
		return letter_complain(l, EX_TEMPFAIL,
		    "postern is not running, or has no edge at %s", path);
	if (e == ERR_CLOSED)
		return letter_complain(l, EX_TEMPFAIL, "the server went away");
	if (e == ERR_AGAIN)
		return letter_complain(l, EX_TEMPFAIL, "the server is silent");
	if (e == ERR_PEER)
		return letter_complain(l, EX_PROTOCOL,
		    "this is no SMTP server: %s", path);
	return letter_complain(l, errno == EACCES || errno == EPERM ?
	    EX_NOPERM : EX_TEMPFAIL, "%s: %s", path, strerror(errno));
}

/* A reply that is not what was wanted; 4xx is for later, 5xx as given. */
static int
refused(struct letter *l, const struct smtp *s, const char *what, int status)
{
	return letter_complain(l, s->code / 100 == 5 ? status : EX_TEMPFAIL,
	    "%s: %s", what, s->text);
}

/* RET and ENVID, each with a blank in front. */
static void
dsn_params(const struct args *a, char *buf, size_t cap)
{
	snprintf(buf, cap, "%s%s%.*s",
	    a->ret == DSN_RET_FULL ? " RET=FULL" :
	    a->ret == DSN_RET_HDRS ? " RET=HDRS" : "",
	    a->envid_len > 0 ? " ENVID=" : "", (int)a->envid_len, a->envid);
}

static int
say_mail(struct letter *l, struct smtp *s, const char *path)
{
	const char *eight = l->text.is_8bit &&
	    (s->ehlo.has & EHLO_8BITMIME) != 0 ? " BODY=8BITMIME" : "";
	const char *utf8 = l->is_utf8 && (s->ehlo.has & EHLO_SMTPUTF8) != 0 ?
	    " SMTPUTF8" : "";
	char size[40] = "", dsn[DSN_ENVID_MAX + 40] = "";
	char ascii[ADDRESS_KEY_MAX];
	struct span sender = address_say(span_of(l->sender),
	    utf8[0] != '\0', ascii);
	enum err e;

	if ((s->ehlo.has & EHLO_SIZE) != 0)
		snprintf(size, sizeof(size), " SIZE=%" PRIu64,
		    l->header_len + l->text.body_len);
	if ((s->ehlo.has & EHLO_DSN) != 0)
		dsn_params(l->args, dsn, sizeof(dsn));
	e = smtp_say(s, "MAIL FROM:<%.*s>%s%s%s%s", (int)sender.len,
	    sender.ptr, size, eight, utf8, dsn);
	if (e != OK)
		return lost(l, e, path);
	return s->code == 250 ? EX_OK :
	    refused(l, s, l->sender[0] != '\0' ? l->sender : "<>", EX_DATAERR);
}

/*
 * All from *next on are asked, so that all that are wrong are told at once; or
 * as many as the server takes in one transaction, RFC 5321 4.5.3.1.10.
 */
static int
say_rcpts(struct letter *l, struct smtp *s, const char *path, size_t *next)
{
	bool asks = l->args->notify != 0 && (s->ehlo.has & EHLO_DSN) != 0;
	bool utf8 = (s->ehlo.has & EHLO_SMTPUTF8) != 0;
	char notify[DSN_NOTIFY_TEXT], ascii[ADDRESS_KEY_MAX];
	struct span list = dsn_notify_text(l->args->notify, notify);
	size_t from = *next;
	int status = EX_OK, one;

	for (; *next < l->rcpt_cnt; (*next)++) {
		const char *rcpt = l->rcpts[*next];
		struct span as = address_say(span_of(rcpt), utf8, ascii);
		enum err e = smtp_say(s, "RCPT TO:<%.*s>%s%.*s", (int)as.len,
		    as.ptr, asks ? " NOTIFY=" : "", asks ? (int)list.len : 0,
		    notify);

		if (e != OK)
			return lost(l, e, path);
		if (s->code / 100 == 2)
			continue;
		if (s->code == 452 && *next > from && status == EX_OK)
			break;
		one = refused(l, s, rcpt, EX_NOUSER);
		if (status != EX_NOUSER)
			status = one;
	}
	return status;
}

static enum err
say_body(struct letter *l, struct smtp *s)
{
	char buf[65536];
	size_t n;
	enum err e = OK;

	rewind(l->text.body);
	dot_init(&s->dot);
	e = smtp_text(s, (struct span){ l->header, l->header_len });
	while (e == OK && (n = fread(buf, 1, sizeof(buf), l->text.body)) > 0)
		e = smtp_text(s, (struct span){ buf, n });
	if (e == OK && ferror(l->text.body))
		e = ERR_SYS;
	return e;
}

/* A server that stops listening half way has said why: look for its reply. */
static int
say_text(struct letter *l, struct smtp *s, const char *path)
{
	enum err e = smtp_say(s, "DATA");

	if (e == OK && s->code != 354)
		return refused(l, s, "DATA", EX_DATAERR);
	if (e == OK)
		e = say_body(l, s);
	if (e == OK)
		e = smtp_text_end(s);
	else if (e == ERR_CLOSED)
		e = smtp_reply(s);
	if (e != OK)
		return lost(l, e, path);
	return s->code == 250 ? EX_OK :
	    refused(l, s, "the message", EX_DATAERR);
}

static int
greet(struct letter *l, struct smtp *s, const char *path)
{
	enum err e = smtp_reply(s);

	if (e == OK && s->code != 220)
		return refused(l, s, path, EX_UNAVAILABLE);
	if (e == OK)
		e = smtp_hello(s, l->who.host);
	if (e != OK)
		return lost(l, e, path);
	return s->code == 250 ? EX_OK : refused(l, s, path, EX_UNAVAILABLE);
}

/* What say_rcpts() began is not to be. */
static int
say_reset(struct letter *l, struct smtp *s, const char *path)
{
	enum err e = smtp_say(s, "RSET");

	if (e != OK)
		return lost(l, e, path);
	return s->code == 250 ? EX_OK : refused(l, s, path, EX_UNAVAILABLE);
}

/* One transaction for those from *next on. */
static int
say_some(struct letter *l, struct smtp *s, const char *path, size_t *next)
{
	int status = say_mail(l, s, path);

	return status == EX_OK ? say_rcpts(l, s, path, next) : status;
}

/* Would all from next on be taken? */
static int
rehearse(struct letter *l, struct smtp *s, const char *path, size_t next)
{
	int status = EX_OK;

	while (status == EX_OK && next < l->rcpt_cnt)
		if ((status = say_some(l, s, path, &next)) == EX_OK)
			status = say_reset(l, s, path);
	return status;
}

static int
say_in_parts(struct letter *l, struct smtp *s, const char *path,
    size_t *done)
{
	size_t next = 0;
	int status = EX_OK;

	while (status == EX_OK && next < l->rcpt_cnt) {
		if ((status = say_some(l, s, path, &next)) == EX_OK)
			status = say_text(l, s, path);
		if (status == EX_OK)
			*done = next;
	}
	return status;
}

/*
 * One transaction, as a rule.  Where that cannot hold all recipients each is
 * asked about before the first gets anything.
 */
static int
say_all(struct letter *l, struct smtp *s, const char *path, size_t *done)
{
	size_t next = 0;
	int status = say_some(l, s, path, &next);

	if (status == EX_OK && next == l->rcpt_cnt) {
		if ((status = say_text(l, s, path)) == EX_OK)
			*done = next;
		return status;
	}
	if (status == EX_OK)
		status = say_reset(l, s, path);
	if (status == EX_OK)
		status = rehearse(l, s, path, next);
	return status == EX_OK ? say_in_parts(l, s, path, done) : status;
}

int
submit_letter(struct letter *l, const char *path, size_t *done)
{
	struct smtp s;
	enum err e = smtp_open(&s, path, l->args->is_loud);
	int status = e == OK ? greet(l, &s, path) : lost(l, e, path);

	*done = 0;
	if (status == EX_OK)
		status = say_all(l, &s, path, done);
	smtp_close(&s);
	return status;
}

/* What the server says of each; it is not to have anything of it. */
static int
ask_each(struct letter *l, struct smtp *s, const char *path, FILE *out)
{
	int status = EX_OK;

	for (size_t i = 0; i < l->rcpt_cnt; i++) {
		enum err e = smtp_say(s, "RCPT TO:<%s>", l->rcpts[i]);

		if (e != OK)
			return lost(l, e, path);
		if (s->code / 100 == 2)
			fprintf(out, "%s... deliverable\n", l->rcpts[i]);
		else
			fprintf(out, "%s... %s\n", l->rcpts[i], s->text);
		if (s->code / 100 == 5)
			status = EX_NOUSER;
		else if (s->code / 100 != 2 && status == EX_OK)
			status = EX_TEMPFAIL;
	}
	return status;
}

int
submit_verify(struct letter *l, const char *path, FILE *out)
{
	struct smtp s;
	enum err e = smtp_open(&s, path, l->args->is_loud);
	int status = e == OK ? greet(l, &s, path) : lost(l, e, path);

	if (status == EX_OK)
		status = say_mail(l, &s, path);
	if (status == EX_OK)
		status = ask_each(l, &s, path, out);
	smtp_close(&s);
	return status;
}
