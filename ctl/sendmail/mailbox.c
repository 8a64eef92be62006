/*
 * mailbox.c - tokens are glued together until one of , : ; < > shows what they
 * were: a name, the name of a group, or an address.
 */
#include <string.h>

#include "ctl/sendmail/mailbox.h"
#include "mail/address.h"

#define COMMENTS_MAX	32	/* within one another */

struct scan {
	struct span	 rest;
	struct span	 domain;
	char		 glued[MAILBOX_MAX];
	size_t		 len;
	bool		 too_long;	/* fine for a name, not an address */
	bool		 has_word;	/* the last token was a word	*/
	bool		 has_gap;	/* two words without a dot between */
	bool		 in_group;
	mailbox_fn	*fn;
	void		*arg;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char
next(const struct scan *s)
{
	return s->rest.len > 0 ? s->rest.ptr[0] : '\0';
}

static void
step(struct scan *s)
{
	s->rest = span_tail(s->rest, 1);
}

static void
begin(struct scan *s)
{
	s->len = 0;
	s->too_long = s->has_word = s->has_gap = false;
}

static void
glue(struct scan *s, char c)
{
	if (s->len == sizeof(s->glued) - 1)
		s->too_long = true;
	else
		s->glued[s->len++] = c;
}

/* "(...)", nested; true when it is closed. */
static bool
skip_comment(struct scan *s)
{
	unsigned depth = 0;

	do {
		char c = next(s);

		if (s->rest.len == 0 || depth > COMMENTS_MAX)
			return false;
		step(s);
		if (c == '\\')
			step(s);
		else if (c == '(')
			depth++;
		else if (c == ')')
			depth--;
	} while (depth > 0);
	return true;
}

static bool
skip_blanks(struct scan *s)
{
	while (s->rest.len > 0) {
		if (next(s) == '(') {
			if (!skip_comment(s))
				return false;
		} else if (is_blank(next(s)))
			step(s);
		else
			break;
	}
	return true;
}

/* From the bracket that stands there to its end, without folds. */
static bool
take_enclosed(struct scan *s, char end)
{
	glue(s, next(s));
	step(s);
	while (s->rest.len > 0) {
		char c = next(s);

		step(s);
		if (c == '\r' || c == '\n')
			continue;
		glue(s, c);
		if (c == end)
			return true;
		if (c == '\\' && s->rest.len > 0) {
			glue(s, next(s));
			step(s);
		}
	}
	return false;
}

static bool
take_atom(struct scan *s)
{
	size_t from = s->rest.len;

	while (s->rest.len > 0 && !is_blank(next(s)) &&
	    memchr("()<>[]:;@\\,.\"", next(s), 13) == NULL) {
		glue(s, next(s));
		step(s);
	}
	return s->rest.len < from;
}

/* A word, a dot or an at sign; a domain literal behind an at sign. */
static bool
take_token(struct scan *s)
{
	char c = next(s);
	bool is_word = c != '.' && c != '@' && c != '[';

	if (is_word && s->has_word)
		s->has_gap = true;
	s->has_word = is_word || c == '[';
	if (c == '"')
		return take_enclosed(s, '"');
	if (c == '[')
		return take_enclosed(s, ']');
	if (is_word)
		return take_atom(s);
	glue(s, c);
	step(s);
	return true;
}

/* What was glued is an address. */
static enum err
give(struct scan *s)
{
	struct span text = { s->glued, s->len };
	struct address a;

	if (s->too_long || s->has_gap)
		return ERR_PEER;
	if (memchr(s->glued, '@', s->len) == NULL || (s->glued[0] == '"' &&
	    s->glued[s->len - 1] == '"')) {
		glue(s, '@');
		for (size_t i = 0; i < s->domain.len; i++)
			glue(s, s->domain.ptr[i]);
		text.len = s->len;
	}
	if (s->too_long || address_parse(text, true, &a) != OK)
		return ERR_PEER;
	return s->fn(text, s->arg);
}

/* "@one,@two:" within brackets is dropped. */
static bool
skip_route(struct scan *s)
{
	while (skip_blanks(s) && s->rest.len > 0) {
		char c = next(s);

		if (c == ':') {
			step(s);
			begin(s);
			return true;
		}
		if (c == '>')
			return false;
		if (c == ',')
			step(s);
		else if (!take_token(s))
			return false;
	}
	return false;
}

/* Behind "<" to ">", and what may follow that. */
static enum err
take_angle(struct scan *s)
{
	enum err e;

	step(s);
	begin(s);
	if (!skip_blanks(s) || (next(s) == '@' && !skip_route(s)))
		return ERR_PEER;
	while (skip_blanks(s) && s->rest.len > 0 && next(s) != '>')
		if (!take_token(s))
			return ERR_PEER;
	if (next(s) != '>' || s->len == 0)
		return ERR_PEER;
	step(s);
	if ((e = give(s)) != OK)
		return e;
	begin(s);
	if (!skip_blanks(s) || (s->rest.len > 0 && next(s) != ',' &&
	    next(s) != ';'))
		return ERR_PEER;
	return OK;
}

/* What ends a mailbox or begins a group. */
static enum err
take_separator(struct scan *s)
{
	char c = next(s);
	enum err e = OK;

	if (c == ':') {
		if (s->in_group || s->len == 0)
			return ERR_PEER;
		s->in_group = true;
	} else if (s->len > 0)
		e = give(s);
	if (c == ';') {
		if (!s->in_group)
			return ERR_PEER;
		s->in_group = false;
	}
	step(s);
	begin(s);
	return e;
}

static enum err
take_next(struct scan *s)
{
	char c = next(s);

	if (c == '<')
		return take_angle(s);
	if (c == ',' || c == ':' || c == ';')
		return take_separator(s);
	return take_token(s) ? OK : ERR_PEER;
}

enum err
mailbox_list(struct span text, struct span domain, mailbox_fn *fn, void *arg,
    struct span *bad)
{
	struct scan s = {
		.rest = text, .domain = domain, .fn = fn, .arg = arg,
	};
	enum err e = OK;

	*bad = text;
	while (e == OK && s.rest.len > 0) {
		if (s.len == 0)
			*bad = span_trim(s.rest);
		if (!skip_blanks(&s))
			e = ERR_PEER;
		else if (s.rest.len > 0)
			e = take_next(&s);
	}
	if (e == OK && s.in_group)
		e = ERR_PEER;
	if (e == OK && s.len > 0)
		e = give(&s);
	return e;
}
