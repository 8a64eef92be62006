/* http_reply.c - RFC 9110 5.6.4 has quoted strings, and 5.6.6 parameters. */
#include <stdio.h>
#include <string.h>

#include "http/http_reply.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span
skip_blanks(struct span s)
{
	while (s.len > 0 && is_blank(s.ptr[0]))
		s = span_tail(s, 1);
	return s;
}

static bool
is_digit(char c, char least, char most)
{
	return c >= least && c <= most;
}

static bool
take_code(struct span *s, uint16_t *code)
{
	const char *p = s->ptr;

	if (s->len < 4 || !is_digit(p[0], '2', '5') ||
	    !is_digit(p[1], '0', '5') || !is_digit(p[2], '0', '9'))
		return false;
	*code = (uint16_t)((p[0] - '0') * 100 + (p[1] - '0') * 10 +
	    (p[2] - '0'));
	*s = skip_blanks(span_tail(*s, 3));
	return s->len > 0 && s->ptr[0] == ';';
}

/* The name of a parameter and its "=", or false. */
static bool
take_name(struct span *s, struct span *name)
{
	size_t len = span_find(*s, '=');

	*name = span_head(*s, len);
	if (len == s->len || len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (is_blank(name->ptr[i]) || name->ptr[i] == ';' ||
		    name->ptr[i] == '"')
			return false;
	*s = span_tail(*s, len + 1);
	return true;
}

static char
shown(char c, bool in_capitals)
{
	unsigned char b = (unsigned char)c;

	if (c == '\t')
		return ' ';
	if (b < 0x20 || b == 0x7f)
		return '?';
	return in_capitals && c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

struct room {
	char		*buf;		/* NULL: nobody wants it	*/
	size_t		 cap, len;
	bool		 in_capitals;
};

static void
put(struct room *r, char c)
{
	if (r->len < r->cap)
		r->buf[r->len++] = shown(c, r->in_capitals);
}

/* A quoted string, or what upstream never writes, a bare word. */
static bool
take_value(struct span *s, struct room *r)
{
	size_t i = 0;

	if (s->len == 0 || s->ptr[0] != '"') {
		for (; i < s->len && s->ptr[i] != ';'; i++)
			put(r, s->ptr[i]);
		while (r->len > 0 && r->buf[r->len - 1] == ' ')
			r->len--;
		*s = span_tail(*s, i);
		return true;
	}
	for (i = 1; i < s->len && s->ptr[i] != '"'; i++) {
		if (s->ptr[i] == '\\' && i + 1 < s->len)
			i++;
		put(r, s->ptr[i]);
	}
	if (i == s->len) {
		r->len = 0;		/* its end is missing	*/
		return false;
	}
	*s = skip_blanks(span_tail(*s, i + 1));
	return s->len == 0 || s->ptr[0] == ';';
}

bool
http_reply_read(struct span value, struct http_reply *out)
{
	struct room text = { out->text, sizeof(out->text), 0, false };
	struct room command = { out->command, sizeof(out->command), 0, true };
	struct room none = { NULL, 0, 0, false };
	struct span name;

	value = skip_blanks(value);
	if (!take_code(&value, &out->code))
		return false;
	while (value.len > 0) {
		struct room *r = &none;

		value = skip_blanks(span_tail(value, 1));
		if (!take_name(&value, &name))
			break;
		if (span_eq_nocase(name, SPAN("message")))
			r = &text;
		else if (span_eq_nocase(name, SPAN("command")))
			r = &command;
		r->len = 0;
		if (!take_value(&value, r))
			break;
	}
	out->text_len = text.len;
	out->command_len = command.len;
	return true;
}

static size_t
put_quoted(char *buf, size_t len, struct span s)
{
	buf[len++] = '"';
	for (size_t i = 0; i < s.len; i++) {
		char c = shown(s.ptr[i], false);

		if (c == '"' || c == '\\')
			buf[len++] = '\\';
		buf[len++] = c;
	}
	buf[len++] = '"';
	return len;
}

bool
http_reply_write(uint16_t code, struct span text, struct span command,
    char *buf, size_t cap, size_t *len)
{
	static const char message[] = "; message=", said[] = "; command=";
	size_t n = 3;

	if (cap < HTTP_REPLY_MAX || text.len > REPLY_TEXT_MAX || code < 200 ||
	    code > 599 || command.len > HTTP_REPLY_COMMAND_MAX)
		return false;
	(void)snprintf(buf, cap, "%u", code);
	memcpy(buf + n, message, sizeof(message) - 1);
	n = put_quoted(buf, n + sizeof(message) - 1, text);
	if (command.len > 0) {
		memcpy(buf + n, said, sizeof(said) - 1);
		n = put_quoted(buf, n + sizeof(said) - 1, command);
	}
	*len = n;
	return true;
}
