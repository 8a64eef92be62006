/*
 * letter.c - all that can be found wrong with the message is found before
 * anybody is talked to.
 */
#include <sys/random.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/utf8.h"
#include "ctl/sendmail/fields.h"
#include "ctl/sendmail/letter.h"
#include "mail/date.h"
#include "sys/clock.h"

#define COMPLAINT_MAX	1024

/* It may quote the message, which is not to play with anybody's terminal. */
int
letter_complain(struct letter *l, int status, const char *format, ...)
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
	if (l->complaints != NULL)
		fprintf(l->complaints, "%s\n", text);
	return status;
}

/* Whom from, whom to. */

static enum err
take_sender(struct span address, void *arg)
{
	struct letter *l = arg;

	if (l->sender[0] != '\0')
		return ERR_FULL;	/* two senders are none */
	l->is_utf8 |= !utf8_is_ascii(address);
	return span_cstr(address, l->sender, sizeof(l->sender)) ? OK :
	    ERR_FULL;
}

static int
find_sender(struct letter *l)
{
	const char *given = l->args->sender;
	struct span bad, domain = span_of(l->who.host);

	if (given != NULL && (given[0] == '\0' || strcmp(given, "<>") == 0))
		return EX_OK;
	if (given == NULL)
		given = l->who.login;
	if (mailbox_list(span_of(given), domain, take_sender, l, &bad) != OK ||
	    l->sender[0] == '\0')
		return letter_complain(l, EX_USAGE,
		    "\"%s\" is no sender", given);
	return EX_OK;
}

/* The same address twice is one recipient. */
static enum err
take_rcpt(struct span address, void *arg)
{
	struct letter *l = arg;

	for (size_t i = 0; i < l->rcpt_cnt; i++)
		if (span_eq(span_of(l->rcpts[i]), address))
			return OK;
	if (l->rcpt_cnt == RCPTS_MAX)
		return ERR_FULL;
	l->rcpts[l->rcpt_cnt] = strndup(address.ptr, address.len);
	if (l->rcpts[l->rcpt_cnt] == NULL)
		return ERR_SYS;
	l->rcpt_cnt++;
	l->is_utf8 |= !utf8_is_ascii(address);
	return OK;
}

/* A list of the command line (status 64) or of the header (65). */
static int
take_rcpts(struct letter *l, struct span list, int status)
{
	struct span bad;
	enum err e = mailbox_list(list, span_of(l->who.host), take_rcpt, l,
	    &bad);

	if (e == OK)
		return EX_OK;
	if (e == ERR_FULL)
		return letter_complain(l, EX_DATAERR, "more than %d recipients",
		    RCPTS_MAX);
	if (e == ERR_SYS)
		return letter_complain(l, EX_TEMPFAIL, "no memory");
	bad = span_head(bad, span_find(bad, '\r'));
	return letter_complain(l, status, "no address: %.*s", (int)bad.len,
	    bad.ptr);
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
find_rcpts(struct letter *l)
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
		status = letter_complain(l, EX_USAGE,
		    l->args->reads_recipients ?
		    "the header names no recipient" :
		    "who is to get it?  Say an address, or -t");
	return status;
}

/* The header as it is sent. */

static void
add_from(struct letter *l, FILE *out)
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
add_missing(struct letter *l, FILE *out)
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
make_header(struct letter *l)
{
	struct span header = l->text.header;
	FILE *out = open_memstream(&l->header, &l->header_len);
	struct field f;

	if (out == NULL)
		return letter_complain(l, EX_TEMPFAIL, "no memory");
	while (fields_next(&header, &f))
		if (!fields_is_blind(&f))
			fwrite(f.whole.ptr, 1, f.whole.len, out);
	add_missing(l, out);
	fputs("\r\n", out);
	return fclose(out) == EOF ?
	    letter_complain(l, EX_TEMPFAIL, "no memory") : EX_OK;
}

int
letter_init(struct letter *l, const struct args *args)
{
	*l = (struct letter){ .args = args };
	l->complaints = open_memstream(&l->complaint, &l->complaint_len);
	l->rcpts = calloc(RCPTS_MAX, sizeof(*l->rcpts));
	who_find(&l->who, args->home);
	return l->complaints == NULL || l->rcpts == NULL ?
	    letter_complain(l, EX_TEMPFAIL, "no memory") : EX_OK;
}

int
letter_read(struct letter *l, FILE *in)
{
	enum err e;
	int status;

	if ((status = find_sender(l)) != EX_OK)
		return status;
	e = text_read(&l->text, in, l->args->is_dotted ? TEXT_DOTTED :
	    l->args->dot_is_text ? TEXT_EOF : TEXT_DOT, &l->has_ended);
	if (e == ERR_FULL)
		return letter_complain(l, EX_DATAERR,
		    "the header is too long");
	if (e != OK)
		return letter_complain(l, EX_IOERR,
		    "cannot read the message: %s", strerror(errno));
	if ((status = find_rcpts(l)) != EX_OK)
		return status;
	return make_header(l);
}

int
letter_address(struct letter *l)
{
	int status = find_sender(l);

	return status == EX_OK ? find_rcpts(l) : status;
}

const char *
letter_complaint(struct letter *l)
{
	if (l->complaints == NULL || fflush(l->complaints) == EOF)
		return "no memory\n";
	return l->complaint;
}

void
letter_fini(struct letter *l)
{
	for (size_t i = 0; i < l->rcpt_cnt; i++)
		free(l->rcpts[i]);
	free(l->rcpts);
	free(l->header);
	text_free(&l->text);
	if (l->complaints != NULL)
		fclose(l->complaints);
	free(l->complaint);
}
