/* reply.c - strict about the code, easy about the text behind it. */
#include "base/ascii.h"
#include "mail/reply.h"

static struct span
without_end(struct span line)
{
	while (line.len > 0 && (line.ptr[line.len - 1] == ' ' ||
	    line.ptr[line.len - 1] == '\t' || line.ptr[line.len - 1] == '\r'))
		line.len--;
	return line;
}

/*
 * A number of 1 to 3 digits off the front of *text, no zero before others
 * (RFC 3463 2).
 */
static bool
take_number(struct span *text, uint16_t *out)
{
	size_t len = 0;
	unsigned n = 0;

	while (len < text->len && len < 4 && ascii_is_digit(text->ptr[len]))
		n = n * 10 + (unsigned)(text->ptr[len++] - '0');
	if (len == 0 || len > 3 || (len > 1 && text->ptr[0] == '0'))
		return false;
	*text = span_tail(*text, len);
	*out = (uint16_t)n;
	return true;
}

static bool
take_char(struct span *text, char c)
{
	if (text->len == 0 || text->ptr[0] != c)
		return false;
	*text = span_tail(*text, 1);
	return true;
}

bool
reply_dsn(struct span text, struct reply *out)
{
	uint16_t class, subject, detail;

	out->has_dsn = false;
	if (!take_number(&text, &class) || !take_char(&text, '.') ||
	    !take_number(&text, &subject) || !take_char(&text, '.') ||
	    !take_number(&text, &detail))
		return false;
	if (class != out->code / 100 || class == 3)
		return false;
	if (text.len > 0 && !take_char(&text, ' '))
		return false;
	out->dsn_class = (uint8_t)class;
	out->dsn_subject = subject;
	out->dsn_detail = detail;
	out->has_dsn = true;
	out->text = text;
	return true;
}

enum err
reply_line(struct span line, struct reply *out)
{
	struct reply r = { .code = 0 };
	struct span digits = span_head(line, 3);
	unsigned long long code;

	if (digits.len != 3 || !span_number(digits, 599, &code) || code < 200)
		return ERR_PEER;
	line = span_tail(line, 3);
	r.code = (uint16_t)code;
	if (line.len > 0 && ascii_is_digit(line.ptr[0]))
		return ERR_PEER;
	r.more = take_char(&line, '-');
	if (!r.more && !take_char(&line, ' '))
		take_char(&line, '\t');
	r.text = without_end(line);
	reply_dsn(r.text, &r);
	*out = r;
	return OK;
}

static const struct {
	struct span	 word;
	unsigned	 bit;
} keywords[] = {
	{ { "PIPELINING", 10 },		EHLO_PIPELINING		},
	{ { "SIZE", 4 },		EHLO_SIZE		},
	{ { "8BITMIME", 8 },		EHLO_8BITMIME		},
	{ { "SMTPUTF8", 8 },		EHLO_SMTPUTF8		},
	{ { "ENHANCEDSTATUSCODES", 19 }, EHLO_ENHANCEDSTATUSCODES },
	{ { "STARTTLS", 8 },		EHLO_STARTTLS		},
	{ { "CHUNKING", 8 },		EHLO_CHUNKING		},
	{ { "BINARYMIME", 10 },		EHLO_BINARYMIME		},
	{ { "DSN", 3 },			EHLO_DSN		},
	{ { "AUTH", 4 },		EHLO_AUTH		},
};

/* "PLAIN LOGIN X-OTHER": those we know. */
static unsigned
mechanisms(struct span list)
{
	unsigned known = 0;

	while (list.len > 0) {
		struct span word = span_head(list, span_find(list, ' '));

		if (span_eq_nocase(word, SPAN("PLAIN")))
			known |= EHLO_AUTH_PLAIN;
		else if (span_eq_nocase(word, SPAN("LOGIN")))
			known |= EHLO_AUTH_LOGIN;
		list = span_tail(list, word.len + 1);
	}
	return known;
}

void
reply_ehlo(struct span line_text, struct ehlo *out)
{
	struct span text = span_trim(line_text);
	struct span word = span_head(text, span_find(text, ' '));
	struct span rest = span_trim(span_tail(text, word.len));
	unsigned long long size = 0;

	/* "AUTH=LOGIN" is what servers wrote before RFC 2554. */
	word = span_head(word, span_find(word, '='));
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (!span_eq_nocase(word, keywords[i].word))
			continue;
		out->has |= keywords[i].bit;
		if (keywords[i].bit == EHLO_SIZE)
			out->size = span_number(rest, UINT64_MAX, &size) ?
			    size : 0;
		else if (keywords[i].bit == EHLO_AUTH)
			out->auth |= mechanisms(span_tail(text, word.len + 1));
	}
}
