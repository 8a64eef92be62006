/* main_cf.c - see the header. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/tool/import/main_cf.h"
#include "mail/blank.h"

#define DEPTH_MAX	10	/* of values within values	*/

static bool
is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static struct main_cf_row *
find(const struct main_cf *all, struct span name)
{
	struct main_cf_row *r;

	TAILQ_FOREACH(r, all, entry)
		if (strlen(r->name) == name.len &&
		    memcmp(r->name, name.ptr, name.len) == 0)
			return r;
	return NULL;
}

static enum err
set(struct main_cf *all, struct span name, struct span value)
{
	struct main_cf_row *r = find(all, name);
	char *copy = strndup(value.ptr, value.len);

	if (copy == NULL)
		return ERR_SYS;
	if (r == NULL) {
		if ((r = calloc(1, sizeof(*r))) == NULL ||
		    (r->name = strndup(name.ptr, name.len)) == NULL) {
			free(r);
			free(copy);
			return ERR_SYS;
		}
		TAILQ_INSERT_TAIL(all, r, entry);
	}
	free(r->value);
	r->value = copy;
	return OK;
}

enum err
main_cf_set(struct main_cf *all, const char *name, const char *value)
{
	return set(all, span_of(name), span_of(value));
}

/* A whole logical line, joined by blanks. */
static enum err
take(struct main_cf *all, struct span line)
{
	size_t at = span_find(line, '=');
	struct span name = blank_trim(span_head(line, at));

	if (at == line.len || name.len == 0)
		return OK;		/* Postfix warns of it, too */
	for (size_t i = 0; i < name.len; i++)
		if (!is_name_char(name.ptr[i]))
			return OK;
	return set(all, name, blank_trim(span_tail(line, at + 1)));
}

static struct span
next_line(struct span *text)
{
	size_t at = span_find(*text, '\n');
	struct span line = span_head(*text, at);

	*text = span_tail(*text, at < text->len ? at + 1 : at);
	return line;
}

enum err
main_cf_read(struct main_cf *all, struct span text)
{
	char *whole = malloc(text.len + 2);
	size_t len = 0;
	enum err e = OK;

	if (whole == NULL)
		return ERR_SYS;
	text.len = strnlen(text.ptr, text.len);
	while (e == OK && text.len > 0) {
		struct span line = next_line(&text), bare = blank_trim(line);

		if (bare.len == 0 || bare.ptr[0] == '#')
			continue;
		if (!isspace((unsigned char)line.ptr[0])) {
			e = take(all, (struct span){ whole, len });
			len = 0;
		} else
			whole[len++] = ' ';
		memcpy(whole + len, bare.ptr, bare.len);
		len += bare.len;
	}
	if (e == OK)
		e = take(all, (struct span){ whole, len });
	free(whole);
	return e;
}

struct out {
	char	 text[MAIN_CF_VALUE_MAX];
	size_t	 len;
};

static void
put(struct out *o, const char *s, size_t len)
{
	if (len > sizeof(o->text) - 1 - o->len)
		len = sizeof(o->text) - 1 - o->len;
	memcpy(o->text + o->len, s, len);
	o->len += len;
}

/* The name behind a $, and where it ends; 0: it is no plain name. */
static size_t
name_at(const char *s, struct span *name)
{
	char close = s[1] == '{' ? '}' : s[1] == '(' ? ')' : '\0';
	size_t from = close != '\0' ? 2 : 1, to = from;

	while (is_name_char(s[to]))
		to++;
	*name = (struct span){ s + from, to - from };
	if (to == from || (close != '\0' && s[to] != close))
		return 0;
	return close != '\0' ? to + 1 : to;
}

static void
expand(const struct main_cf *all, const char *s, struct out *o, unsigned depth)
{
	while (*s != '\0') {
		struct main_cf_row *r;
		struct span name;
		size_t len;

		if (s[0] == '$' && s[1] == '$') {
			put(o, "$", 1);
			s += 2;
		} else if (s[0] == '$' && (len = name_at(s, &name)) > 0) {
			r = find(all, name);
			if (r != NULL && depth < DEPTH_MAX) {
				r->is_used = true;
				expand(all, r->value, o, depth + 1);
			}
			s += len;
		} else
			put(o, s++, 1);
		if (o->len == sizeof(o->text) - 1)
			return;
	}
}

char *
main_cf_get(struct main_cf *all, const char *name)
{
	struct main_cf_row *r = find(all, span_of(name));
	struct out *o;
	char *value;

	if (r == NULL || (o = calloc(1, sizeof(*o))) == NULL)
		return NULL;
	r->is_used = true;
	expand(all, r->value, o, 0);
	value = strndup(o->text, o->len);
	free(o);
	return value;
}

const char *
main_cf_raw(const struct main_cf *all, const char *name)
{
	const struct main_cf_row *r = find(all, span_of(name));

	return r == NULL ? NULL : r->value;
}

void
main_cf_free(struct main_cf *all)
{
	struct main_cf_row *r;

	while ((r = TAILQ_FIRST(all)) != NULL) {
		TAILQ_REMOVE(all, r, entry);
		free(r->name);
		free(r->value);
		free(r);
	}
}

bool
main_cf_word(struct span *list, struct span *word)
{
	size_t len = 0, depth = 0;

	while (list->len > 0 &&
	    (blank_is(list->ptr[0]) || list->ptr[0] == ','))
		*list = span_tail(*list, 1);
	if (list->len == 0)
		return false;
	for (; len < list->len; len++) {
		char c = list->ptr[len];

		if (c == '{')
			depth++;
		else if (c == '}' && depth > 0)
			depth--;
		else if (depth == 0 && (blank_is(c) || c == ','))
			break;
	}
	/* A brace may not end. */
	*word = blank_trim(span_head(*list, len));
	*list = span_tail(*list, len);
	if (word->len > 1 && word->ptr[0] == '{' &&
	    word->ptr[word->len - 1] == '}')
		*word = blank_trim((struct span){ word->ptr + 1,
		    word->len - 2 });
	return true;
}
