/*
 * handover.c - all that can be found wrong with the message is found before the
 * edge is talked to.
 */
#include <sys/random.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "ctl/sendmail/fields.h"
#include "ctl/sendmail/handover.h"
#include "ctl/sendmail/mailbox.h"
#include "ctl/sendmail/smtp.h"
#include "ctl/sendmail/text.h"
#include "ctl/sendmail/who.h"
#include "mail/date.h"
#include "mail/dsn.h"
#include "sys/clock.h"

#define COMPLAINT_MAX	1024

struct handover {
	const struct args *args;
	struct text	 text;
	struct who	 who;
	char		 sender[MAILBOX_MAX];	/* "" nobody		*/
	char		**rcpts;
	size_t		 rcpt_cnt;
	bool		 is_utf8;		/* some address is	*/
	char		*header;		/* as it is sent	*/
	size_t		 header_len;
};

static int
complain(int status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* It may quote the message, which is not to play with anybody's terminal. */
static int
complain(int status, const char *format, ...)
{
	char text[COMPLAINT_MAX];
	va_list args;
	size_t len;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *at = text; *at != '\0'; at += len) {
		len = *at >= ' ' && *at <= '~' ? 1 : utf8_len(span_of(at));
		if (len == 0) {
			*at = '?';
			len = 1;
		}
	}
	fprintf(stderr, "sendmail: %s\n", text);
	return status;
}

static bool
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] & 0x80)
			return false;
	return true;
}

/* Whom from, whom to. */

static enum err
take_sender(struct span address, void *arg)
{
	struct handover *l = arg;

	if (l->sender[0] != '\0')
		return ERR_FULL;	/* two senders are none */
	l->is_utf8 |= !is_ascii(address);
	return span_cstr(address, l->sender, sizeof(l->sender)) ? OK :
	    ERR_FULL;
}

static int
find_sender(struct handover *l)
{
	const char *given = l->args->sender;
	struct span bad, domain = span_of(l->who.host);

	if (given != NULL && (given[0] == '\0' || strcmp(given, "<>") == 0))
		return EX_OK;
	if (given == NULL)
		given = l->who.login;
	if (mailbox_list(span_of(given), domain, take_sender, l, &bad) != OK ||
	    l->sender[0] == '\0')
		return complain(EX_USAGE, "\"%s\" is no sender", given);
	return EX_OK;
}

/* The same address twice is one recipient. */
static enum err
take_rcpt(struct span address, void *arg)
{
	struct handover *l = arg;

	for (size_t i = 0; i < l->rcpt_cnt; i++)
		if (span_eq(span_of(l->rcpts[i]), address))
			return OK;
	if (l->rcpt_cnt == RCPTS_MAX)
		return ERR_FULL;
	l->rcpts[l->rcpt_cnt] = strndup(address.ptr, address.len);
	if (l->rcpts[l->rcpt_cnt] == NULL)
		return ERR_SYS;
	l->rcpt_cnt++;
	l->is_utf8 |= !is_ascii(address);
	return OK;
}

/* A list of the command line (status 64) or of the header (65). */
static int
take_rcpts(struct handover *l, struct span list, int status)
{
	struct span bad;
	enum err e = mailbox_list(list, span_of(l->who.host), take_rcpt, l,
	    &bad);

	if (e == OK)
		return EX_OK;
	if (e == ERR_FULL)
		return complain(EX_DATAERR, "more than %d recipients",
		    RCPTS_MAX);
	if (e == ERR_SYS)
		return complain(EX_TEMPFAIL, "no memory");
	bad = span_head(bad, span_find(bad, '\r'));
	return complain(status, "no address: %.*s", (int)bad.len, bad.ptr);
}

static bool
is_resent(struct span header)
{
	struct field f;

	while (fields_next(&header, &f))
		if (fields_is_recipient(&f, true))
			return true;
	return false;
}

static int
find_rcpts(struct handover *l)
{
	struct span header = l->text.header;
	bool resent = is_resent(header);
	struct field f;
	int status = EX_OK;

	for (int i = 0; i < l->args->rcpt_cnt && status == EX_OK; i++)
		status = take_rcpts(l, span_of(l->args->rcpts[i]), EX_USAGE);
	while (l->args->reads_recipients && status == EX_OK &&
	    fields_next(&header, &f))
		if (fields_is_recipient(&f, resent))
			status = take_rcpts(l, f.body, EX_DATAERR);
	if (status == EX_OK && l->rcpt_cnt == 0)
		status = complain(EX_USAGE, l->args->reads_recipients ?
		    "the header names no recipient" :
		    "who is to get it?  Say an address, or -t");
	return status;
}

/* The header as it is sent. */

static void
add_from(struct handover *l, FILE *out)
{
	const char *name = l->args->name != NULL ? l->args->name :
	    l->who.name;
	char address[sizeof(l->who.login) + sizeof(l->who.host) + 1];
	char from[1024];

	if (l->sender[0] != '\0')
		(void)strlcpy(address, l->sender, sizeof(address));
	else
		snprintf(address, sizeof(address), "%s@%s", l->who.login,
		    l->who.host);
	who_from(span_of(name), span_of(address), from, sizeof(from));
	fprintf(out, "From: %s\r\n", from);
}

static void
add_missing(struct handover *l, FILE *out)
{
	struct span header = l->text.header;
	int64_t now_ms = clock_wall_ms();
	char date[DATE_TEXT_LEN + 1];
	uint64_t random = 0;

	if (!fields_has(header, SPAN("From")))
		add_from(l, out);
	if (!fields_has(header, SPAN("Date"))) {
		date_text(now_ms, date);
		fprintf(out, "Date: %s\r\n", date);
	}
	if (!fields_has(header, SPAN("Message-ID"))) {
		(void)!getrandom(&random, sizeof(random), 0);
		fprintf(out, "Message-ID: <%" PRId64 ".%d.%016" PRIx64
		    "@%s>\r\n", now_ms, (int)getpid(), random, l->who.host);
	}
}

static int
make_header(struct handover *l)
{
	struct span header = l->text.header;
	FILE *out = open_memstream(&l->header, &l->header_len);
	struct field f;

	if (out == NULL)
		return complain(EX_TEMPFAIL, "no memory");
	while (fields_next(&header, &f))
		if (!fields_is_blind(&f))
			fwrite(f.whole.ptr, 1, f.whole.len, out);
	add_missing(l, out);
	fputs("\r\n", out);
	return fclose(out) == EOF ? complain(EX_TEMPFAIL, "no memory") :
	    EX_OK;
}

/* The dialogue. */

/* What a failure of the connection means. */
static int
lost(enum err e, const char *path)
{
	if (e == ERR_NONE)
		return complain(EX_TEMPFAIL, "postern is not running, or has "
		    "no edge at %s", path);
	if (e == ERR_CLOSED)
		return complain(EX_TEMPFAIL, "the server went away");
	if (e == ERR_AGAIN)
		return complain(EX_TEMPFAIL, "the server is silent");
	if (e == ERR_PEER)
		return complain(EX_PROTOCOL, "this is no SMTP server: %s",
		    path);
	return complain(errno == EACCES || errno == EPERM ? EX_NOPERM :
	    EX_TEMPFAIL, "%s: %s", path, strerror(errno));
}

/* A reply that is not what was wanted; 4xx is for later, 5xx as given. */
static int
refused(const struct smtp *s, const char *what, int status)
{
	return complain(s->code / 100 == 5 ? status : EX_TEMPFAIL,
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
say_mail(struct handover *l, struct smtp *s, const char *path)
{
	const char *eight = l->text.is_8bit &&
	    (s->ehlo.has & EHLO_8BITMIME) != 0 ? " BODY=8BITMIME" : "";
	const char *utf8 = l->is_utf8 && (s->ehlo.has & EHLO_SMTPUTF8) != 0 ?
	    " SMTPUTF8" : "";
	char size[40] = "", dsn[DSN_ENVID_MAX + 40] = "";
	enum err e;

	if ((s->ehlo.has & EHLO_SIZE) != 0)
		snprintf(size, sizeof(size), " SIZE=%" PRIu64,
		    l->header_len + l->text.body_len);
	if ((s->ehlo.has & EHLO_DSN) != 0)
		dsn_params(l->args, dsn, sizeof(dsn));
	e = smtp_say(s, "MAIL FROM:<%s>%s%s%s%s", l->sender, size, eight,
	    utf8, dsn);
	if (e != OK)
		return lost(e, path);
	return s->code == 250 ? EX_OK :
	    refused(s, l->sender[0] != '\0' ? l->sender : "<>", EX_DATAERR);
}

/*
 * All from *next on are asked, so that all that are wrong are told at once; or
 * as many as the server takes in one transaction, RFC 5321 4.5.3.1.10.
 */
static int
say_rcpts(struct handover *l, struct smtp *s, const char *path, size_t *next)
{
	bool asks = l->args->notify != 0 && (s->ehlo.has & EHLO_DSN) != 0;
	char notify[DSN_NOTIFY_TEXT];
	struct span list = dsn_notify_text(l->args->notify, notify);
	size_t from = *next;
	int status = EX_OK, one;

	for (; *next < l->rcpt_cnt; (*next)++) {
		const char *rcpt = l->rcpts[*next];
		enum err e = smtp_say(s, "RCPT TO:<%s>%s%.*s", rcpt,
		    asks ? " NOTIFY=" : "", asks ? (int)list.len : 0,
		    notify);

		if (e != OK)
			return lost(e, path);
		if (s->code / 100 == 2)
			continue;
		if (s->code == 452 && *next > from && status == EX_OK)
			break;
		one = refused(s, rcpt, EX_NOUSER);
		if (status != EX_NOUSER)
			status = one;
	}
	return status;
}

static enum err
say_body(struct handover *l, struct smtp *s)
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
say_text(struct handover *l, struct smtp *s, const char *path)
{
	enum err e = smtp_say(s, "DATA");

	if (e == OK && s->code != 354)
		return refused(s, "DATA", EX_DATAERR);
	if (e == OK)
		e = say_body(l, s);
	if (e == OK)
		e = smtp_text_end(s);
	else if (e == ERR_CLOSED)
		e = smtp_reply(s);
	if (e != OK)
		return lost(e, path);
	return s->code == 250 ? EX_OK :
	    refused(s, "the message", EX_DATAERR);
}

static int
greet(struct handover *l, struct smtp *s, const char *path)
{
	enum err e = smtp_reply(s);

	if (e == OK && s->code != 220)
		return refused(s, path, EX_UNAVAILABLE);
	if (e == OK)
		e = smtp_hello(s, l->who.host);
	if (e != OK)
		return lost(e, path);
	return s->code == 250 ? EX_OK : refused(s, path, EX_UNAVAILABLE);
}

/* What say_rcpts() began is not to be. */
static int
say_reset(struct smtp *s, const char *path)
{
	enum err e = smtp_say(s, "RSET");

	if (e != OK)
		return lost(e, path);
	return s->code == 250 ? EX_OK : refused(s, path, EX_UNAVAILABLE);
}

/* The transactions for those from next on, or only a rehearsal. */
static int
say_from(struct handover *l, struct smtp *s, const char *path, size_t next,
    bool is_rehearsal)
{
	int status = EX_OK;

	while (status == EX_OK && next < l->rcpt_cnt) {
		if ((status = say_mail(l, s, path)) == EX_OK)
			status = say_rcpts(l, s, path, &next);
		if (status == EX_OK)
			status = is_rehearsal ? say_reset(s, path) :
			    say_text(l, s, path);
	}
	return status;
}

/*
 * One transaction, as a rule.  Where that cannot hold all recipients each is
 * asked about before the first gets anything.
 */
static int
say_all(struct handover *l, struct smtp *s, const char *path)
{
	size_t next = 0;
	int status = say_mail(l, s, path);

	if (status == EX_OK)
		status = say_rcpts(l, s, path, &next);
	if (status == EX_OK && next == l->rcpt_cnt)
		return say_text(l, s, path);
	if (status == EX_OK)
		status = say_reset(s, path);
	if (status == EX_OK)
		status = say_from(l, s, path, next, true);
	return status == EX_OK ? say_from(l, s, path, 0, false) : status;
}

static int
hand_over(struct handover *l, const char *path)
{
	struct smtp s;
	enum err e = smtp_open(&s, path, l->args->is_loud);
	int status = e == OK ? greet(l, &s, path) : lost(e, path);

	if (status == EX_OK)
		status = say_all(l, &s, path);
	smtp_close(&s);
	return status;
}

static int
prepare(struct handover *l, FILE *in)
{
	enum err e;
	int status;

	who_find(&l->who);
	if ((status = find_sender(l)) != EX_OK)
		return status;
	e = text_read(&l->text, in, !l->args->dot_is_text);
	if (e == ERR_FULL)
		return complain(EX_DATAERR, "the header is too long");
	if (e != OK)
		return complain(EX_IOERR, "cannot read the message: %s",
		    strerror(errno));
	if ((status = find_rcpts(l)) != EX_OK)
		return status;
	return make_header(l);
}

int
handover_send(const struct args *args, FILE *in, const char *socket_path)
{
	struct handover l = { .args = args };
	int status;

	l.rcpts = calloc(RCPTS_MAX, sizeof(*l.rcpts));
	if (l.rcpts == NULL)
		return complain(EX_TEMPFAIL, "no memory");
	status = prepare(&l, in);
	if (status == EX_OK)
		status = hand_over(&l, socket_path);
	for (size_t i = 0; i < l.rcpt_cnt; i++)
		free(l.rcpts[i]);
	free(l.rcpts);
	free(l.header);
	text_free(&l.text);
	return status;
}
