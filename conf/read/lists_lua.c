/*
 * lists_lua.c - a file of Lua travels in the slice, in pieces that a value has
 * room for.  What is wrong with it is shown at the word that Lua names.
 */
#include <string.h>

#include "conf/read/lists.h"
#include "conf/slice/slice.h"

#define WHY_MAX		256

/* The line, without its end. */
static struct span
line_of(struct span text, unsigned line)
{
	while (--line > 0)
		text = span_tail(text, span_find(text, '\n') + 1);
	return span_head(text, span_find(text, '\n'));
}

/* What stands in it behind "near", or all of it. */
static struct span
word_of(struct span line, const char *why)
{
	const char *near = strstr(why, " near '"), *end, *at;
	size_t len;

	if (near == NULL || (end = strrchr(near, '\'')) == NULL)
		return line;
	near += strlen(" near '");
	len = end > near ? (size_t)(end - near) : 0;
	if (len == 0 || line.len == 0 ||
	    (at = memmem(line.ptr, line.len, near, len)) == NULL)
		return line;
	return (struct span){ at, len };
}

static void
tell(struct conf *c, uint32_t source, unsigned line, const char *why,
    struct place place)
{
	struct span text = c->sources.v[source].bytes, word;

	if (line > 0 && text.len > 0) {
		word = word_of(line_of(text, line), why);
		if (word.len == 0 && word.ptr == NULL)
			word = span_tail(text, text.len);
		place = (struct place){ source,
		    (uint32_t)(word.ptr - text.ptr), (uint32_t)word.len };
	}
	report_add(&c->mistakes, place, "%s", why);
}

static bool
put(struct conf *c, struct setting *s, struct span text, uint64_t num,
    struct place place)
{
	if (!lists_room(c, s))
		return false;
	s->v[s->cnt++] = (struct reading){ .text = text, .num = num,
	    .place = place };
	return true;
}

void
lists_lua(struct conf *c, struct setting *s, const struct value *v,
    const struct option_row *row)
{
	struct value path = *v;
	struct reading r;
	struct span text;
	char why[WHY_MAX] = "";
	unsigned line = 0;
	uint32_t source;

	if (!read_value(&c->read_place, row, v, &r))
		return;
	path.text = r.text;
	if (!lists_source(c, &path, 0, &source, false))
		return;
	text = c->sources.v[source].bytes;
	if (c->opener->lua != NULL && c->opener->lua(r.text, text, &line, why,
	    sizeof(why)) != OK) {
		tell(c, source, line, why, v->place);
		return;
	}
	if (!put(c, s, r.text, 0, v->place))
		return;
	for (; text.len > 0; text = span_tail(text, SLICE_TEXT_MAX))
		if (!put(c, s, span_head(text, SLICE_TEXT_MAX), 1, v->place))
			return;
}
