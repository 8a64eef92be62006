/*
 * account.c - the file is never rebuilt from what was understood of it: a
 * change copies the bytes around the one line it is about.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "mail/account.h"

/* The bytes of a text that is being made. */
struct made {
	char	*bytes;
	size_t	 len;
};

bool
account_is_name(struct span s)
{
	if (s.len == 0 || s.len > ACCOUNT_NAME_MAX || s.ptr[0] == '#' ||
	    s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' ')
		return false;
	while (s.len > 0) {
		char c = s.ptr[0];
		size_t n = c >= ' ' && c <= '~' && c != ':' ? 1 : utf8_len(s);

		if (n == 0)
			return false;
		s = span_tail(s, n);
	}
	return true;
}

bool
account_is_hash(struct span s)
{
	if (s.len == 0 || s.len > ACCOUNT_HASH_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' ||
		    strchr(":;*!\\", s.ptr[i]) != NULL)
			return false;
	return true;
}

/* Take a line off the front, its end included. */
static struct span
take_line(struct span *text)
{
	struct span line = span_head(*text, span_find(*text, '\n') + 1);

	*text = span_tail(*text, line.len);
	return line;
}

static struct span
without_end(struct span line)
{
	if (line.len > 0 && line.ptr[line.len - 1] == '\n')
		line.len--;
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* Take what stands before the next colon, and the colon. */
static struct span
take_field(struct span *line)
{
	struct span field = span_head(*line, span_find(*line, ':'));

	*line = span_tail(*line, field.len + 1);
	return field;
}

/* *hash is the field as it stands, locked or not. */
static bool
parse_line(struct span line, struct account *out, struct span *hash)
{
	struct span rest = without_end(line);
	struct span name = span_head(rest, span_find(rest, ':'));

	if (name.len == rest.len || !account_is_name(name))
		return false;
	(void)take_field(&rest);
	out->name = name;
	*hash = take_field(&rest);
	out->hash = account_is_hash(*hash) ? *hash : span_head(*hash, 0);
	out->rest = rest;
	return true;
}

bool
account_next(struct span *text, struct account *out)
{
	struct span hash;

	while (text->len > 0)
		if (parse_line(take_line(text), out, &hash))
			return true;
	return false;
}

bool
account_find(struct span text, struct span name, struct account *out)
{
	struct account a;

	while (account_next(&text, &a))
		if (span_eq(a.name, name)) {
			*out = a;
			return true;
		}
	return false;
}

static void
add(struct made *m, struct span s)
{
	if (s.len > 0)
		memcpy(m->bytes + m->len, s.ptr, s.len);
	m->len += s.len;
}

/* Everything up to `at`, the new hash, everything behind the old one. */
static void
add_changed(struct made *m, struct span text, struct span old,
    struct span hash)
{
	size_t at = (size_t)(old.ptr - text.ptr);

	add(m, span_head(text, at));
	add(m, hash);
	add(m, span_tail(text, at + old.len));
}

static void
add_line(struct made *m, struct span text, struct span name,
    struct span hash)
{
	add(m, text);
	if (text.len > 0 && text.ptr[text.len - 1] != '\n')
		add(m, SPAN("\n"));
	add(m, name);
	add(m, SPAN(":"));
	add(m, hash);
	add(m, SPAN("\n"));
}

enum err
account_put(struct span text, struct span name, struct span hash,
    struct span *out)
{
	struct made m = { NULL, 0 };
	struct span left = text, old;
	struct account a;

	if (!account_is_name(name) || !account_is_hash(hash))
		return ERR_PEER;
	m.bytes = malloc(text.len + name.len + hash.len + 3);
	if (m.bytes == NULL)
		return ERR_FULL;
	while (left.len > 0 && m.len == 0)
		if (parse_line(take_line(&left), &a, &old) &&
		    span_eq(a.name, name))
			add_changed(&m, text, old, hash);
	if (m.len == 0)
		add_line(&m, text, name, hash);
	*out = (struct span){ m.bytes, m.len };
	return OK;
}

enum err
account_remove(struct span text, struct span name, struct span *out)
{
	struct made m = { NULL, 0 };
	struct span hash;
	struct account a;
	bool found = false;

	if ((m.bytes = malloc(text.len + 1)) == NULL)
		return ERR_FULL;
	while (text.len > 0) {
		struct span line = take_line(&text);

		if (parse_line(line, &a, &hash) && span_eq(a.name, name))
			found = true;
		else
			add(&m, line);
	}
	if (!found) {
		free(m.bytes);
		return ERR_NONE;
	}
	*out = (struct span){ m.bytes, m.len };
	return OK;
}
