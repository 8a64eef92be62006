/*
 * lists.c - a file of values is a source like the others, so that a mistake in
 * it is shown where it stands.
 */
#include <errno.h>
#include <string.h>

#include "conf/lists.h"

/* Room for one more value: twice what there was. */
static bool
has_room(struct conf *c, struct setting *s)
{
	unsigned room = s->room == 0 ? 4 : 2 * s->room;
	struct reading *all;

	if (s->cnt < s->room)
		return true;
	all = arena_take_array(&c->arena, room, sizeof(*all));
	if (all == NULL)
		return false;
	for (unsigned i = 0; i < s->cnt; i++)
		all[i] = s->v[i];
	s->v = all;
	s->room = room;
	return true;
}

void
lists_value(struct conf *c, struct setting *s, const struct value *v,
    const struct option_row *row)
{
	if (has_room(c, s) &&
	    read_value(&c->read_place, row, v, &s->v[s->cnt]))
		s->cnt++;
}

/* The file as one more source, numbered *no.  Says why not at v. */
static bool
read_source(struct conf *c, const struct value *v, uint32_t *no)
{
	struct source *src = &c->sources.v[c->sources.cnt];
	struct span path = arena_copy(&c->arena, v->text);
	char *bytes = NULL;
	size_t len = 0;
	enum err e;

	if (path.ptr == NULL)
		return false;
	if (c->sources.cnt == CONF_FILES_MAX) {
		report_add(&c->mistakes, v->place, "more than %u files",
		    CONF_FILES_MAX);
		return false;
	}
	e = c->opener->read(c->opener->arg, path.ptr, CONF_LIST_MAX, &bytes,
	    &len);
	if (e == OK) {
		*src = (struct source){ .name = path.ptr, .owned = bytes,
		    .bytes = { bytes, len } };
		*no = c->sources.cnt++;
		return true;
	}
	if (c->opener->look != NULL)
		report_add(&c->mistakes, v->place, "cannot read %s: %s",
		    path.ptr, e == ERR_NONE ? "there is no such file" :
		    e == ERR_FULL ? "it is larger than 16 MiB" :
		    strerror(errno));
	return false;
}

static bool
is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r';
}

/* What stands in the line from `at' on, without blanks and comment. */
static struct value
value_of_line(struct span bytes, uint32_t source, size_t at, size_t end)
{
	struct span line = span_head(span_tail(bytes, at), end - at);
	size_t len = span_find(line, '#'), from = 0;

	while (len > 0 && is_blank(line.ptr[len - 1]))
		len--;
	while (from < len && is_blank(line.ptr[from]))
		from++;
	return (struct value){ .text = { line.ptr + from, len - from },
	    .place = { source, (uint32_t)(at + from),
	    (uint32_t)(len - from) } };
}

void
lists_file(struct conf *c, struct setting *s, const struct value *v,
    const struct option_row *row)
{
	unsigned mistakes, before = s->cnt;
	struct span bytes;
	struct value one;
	uint32_t source;
	size_t end;

	if (!read_source(c, v, &source))
		return;
	bytes = c->sources.v[source].bytes;
	mistakes = c->mistakes.cnt;
	for (size_t at = 0; at < bytes.len && !c->arena.bad; at = end + 1) {
		end = at + span_find(span_tail(bytes, at), '\n');
		one = value_of_line(bytes, source, at, end);
		if (one.text.len > 0)
			lists_value(c, s, &one, row);
	}
	/* Nobody would be taken for everybody. */
	if (s->cnt == before && c->mistakes.cnt == mistakes)
		report_add(&c->mistakes, v->place, "there is nobody in %s",
		    c->sources.v[source].name);
}

/* `to' first, then at least one pattern, `relay' and a name last. */
static bool
is_route(struct conf *c, const struct node *n)
{
	const struct value *v;
	bool is_good = n->value_cnt >= 4;

	STAILQ_FOREACH(v, &n->values, entry)
		if ((v->no == 0 && !span_eq(v->text, SPAN("to"))) ||
		    (v->no + 2 == n->value_cnt &&
		    !span_eq(v->text, SPAN("relay"))))
			is_good = false;
	if (!is_good)
		report_add(&c->mistakes, n->place, "a route is written "
		    "`route to PATTERN ... relay NAME'");
	return is_good;
}

void
lists_route(struct conf *c, struct setting *s, const struct node *n,
    const struct option_row *row)
{
	const struct value *v, *relay = STAILQ_LAST(&n->values, value, entry);
	unsigned before;

	if (!is_route(c, n))
		return;
	STAILQ_FOREACH(v, &n->values, entry) {
		if (v->no == 0 || v->no + 2 >= n->value_cnt)
			continue;
		before = s->cnt;
		lists_value(c, s, v, row);
		if (s->cnt == before || !has_room(c, s))
			continue;
		s->v[s->cnt++] = (struct reading){ .text = relay->text,
		    .place = relay->place };
	}
}
