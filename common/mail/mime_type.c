/*
 * mime_type.c - a multipart whose boundary is not there, or not one, cannot be
 * followed: it is opaque.
 */
#include <string.h>

#include "mail/mime_type.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind a comment that begins here: RFC 5322 3.2.2. */
static size_t
comment_end(struct span s)
{
	unsigned depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '(')
			depth++;
		else if (s.ptr[i] == ')' && --depth == 0)
			return i + 1;
	}
	return s.len;
}

static struct span
skip(struct span s)
{
	while (s.len > 0 && (is_blank(s.ptr[0]) || s.ptr[0] == '('))
		s = span_tail(s, s.ptr[0] == '(' ? comment_end(s) : 1);
	return s;
}

static struct span
take_token(struct span *s)
{
	struct span token;
	size_t len = 0;

	*s = skip(*s);
	while (len < s->len && !is_blank(s->ptr[len]) &&
	    memchr("/;=\"(", s->ptr[len], 5) == NULL)
		len++;
	token = span_head(*s, len);
	*s = span_tail(*s, len);
	return token;
}

static bool
take_char(struct span *s, char c)
{
	*s = skip(*s);
	if (s->len == 0 || s->ptr[0] != c)
		return false;
	*s = span_tail(*s, 1);
	return true;
}

/* A value, without quotes, into buf; 0 when it is none or does not fit. */
static size_t
take_value(struct span *s, char *buf, size_t cap)
{
	bool is_quoted = take_char(s, '"'), fits = true;
	size_t len = 0;

	for (; s->len > 0; *s = span_tail(*s, 1)) {
		char c = s->ptr[0];

		if (is_quoted ? c == '"' : is_blank(c) || c == ';' || c == '(')
			break;
		if (is_quoted && (c == '\r' || c == '\n'))
			continue;
		if (is_quoted && c == '\\' && s->len > 1) {
			*s = span_tail(*s, 1);
			c = s->ptr[0];
		}
		fits = fits && len < cap && (unsigned char)c < 0x80;
		if (fits)
			buf[len++] = c;
	}
	while (len > 0 && is_blank(buf[len - 1]))
		len--;
	if (is_quoted)
		(void)take_char(s, '"');
	return fits ? len : 0;
}

static void
read_boundary(struct mime_type *t, struct span s)
{
	char other[MIME_BOUNDARY_MAX];

	while (s.len > 0) {
		struct span name;
		bool is_it;

		if (!take_char(&s, ';')) {
			s = span_tail(s, 1);
			continue;
		}
		name = take_token(&s);
		if (!take_char(&s, '='))
			continue;
		is_it = t->boundary_len == 0 &&
		    span_eq_nocase(name, SPAN("boundary"));
		if (is_it)
			t->boundary_len = take_value(&s, t->boundary,
			    sizeof(t->boundary));
		else
			(void)take_value(&s, other, sizeof(other));
	}
}

static enum mime_kind
message_kind(struct span subtype)
{
	if (span_eq_nocase(subtype, SPAN("rfc822")) ||
	    span_eq_nocase(subtype, SPAN("global")) ||
	    span_eq_nocase(subtype, SPAN("news")))
		return MIME_MESSAGE;
	if (span_eq_nocase(subtype, SPAN("partial")) ||
	    span_eq_nocase(subtype, SPAN("external-body")))
		return MIME_OPAQUE;
	return MIME_FIELDS;
}

void
mime_type_read(struct mime_type *t, struct span s)
{
	struct span type = take_token(&s), subtype = { NULL, 0 };

	*t = (struct mime_type){ .kind = MIME_LEAF };
	if (take_char(&s, '/'))
		subtype = take_token(&s);
	if (span_eq_nocase(type, SPAN("message"))) {
		t->kind = message_kind(subtype);
	} else if (span_eq_nocase(type, SPAN("multipart"))) {
		t->is_sealed = span_eq_nocase(subtype, SPAN("signed")) ||
		    span_eq_nocase(subtype, SPAN("encrypted"));
		t->is_digest = span_eq_nocase(subtype, SPAN("digest"));
		read_boundary(t, s);
		t->kind = t->boundary_len > 0 ? MIME_MULTIPART : MIME_OPAQUE;
	}
}

enum mime_coding
mime_type_coding(struct span s)
{
	struct span word = take_token(&s);

	if (span_eq_nocase(word, SPAN("quoted-printable")))
		return MIME_CODED_QP;
	if (span_eq_nocase(word, SPAN("base64")))
		return MIME_CODED_BASE64;
	if (word.len == 0 || span_eq_nocase(word, SPAN("7bit")) ||
	    span_eq_nocase(word, SPAN("8bit")) ||
	    span_eq_nocase(word, SPAN("binary")))
		return MIME_IDENTITY;
	return MIME_CODED_OTHER;
}

bool
mime_type_is_8bit(struct span s)
{
	struct span word = take_token(&s);

	return span_eq_nocase(word, SPAN("8bit")) ||
	    span_eq_nocase(word, SPAN("binary"));
}
