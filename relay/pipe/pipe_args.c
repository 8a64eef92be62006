/*
 * pipe_args.c - a table of macros; a brace that opens none stands for itself.
 */
#include <stddef.h>
#include <string.h>

#include "relay/pipe/pipe_args.h"

struct macro {
	struct span	 word;
	size_t		 at;		/* in struct pipe_facts */
};

#define MACRO(name)							\
	{ { "{" #name "}", sizeof("{" #name "}") - 1 },			\
	    offsetof(struct pipe_facts, name) }

static const struct macro macros[] = {
	MACRO(sender), MACRO(recipient), MACRO(message_id), MACRO(client_ip),
	MACRO(client_host), MACRO(client_ehlo), MACRO(client_protocol),
	MACRO(client_auth),
};

static const struct macro *
find(struct span s)
{
	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
		if (span_begins(s, macros[i].word))
			return &macros[i];
	return NULL;
}

/* A NUL would end the word; a control has no business in an argument. */
static bool
is_harmless(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return false;
	return true;
}

static enum err
put(struct pipe_args *out, struct span s)
{
	if (s.len >= sizeof(out->bytes) - out->len)
		return ERR_FULL;
	if (s.len > 0)
		memcpy(out->bytes + out->len, s.ptr, s.len);
	out->len += s.len;
	return OK;
}

static enum err
put_value(struct pipe_args *out, const struct macro *m,
    const struct pipe_facts *f, bool is_first)
{
	struct span value;

	memcpy(&value, (const char *)f + m->at, sizeof(value));
	if (!is_harmless(value) ||
	    (is_first && value.len > 0 && value.ptr[0] == '-'))
		return ERR_PEER;
	return put(out, value);
}

static enum err
end_word(struct pipe_args *out)
{
	out->bytes[out->len++] = '\0';
	out->cnt++;
	return OK;
}

enum err
pipe_args_add_value(struct pipe_args *out, struct span value)
{
	enum err e;

	if (out->cnt == PROGRAM_ARGS_MAX)
		return ERR_FULL;
	if (!is_harmless(value))
		return ERR_PEER;
	if ((e = put(out, value)) != OK)
		return e;
	return end_word(out);
}

enum err
pipe_args_add(struct pipe_args *out, struct span word,
    const struct pipe_facts *f)
{
	const struct macro *m;
	size_t start = out->len;
	enum err e = OK;

	if (out->cnt == PROGRAM_ARGS_MAX)
		return ERR_FULL;
	while (e == OK && word.len > 0) {
		if ((m = find(word)) != NULL) {
			e = put_value(out, m, f, out->len == start);
			word = span_tail(word, m->word.len);
		} else {
			e = put(out, span_head(word, 1));
			word = span_tail(word, 1);
		}
	}
	return e == OK ? end_word(out) : e;
}

bool
pipe_args_is_for_one(struct span word)
{
	for (; word.len > 0; word = span_tail(word, 1))
		if (span_begins(word, SPAN("{recipient}")))
			return true;
	return false;
}

/* The line in front, without its end; *s moves behind it. */
static struct span
take_line(struct span *s)
{
	size_t len = span_find(*s, '\n');
	struct span line = span_head(*s, len);

	*s = span_tail(*s, len < s->len ? len + 1 : len);
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

struct span
pipe_args_message_id(struct span header)
{
	static const struct span name = { "message-id:", 11 };
	struct span line;

	while (header.len > 0) {
		line = take_line(&header);
		if (line.len < name.len ||
		    !span_eq_nocase(span_head(line, name.len), name))
			continue;
		line = span_trim(span_tail(line, name.len));
		/* Folded right behind the colon: RFC 5322 3.6.4 allows it. */
		if (line.len == 0 && header.len > 0 &&
		    (header.ptr[0] == ' ' || header.ptr[0] == '\t'))
			line = span_trim(take_line(&header));
		return line;
	}
	return (struct span){ "", 0 };
}
