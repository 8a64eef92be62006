/*
 * bounce.c - lines are kept below 998 bytes (RFC 5322 2.1.1), everything but an
 * SMTPUTF8 address is ASCII, and the boundary is the report's own id, which
 * nobody could know when the original was written.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "mail/date.h"
#include "queue/bounce.h"

#define CUT	900	/* bytes of a foreign string that go into a line */

static bool
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x80)
			return false;
	return true;
}

bool
bounce_is_utf8(const struct bounce *b)
{
	return !is_ascii(b->to);
}

/* Foreign text within a line: no controls, no 8-bit, not too long. */
static void
put_safe(FILE *f, struct span s)
{
	for (size_t i = 0; i < s.len && i < CUT; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c >= 0x7f)
			c = '?';
		fputc(c < ' ' ? ' ' : c, f);
	}
}

/* The number a well-formed UTF-8 character of len bytes stands for. */
static unsigned
code_point(const char *p, size_t len)
{
	unsigned v = (unsigned char)p[0] & (0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++)
		v = v << 6 | ((unsigned char)p[i] & 0x3f);
	return v;
}

/* An address in a field of the report: RFC 3464 2.3.2, RFC 6533 3. */
static void
put_address(FILE *f, struct span s)
{
	fputs(is_ascii(s) ? "rfc822; " : "utf-8; ", f);
	for (size_t i = 0, n; i < s.len && i < CUT; i += n) {
		n = 1;
		if ((unsigned char)s.ptr[i] < 0x80) {
			put_safe(f, span_head(span_tail(s, i), 1));
		} else if ((n = utf8_len(span_tail(s, i))) > 0) {
			fprintf(f, "\\x{%X}", code_point(s.ptr + i, n));
		} else {
			fputc('?', f);
			n = 1;
		}
	}
	fputs("\r\n", f);
}

/* Digits from *at on, at most max of them; false when there are none. */
static bool
skip_digits(struct span s, size_t *at, size_t max)
{
	size_t from = *at;

	while (*at < s.len && *at - from < max && s.ptr[*at] >= '0' &&
	    s.ptr[*at] <= '9')
		(*at)++;
	return *at > from;
}

/* class "." subject "." detail: RFC 3463 2. */
static struct span
enhanced_code(struct span s)
{
	struct span none = { NULL, 0 };
	size_t at = 0;

	if (s.len == 0 || (s.ptr[0] != '2' && s.ptr[0] != '4' &&
	    s.ptr[0] != '5'))
		return none;
	for (int i = 0; i < 3; i++) {
		if (i > 0 && (at >= s.len || s.ptr[at++] != '.'))
			return none;
		if (!skip_digits(s, &at, i == 0 ? 1 : 3))
			return none;
	}
	if (at < s.len && s.ptr[at] != ' ')
		return none;
	return span_head(s, at);
}

struct span
bounce_status(const struct bounce_rcpt *r)
{
	struct span code = enhanced_code(r->reply);

	if (r->is_late && code.len == 0)
		return SPAN("4.4.7");	/* RFC 3463 3.5: time expired */
	if (code.len > 0)
		return code;
	return r->code >= 500 ? SPAN("5.0.0") : r->code >= 400 ?
	    SPAN("4.0.0") : SPAN("2.0.0");
}

static void
put_header(FILE *f, const struct bounce *b, const char *boundary)
{
	char date[DATE_TEXT_LEN + 1];

	date_text(b->now_ms, date);
	fprintf(f, "Date: %s\r\nFrom: MAILER-DAEMON@", date);
	put_safe(f, b->hostname);
	fputs("\r\nTo: ", f);
	if (b->to.len <= CUT)
		fprintf(f, "<%.*s>", (int)b->to.len, b->to.ptr);
	else
		fputs("undisclosed-recipients:;", f);
	fputs("\r\nSubject: Undelivered Mail Returned to Sender\r\n"
	    "Auto-Submitted: auto-replied\r\n", f);
	fprintf(f, "Message-ID: <%s@", boundary);
	put_safe(f, b->hostname);
	fprintf(f, ">\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"%s\"\r\n\r\n", boundary);
}

static void
put_reply(FILE *f, const struct bounce_rcpt *r)
{
	if (r->code != 0)
		fprintf(f, "%03u ", r->code);
	put_safe(f, r->reply);
	fputs("\r\n", f);
}

static void
put_words(FILE *f, const struct bounce *b)
{
	fputs("This is the mail system at ", f);
	put_safe(f, b->hostname);
	fputs(".\r\n\r\nYour message could not be delivered to the "
	    "recipients below.\r\nIts header is returned with this "
	    "report.\r\n", f);
	for (uint32_t i = 0; i < b->rcpt_cnt; i++) {
		const struct bounce_rcpt *r = &b->rcpts[i];

		fputs("\r\n<", f);
		put_safe(f, r->address);
		fputs(">\r\n", f);
		if (r->is_late)
			fputs("    given up after trying for too long\r\n",
			    f);
		if (r->hop.len > 0) {
			fputs("    the answer of ", f);
			put_safe(f, r->hop);
			fputs("\r\n", f);
		}
		fputs("    ", f);
		put_reply(f, r);
	}
}

static void
put_status(FILE *f, const struct bounce *b)
{
	char date[DATE_TEXT_LEN + 1];

	date_text(b->arrived_ms, date);
	fputs("Reporting-MTA: dns; ", f);
	put_safe(f, b->hostname);
	fprintf(f, "\r\nArrival-Date: %s\r\n", date);
	for (uint32_t i = 0; i < b->rcpt_cnt; i++) {
		const struct bounce_rcpt *r = &b->rcpts[i];
		struct span status = bounce_status(r);

		fputs("\r\nFinal-Recipient: ", f);
		put_address(f, r->address);
		fprintf(f, "Action: failed\r\nStatus: %.*s\r\n",
		    (int)status.len, status.ptr);
		if (r->hop.len > 0) {
			fputs("Remote-MTA: dns; ", f);
			put_safe(f, r->hop);
			fputs("\r\n", f);
		}
		fputs(r->hop.len > 0 ? "Diagnostic-Code: smtp; " :
		    "Diagnostic-Code: x-postern; ", f);
		put_reply(f, r);
	}
}

/* Lines of the original: long ones are folded, a cut one is left out. */
static void
put_original(FILE *f, struct span header)
{
	size_t column = 0;

	while (header.len > 0 && header.ptr[header.len - 1] != '\n')
		header.len--;
	for (size_t i = 0; i < header.len; i++) {
		unsigned char c = (unsigned char)header.ptr[i];

		if (c == '\r' && i + 1 < header.len &&
		    header.ptr[i + 1] == '\n') {
			fputs("\r\n", f);
			column = 0;
			i++;
			continue;
		}
		if (column++ == CUT) {
			fputs("\r\n ", f);
			column = 2;
		}
		fputc(c == '\t' ? c : c < ' ' || c >= 0x7f ? '?' : c, f);
	}
	fputs("\r\n", f);
}

static void
put_parts(FILE *f, const struct bounce *b, const char *boundary)
{
	fprintf(f, "This is a report in MIME format.\r\n\r\n--%s\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n\r\n", boundary);
	put_words(f, b);
	fprintf(f, "\r\n--%s\r\nContent-Type: message/delivery-status\r\n\r\n",
	    boundary);
	put_status(f, b);
	fprintf(f, "\r\n--%s\r\nContent-Type: text/rfc822-headers\r\n\r\n",
	    boundary);
	put_original(f, b->header);
	fprintf(f, "--%s--\r\n", boundary);
}

enum err
bounce_write(struct bounce_text *out, const struct bounce *b)
{
	struct bounce_text t = { NULL, 0, 0 };
	char boundary[ID_TEXT_LEN + 1];
	FILE *f = open_memstream(&t.text, &t.len);
	bool bad;

	if (f == NULL)
		return ERR_SYS;
	id_text(b->id, boundary);
	put_header(f, b, boundary);
	bad = fflush(f) == EOF;
	t.header_len = t.len;
	put_parts(f, b, boundary);
	bad |= ferror(f) != 0;
	if (fclose(f) == EOF || bad) {
		free(t.text);
		return ERR_SYS;
	}
	*out = t;
	return OK;
}
