/*
 * bounce.c - the frame of a report.  All of it is ASCII but where an address or
 * the message is not, and the boundary is the report's own id, which nobody
 * could know when the original was written.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "bus/messages.h"
#include "mail/date.h"
#include "mail/encoded.h"
#include "queue/bounce/bounce.h"
#include "queue/bounce/bounce_fields.h"
#include "queue/bounce/bounce_original.h"
#include "queue/bounce/bounce_safe.h"
#include "queue/bounce/bounce_words.h"

#define MESSAGE_ID_MAX	500	/* bytes of a name we repeat */

/* Does it take the forms of RFC 6533? */
static bool
needs_utf8(const struct bounce *b)
{
	if (b->is_utf8 || !utf8_is_ascii(b->to))
		return true;
	for (uint32_t i = 0; i < b->rcpt_cnt; i++)
		if (!utf8_is_ascii(b->rcpts[i].address) ||
		    !utf8_is_ascii(b->rcpts[i].orcpt))
			return true;
	return false;
}

/* The name of the original, so that the report stands below it. */
static void
put_reference(FILE *f, struct span header)
{
	struct span name = bounce_original_field(header, SPAN("Message-ID"));

	if (name.len < 3 || name.len > MESSAGE_ID_MAX ||
	    name.ptr[0] != '<' || name.ptr[name.len - 1] != '>')
		return;
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] >= 0x7f)
			return;
	fprintf(f, "In-Reply-To: %.*s\r\nReferences: %.*s\r\n", (int)name.len,
	    name.ptr, (int)name.len, name.ptr);
}

static void
put_header(FILE *f, const struct bounce *b, const char *boundary)
{
	char date[DATE_TEXT_LEN + 1];

	date_text(b->now_ms, date);
	fprintf(f, "Date: %s\r\nFrom: MAILER-DAEMON@", date);
	bounce_safe_text(f, b->home, false);
	fputs("\r\nTo: ", f);
	if (b->to.len <= BOUNCE_SAFE_CUT)
		fprintf(f, "<%.*s>", (int)b->to.len, b->to.ptr);
	else
		fputs("undisclosed-recipients:;", f);
	fputs("\r\nSubject: ", f);
	encoded_put_words(f, bounce_words_subject(b));
	fprintf(f, "\r\nAuto-Submitted: auto-replied\r\nMessage-ID: <%s@",
	    boundary);
	bounce_safe_text(f, b->hostname, false);
	fputs(">\r\n", f);
	put_reference(f, b->header);
	fprintf(f, "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"%s\"\r\n\r\n", boundary);
}

/* Words beyond ASCII are encoded, so that they alone need no 8BITMIME. */
static enum err
put_words(FILE *f, const struct bounce *b)
{
	char *text = NULL;
	size_t len = 0;
	FILE *words = open_memstream(&text, &len);
	struct span s;
	bool bad;

	if (words == NULL)
		return ERR_SYS;
	bounce_words_put(words, b);
	bad = ferror(words) != 0;
	if (fclose(words) == EOF || bad) {
		free(text);
		return ERR_SYS;
	}
	s = (struct span){ text, len };
	if (utf8_is_ascii(s)) {
		fputs("Content-Type: text/plain; charset=us-ascii\r\n\r\n", f);
		fwrite(s.ptr, 1, s.len, f);
	} else {
		fputs("Content-Type: text/plain; charset=utf-8\r\n"
		    "Content-Transfer-Encoding: quoted-printable\r\n\r\n", f);
		encoded_put_text(f, s);
	}
	free(text);
	return OK;
}

static enum err
put_parts(FILE *f, const struct bounce *b, const char *boundary)
{
	bool utf8 = needs_utf8(b);

	fprintf(f, "This is a report in MIME format.\r\n\r\n--%s\r\n",
	    boundary);
	if (put_words(f, b) != OK)
		return ERR_SYS;
	fprintf(f, "\r\n--%s\r\nContent-Type: message/%s\r\n%s\r\n", boundary,
	    utf8 ? "global-delivery-status" : "delivery-status",
	    utf8 ? "Content-Transfer-Encoding: 8bit\r\n" : "");
	bounce_fields_put(f, b, utf8);
	fprintf(f, "\r\n--%s\r\n", boundary);
	bounce_original_put(f, b, utf8);
	fprintf(f, "\r\n--%s--\r\n", boundary);
	return OK;
}

/* The addresses in its header alone make it a matter of SMTPUTF8. */
static uint8_t
flags_of(const struct bounce *b, const struct bounce_text *t)
{
	if (!utf8_is_ascii(b->to))
		return MAIL_SMTPUTF8 | MAIL_8BIT;
	return utf8_is_ascii((struct span){ t->text, t->len }) ? 0 :
	    MAIL_8BIT;
}

static enum err
write_all(struct bounce_text *out, const struct bounce *b)
{
	struct bounce_text t = { NULL, 0, 0, 0 };
	char boundary[ID_TEXT_LEN + 1];
	FILE *f = open_memstream(&t.text, &t.len);
	bool bad;

	if (f == NULL)
		return ERR_SYS;
	id_text(b->id, boundary);
	put_header(f, b, boundary);
	bad = fflush(f) == EOF;
	t.header_len = t.len;
	bad |= put_parts(f, b, boundary) != OK;
	bad |= ferror(f) != 0;
	if (fclose(f) == EOF || bad) {
		free(t.text);
		return ERR_SYS;
	}
	t.flags = flags_of(b, &t);
	*out = t;
	return OK;
}

enum err
bounce_write(struct bounce_text *out, const struct bounce *b)
{
	struct bounce with = *b;
	struct notice own;

	if (b->notice == NULL) {
		notice_default(&own);
		with.notice = &own;
	}
	return write_all(out, &with);
}
