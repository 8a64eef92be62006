/*
 * bounce_original.c - a header that is given back alone is repaired where it
 * must be; a message that is given back whole must be what was sent.
 */
#include "base/utf8.h"
#include "mail/encoded.h"
#include "queue/bounce/bounce_original.h"

#define LINE_MAX_TEXT	998	/* bytes, RFC 5322 2.1.1		*/
#define FOLD_AT		900	/* bytes, of lines we fold		*/

static struct span
take_line(struct span *text)
{
	struct span line = span_head(*text, span_find(*text, '\n') + 1);

	*text = span_tail(*text, line.len);
	return line;
}

static bool
is_fold(struct span text)
{
	return text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t');
}

struct span
bounce_original_field(struct span header, struct span name)
{
	while (header.len > 0) {
		struct span line = take_line(&header);

		if (!span_begins_nocase(line, name) || line.len <= name.len ||
		    line.ptr[name.len] != ':')
			continue;
		while (is_fold(header))
			line.len += take_line(&header).len;
		line = span_tail(line, name.len + 1);
		while (line.len > 0 && (line.ptr[line.len - 1] == '\r' ||
		    line.ptr[line.len - 1] == '\n'))
			line.len--;
		return span_trim(line);
	}
	return (struct span){ NULL, 0 };
}

static bool
is_text(struct span text)
{
	size_t column = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n') {
			column = 0;
			i++;
		} else if (c == '\0' || c == '\r' || c == '\n' ||
		    ++column > LINE_MAX_TEXT) {
			return false;
		}
	}
	return column == 0;
}

bool
bounce_original_is_whole(const struct bounce *b)
{
	return b->has_body && is_text(b->header) && is_text(b->body) &&
	    (b->is_utf8 || utf8_is_ascii(b->header));
}

/* Bytes at the front that stand as they are; 0 is one that cannot. */
static size_t
fit_len(struct span s, bool utf8)
{
	unsigned char c = (unsigned char)s.ptr[0];

	if (c == '\t' || (c >= ' ' && c < 0x7f))
		return 1;
	return utf8 ? utf8_len(s) : 0;
}

/* Long lines are folded; one that was cut off at the end is left out. */
static void
put_header(FILE *f, struct span header, bool utf8)
{
	size_t column = 0, n;

	while (header.len > 0 && header.ptr[header.len - 1] != '\n')
		header.len--;
	for (size_t i = 0; i < header.len; i += n) {
		struct span rest = span_tail(header, i);

		if (span_begins(rest, SPAN("\r\n"))) {
			fputs("\r\n", f);
			column = 0;
			n = 2;
			continue;
		}
		if (column >= FOLD_AT) {
			fputs("\r\n ", f);
			column = 1;
		}
		n = fit_len(rest, utf8);
		if (n > 0)
			fwrite(rest.ptr, 1, n, f);
		else
			fputc((unsigned char)rest.ptr[0] < ' ' ? ' ' : '?', f);
		n += n == 0;
		column += n;
	}
}

static void
put_type(FILE *f, const char *type, bool is_8bit)
{
	fprintf(f, "Content-Type: %s\r\n", type);
	if (is_8bit)
		fputs("Content-Transfer-Encoding: 8bit\r\n", f);
	fputs("\r\n", f);
}

void
bounce_original_put(FILE *f, const struct bounce *b, bool utf8)
{
	bool whole = bounce_original_is_whole(b);

	if (!whole) {
		put_type(f, utf8 ? "message/global-headers" :
		    "text/rfc822-headers", utf8);
		put_header(f, b->header, utf8);
		return;
	}
	put_type(f, utf8 ? "message/global" : "message/rfc822",
	    !utf8_is_ascii(b->header) || !utf8_is_ascii(b->body));
	fwrite(b->header.ptr, 1, b->header.len, f);
	if (b->body.len > 0)
		fwrite(b->body.ptr, 1, b->body.len, f);
}
