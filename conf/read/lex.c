/*
 * lex.c - a string that is not closed ends where it was probably meant to, at
 * the first sign behind it, so that one forgotten quote is one mistake.
 */
#include "conf/read/lex.h"

void
lex_init(struct lexer *lx, struct mistakes *mistakes, uint32_t source)
{
	static const struct span mark = { "\xef\xbb\xbf", 3 };

	lx->mistakes = mistakes;
	lx->bytes = mistakes->sources->v[source].bytes;
	lx->source = source;
	lx->at = span_begins(lx->bytes, mark) ? mark.len : 0;
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool
ends_word(char c)
{
	return c == ' ' || c == '{' || c == '}' || c == ';' || c == '"' ||
	    c == '#' || is_control(c);
}

static bool
ends_lost_string(char c)
{
	return c == '{' || c == '}' || c == ';' || c == '#';
}

static struct place
place_from(const struct lexer *lx, size_t start)
{
	return (struct place){ lx->source, (uint32_t)start,
	    (uint32_t)(lx->at - start) };
}

static void
skip_blanks(struct lexer *lx)
{
	for (; lx->at < lx->bytes.len; lx->at++) {
		char c = lx->bytes.ptr[lx->at];

		if (c == '#') {
			lx->at += span_find(span_tail(lx->bytes, lx->at), '\n');
			return;
		}
		if (c == '\n' || (!is_control(c) && c != ' '))
			return;
		if (is_control(c) && c != '\t' && c != '\r')
			report_add(lx->mistakes, (struct place){ lx->source,
			    (uint32_t)lx->at, 1 },
			    "a control byte (0x%02x) has no place here",
			    (unsigned)(unsigned char)c);
	}
}

/* The closing quote, or the end of the line, from lx->at on. */
static size_t
find_quote(const struct lexer *lx, bool *closed)
{
	size_t i;

	*closed = false;
	for (i = lx->at; i < lx->bytes.len; i++) {
		char c = lx->bytes.ptr[i];

		if (c == '\n')
			break;
		if (c == '\\' && i + 1 < lx->bytes.len &&
		    lx->bytes.ptr[i + 1] != '\n')
			i++;
		else if (c == '"') {
			*closed = true;
			break;
		}
	}
	return i;
}

static char
undone(struct lexer *lx, size_t at, char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case '"':
	case '\\':
		return c;
	default:
		report_add(lx->mistakes,
		    (struct place){ lx->source, (uint32_t)at, 2 },
		    "after a backslash stand n, t, \" or another backslash");
		return c;
	}
}

/* Copy lx->at to end without the backslashes. */
static struct span
undo(struct lexer *lx, size_t end)
{
	char *copy = arena_take(lx->mistakes->arena, end - lx->at + 1);
	size_t len = 0;

	if (copy == NULL)
		return SPAN("");
	for (size_t i = lx->at; i < end; i++) {
		char c = lx->bytes.ptr[i];

		if (c == '\\' && i + 1 < end) {
			c = undone(lx, i, lx->bytes.ptr[i + 1]);
			i++;
		} else if (is_control(c) && c != '\t') {
			report_add(lx->mistakes, (struct place){ lx->source,
			    (uint32_t)i, 1 },
			    "a control byte (0x%02x) has no place here",
			    (unsigned)(unsigned char)c);
			continue;
		}
		copy[len++] = c;
	}
	return (struct span){ copy, len };
}

static struct token
read_string(struct lexer *lx)
{
	struct token t = { .kind = TOKEN_STRING };
	size_t start = lx->at++, end;
	bool closed;

	end = find_quote(lx, &closed);
	if (!closed) {
		for (size_t i = lx->at; i < end; i++)
			if (ends_lost_string(lx->bytes.ptr[i]))
				end = i;
		while (end > lx->at && (lx->bytes.ptr[end - 1] == ' ' ||
		    lx->bytes.ptr[end - 1] == '\t' ||
		    lx->bytes.ptr[end - 1] == '\r'))
			end--;
		report_add(lx->mistakes, (struct place){ lx->source,
		    (uint32_t)start, (uint32_t)(end - start) },
		    "this quote is not closed on its line");
	}
	t.text = undo(lx, end);
	lx->at = end + closed;
	t.place = place_from(lx, start);
	return t;
}

static enum token_kind
sign(char c)
{
	return c == '{' ? TOKEN_OPEN : c == '}' ? TOKEN_CLOSE : TOKEN_STOP;
}

struct token
lex_next(struct lexer *lx)
{
	struct token t = { .kind = TOKEN_WORD };
	size_t start;
	char c;

	skip_blanks(lx);
	start = lx->at;
	if (start >= lx->bytes.len) {
		t.kind = TOKEN_END;
		t.place = place_from(lx, start);
		return t;
	}
	c = lx->bytes.ptr[start];
	if (c == '"')
		return read_string(lx);
	if (c == '{' || c == '}' || c == ';' || c == '\n') {
		lx->at++;
		t.kind = sign(c);
	} else {
		while (lx->at < lx->bytes.len &&
		    !ends_word(lx->bytes.ptr[lx->at]))
			lx->at++;
		t.text = span_head(span_tail(lx->bytes, start),
		    lx->at - start);
	}
	t.place = place_from(lx, start);
	return t;
}

bool
lex_skip_holder(struct lexer *lx, struct place open, struct place *whole)
{
	static const char *const holders[] = { "user}", "domain}", "fqdn}",
	    "hostname}", "sender}", "recipient}", "message_id}", "client_ip}",
	    "client_host}", "client_ehlo}", "client_protocol}",
	    "client_auth}" };
	struct span rest = span_tail(lx->bytes, lx->at);
	bool is_holder = false;
	size_t start = open.at;

	for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++)
		is_holder = is_holder ||
		    span_begins(rest, span_of(holders[i]));
	if (!is_holder)
		return false;
	while (start > 0 && !ends_word(lx->bytes.ptr[start - 1]))
		start--;
	for (unsigned depth = 1; lx->at < lx->bytes.len; lx->at++) {
		char c = lx->bytes.ptr[lx->at];

		if (c == '{')
			depth++;
		else if (c == '}' && depth > 0)
			depth--;
		else if (ends_word(c) || (depth == 0 && c == '}'))
			break;
	}
	*whole = place_from(lx, start);
	return true;
}
