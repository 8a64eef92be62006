/*
 * hop_id.c - a mark that stands before the id, or one that stands behind it.
 */
#include <string.h>

#include "mail/hop_id.h"

struct mark {
	struct span	 words;
	bool		 is_behind;	/* of the id: it ends before them */
};

#define MARK(s)		{ (s), sizeof(s) - 1 }

/* The surer ones first. */
static const struct mark marks[] = {
	{ MARK("queued as "), false },
	{ MARK("queued with id "), false },
	{ MARK("InternalId="), false },
	{ MARK(" id="), false },
	{ MARK(" Message accepted for delivery"), true },
	{ MARK(" Saved"), true },
	{ MARK(" - gsmtp"), true },
};

static bool
is_of_id(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.' ||
	    c == '+' || c == '/' || c == '=' || c == '@' || c == ':';
}

/* Where the words begin, without case; text.len: they are not there. */
static size_t
find(struct span text, struct span words)
{
	for (size_t i = 0; i + words.len <= text.len; i++)
		if (span_eq_nocase(span_head(span_tail(text, i), words.len),
		    words))
			return i;
	return text.len;
}

static struct span
from(struct span text)
{
	size_t len = 0;

	while (len < text.len && is_of_id(text.ptr[len]))
		len++;
	while (len > 0 && (text.ptr[len - 1] == '.' ||
	    text.ptr[len - 1] == ':'))
		len--;
	return span_head(text, len);
}

static struct span
up_to(struct span text)
{
	size_t at = text.len;

	while (at > 0 && is_of_id(text.ptr[at - 1]))
		at--;
	return span_tail(text, at);
}

/* "2.0.0" is an enhanced code and no id: an id has more to it than two dots. */
static bool
is_code(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != '.' && (s.ptr[i] < '0' || s.ptr[i] > '9'))
			return false;
	return span_find(s, '.') < s.len;
}

struct span
hop_id_find(struct span reply)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const struct mark *m = &marks[i];
		size_t at = find(reply, m->words);
		struct span id;

		if (at == reply.len)
			continue;
		id = m->is_behind ? up_to(span_head(reply, at)) :
		    from(span_tail(reply, at + m->words.len));
		if (id.len > 0 && id.len <= HOP_ID_MAX && !is_code(id))
			return id;
	}
	return (struct span){ "", 0 };
}
