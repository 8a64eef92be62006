/*
 * lists.c - a file of values is a source like the others, so that a mistake in
 * it is shown where it stands.
 */
#include <errno.h>
#include <string.h>

#include "conf/read/lists.h"
#include "conf/read/propose.h"
#include "conf/slice/slice.h"
#include "mail/notice.h"

#define ROUTE_REPLY_MAX	200	/* bytes of a reply that a route gives	*/

/* Twice what there was. */
bool
lists_room(struct conf *c, struct setting *s)
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
	if (lists_room(c, s) &&
	    read_value(&c->read_place, row, v, &s->v[s->cnt]))
		s->cnt++;
}

bool
lists_source(struct conf *c, const struct value *v, size_t dir_len,
    uint32_t *no, bool may_lack)
{
	static const struct span mark = { "\xef\xbb\xbf", 3 };
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
	e = dir_len > 0 && c->opener->read_below != NULL ?
	    c->opener->read_below(c->opener->arg, path.ptr, dir_len,
	    CONF_LIST_MAX, &bytes, &len) :
	    c->opener->read(c->opener->arg, path.ptr, CONF_LIST_MAX, &bytes,
	    &len);
	if (e == OK) {
		*src = (struct source){ .name = path.ptr, .owned = bytes,
		    .bytes = { bytes, len } };
		if (span_begins(src->bytes, mark))
			src->bytes = span_tail(src->bytes, mark.len);
		*no = c->sources.cnt++;
		return true;
	}
	if (c->opener->look != NULL && e == ERR_NONE && may_lack)
		report_warn(&c->mistakes, v->place, "there is no %s: it is "
		    "taken for an empty one", path.ptr);
	else if (c->opener->look != NULL)
		report_add(&c->mistakes, v->place, "cannot read %s: %s",
		    path.ptr, e == ERR_NONE ? "there is no such file" :
		    e == ERR_FULL ? "it is larger than 16 MiB" :
		    dir_len > 0 && errno == ELOOP ? "a link leads to it" :
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

	if (!lists_source(c, v, 0, &source, false))
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

/* A fault of the text as a whole has no line: it is told where v stands. */
static void
tell_notice(struct conf *c, const struct notice_error *error,
    uint32_t source, const struct value *v)
{
	struct span bytes = c->sources.v[source].bytes;
	struct place place = v->place;

	if (error->text.ptr >= bytes.ptr &&
	    error->text.ptr < bytes.ptr + bytes.len)
		place = (struct place){ source, (uint32_t)(error->text.ptr -
		    bytes.ptr) + error->column - 1, 1 };
	report_add(&c->mistakes, place, "%s", error->why);
}

void
lists_notice(struct conf *c, struct setting *s, const struct value *v,
    const struct option_row *row)
{
	struct value path = *v;
	struct notice_error error;
	struct notice notice;
	struct reading r;
	struct span text;
	uint32_t source;

	if (!read_value(&c->read_place, row, v, &r))
		return;
	path.text = r.text;
	if (!lists_source(c, &path, 0, &source, false))
		return;
	text = c->sources.v[source].bytes;
	if (notice_read(&notice, text, &error) != OK) {
		tell_notice(c, &error, source, v);
		return;
	}
	while (text.len > 0 && lists_room(c, s)) {
		struct span line = span_head(text, span_find(text, '\n'));

		s->v[s->cnt++] = (struct reading){ .text = line,
		    .place = v->place };
		text = span_tail(text, line.len + 1);
	}
}

/* What all patterns of a line share. */
struct target {
	enum route_by	 by;
	struct reading	 does;
	unsigned	 tail;		/* values behind the patterns	*/
};

static const char *const by_words[] = {
	[ROUTE_BY_RCPT] = "to", [ROUTE_BY_SENDER] = "from",
	[ROUTE_BY_LOGIN] = "login",
};
static const char *const does_words[] = {
	[ROUTE_DOES_RELAY] = "relay", [ROUTE_DOES_REFUSE] = "error",
	[ROUTE_DOES_DISCARD] = "discard",
};

static int
find_word(const char *const *words, int cnt, struct span s)
{
	for (int i = 0; i < cnt; i++)
		if (span_eq(s, span_of(words[i])))
			return i;
	return -1;
}

/* The n-th value from the end, 0 the last; NULL: there are not so many. */
static const struct value *
from_end(const struct node *n, unsigned back)
{
	const struct value *v;

	STAILQ_FOREACH(v, &n->values, entry)
		if (v->no + 1 + back == n->value_cnt)
			return v;
	return NULL;
}

/* It is no route: say how one is written, and which word may be meant. */
static bool
refuse_route(struct conf *c, const struct node *n, const struct value *odd,
    const char *words)
{
	struct propose p = { .best = SPAN("") };

	if (odd != NULL) {
		propose_init(&p, odd->text);
		propose_try_all(&p, words);
	}
	report_add(&c->mistakes, p.best.len > 0 ? odd->place : n->place,
	    "a route is written `route to PATTERN ... relay NAME'; in place "
	    "of to stands from or login, in place of relay NAME stands "
	    "error \"5.1.6 TEXT\" or discard%s", propose_text(&p, &c->arena));
	return false;
}

/* "5.1.6 It has moved": RFC 3463, then words that fit into a reply. */
static bool
is_refusal(struct span s)
{
	size_t at = 2;

	if (s.len > ROUTE_REPLY_MAX || s.len < 7 || (s.ptr[0] != '4' &&
	    s.ptr[0] != '5') || s.ptr[1] != '.')
		return false;
	for (int part = 0; part < 2; part++) {
		size_t from = at;

		while (at < s.len && at - from < 3 && s.ptr[at] >= '0' &&
		    s.ptr[at] <= '9')
			at++;
		if (at == from || at >= s.len ||
		    s.ptr[at++] != (part == 0 ? '.' : ' '))
			return false;
	}
	for (size_t i = at; i < s.len; i++)
		if (s.ptr[i] < ' ' || s.ptr[i] > '~')
			return false;
	return at < s.len && s.ptr[at] != ' ';
}

/* The words at the end of the line. */
static bool
read_target(struct conf *c, const struct node *n, struct target *t)
{
	const struct value *last = from_end(n, 0), *verb = from_end(n, 1);
	int does = -1;

	if (last != NULL && !last->quoted &&
	    span_eq(last->text, SPAN("discard"))) {
		t->tail = 1;
		t->does = (struct reading){ .num = ROUTE_DOES_DISCARD,
		    .place = last->place };
		return n->value_cnt > 2 || refuse_route(c, n, NULL, "");
	}
	if (verb != NULL)
		does = find_word(does_words, ROUTE_DOES_DISCARD, verb->text);
	if (does == -1 || n->value_cnt < 4)
		return refuse_route(c, n, n->value_cnt < 4 ? NULL : verb,
		    "relay error");
	t->tail = 2;
	t->does = (struct reading){ .text = last->text,
	    .num = (uint64_t)does, .place = last->place };
	if (does != ROUTE_DOES_REFUSE || is_refusal(last->text))
		return true;
	report_add(&c->mistakes, last->place, "the text of an error begins "
	    "with its enhanced code, as in \"5.1.6 It has moved\", and has at "
	    "most %u bytes of ASCII", ROUTE_REPLY_MAX);
	return false;
}

static bool
read_route(struct conf *c, const struct node *n, struct target *t)
{
	const struct value *first = STAILQ_FIRST(&n->values);
	int by = first == NULL ? -1 : find_word(by_words, ROUTE_BY__COUNT,
	    first->text);

	if (by == -1)
		return refuse_route(c, n, first, "to from login");
	t->by = (enum route_by)by;
	return read_target(c, n, t);
}

/* Behind each pattern from `before' on stands what is done. */
static void
pair_up(struct conf *c, struct setting *s, unsigned before,
    const struct target *t)
{
	unsigned added = s->cnt - before;

	for (unsigned i = 0; i < added; i++) {
		if (!lists_room(c, s)) {
			s->cnt = before;
			return;
		}
		s->cnt++;
	}
	for (unsigned i = added; i > 0; i--) {
		s->v[before + 2 * i - 2] = s->v[before + i - 1];
		s->v[before + 2 * i - 2].num = t->by;
		s->v[before + 2 * i - 1] = t->does;
	}
}

void
lists_route(struct conf *c, struct setting *s, const struct node *n,
    const struct option_row *row)
{
	struct option_row of = *row;
	unsigned before = s->cnt;
	const struct value *v;
	struct target t = { .tail = 0 };

	if (!read_route(c, n, &t))
		return;
	if (t.by != ROUTE_BY_RCPT)
		of.type = t.by == ROUTE_BY_LOGIN ? TYPE_LOGIN : TYPE_SENDER;
	STAILQ_FOREACH(v, &n->values, entry) {
		if (v->no == 0 || v->no + t.tail >= n->value_cnt)
			continue;
		if (span_begins(v->text, SPAN("/")))
			lists_file(c, s, v, &of);
		else
			lists_value(c, s, v, &of);
	}
	pair_up(c, s, before, &t);
}
