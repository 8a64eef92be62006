/*
 * report.c - what a mistake looks like.
 *
 * A column counts characters from 1, a tab being one.  In the shown line a tab
 * is a blank and what cannot be printed a question mark, so the caret stands
 * where it should on every terminal.  Of a long line only the surroundings are
 * shown.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conf/read/report.h"

#define TEXT_MAX	600	/* bytes of a message with NUL		*/
#define WORD_SHOWN_MAX	80	/* bytes of a word within a message	*/
#define SHOWN_MAX	100	/* characters of a line that are shown	*/
#define MARGIN		"    "

struct note {
	struct place	 place;
	const char	*text;
	struct note	*next;
};

struct mistake {
	TAILQ_ENTRY(mistake) entry;
	struct place	 place;
	const char	*text;
	struct note	*note;
};

/* The line of a place, cut into what is told. */
struct line {
	struct span	 text;		/* without its newline		*/
	unsigned	 no, column;	/* from 1			*/
	size_t		 at;		/* of the place, in text	*/
};

void
report_init(struct mistakes *ms, struct arena *arena,
    const struct sources *sources)
{
	ms->arena = arena;
	ms->sources = sources;
	ms->cnt = ms->warning_cnt = 0;
	ms->wants_facts = false;
	ms->last = NULL;
	TAILQ_INIT(&ms->list);
}

int
report_len(struct span s)
{
	return (int)(s.len < WORD_SHOWN_MAX ? s.len : WORD_SHOWN_MAX);
}

static bool
stands_before(struct place a, struct place b)
{
	return a.source != b.source ? a.source < b.source : a.at < b.at;
}

/* Behind all that do not stand after it: the order of finding is kept. */
static void
insert(struct mistakes *ms, struct mistake *m)
{
	struct mistake *other;

	TAILQ_FOREACH_REVERSE(other, &ms->list, mistake_list, entry)
		if (!stands_before(m->place, other->place)) {
			TAILQ_INSERT_AFTER(&ms->list, other, m, entry);
			return;
		}
	TAILQ_INSERT_HEAD(&ms->list, m, entry);
}

static void __attribute__((format(printf, 4, 0)))
add(struct mistakes *ms, struct place place, const char *begin,
    const char *fmt, va_list ap)
{
	char text[TEXT_MAX];
	struct mistake *m = arena_take(ms->arena, sizeof(*m));
	int len = snprintf(text, sizeof(text), "%s", begin);

	if (m == NULL)
		return;
	if (vsnprintf(text + len, sizeof(text) - (size_t)len, fmt, ap) < 0)
		text[0] = '\0';
	m->place = place;
	m->text = arena_copy(ms->arena, span_of(text)).ptr;
	insert(ms, m);
	ms->last = m;
}

void
report_add(struct mistakes *ms, struct place place, const char *fmt, ...)
{
	va_list ap;

	ms->last = NULL;
	if (ms->cnt++ >= CONF_ERRORS_MAX)
		return;
	va_start(ap, fmt);
	add(ms, place, "", fmt, ap);
	va_end(ap);
}

void
report_warn(struct mistakes *ms, struct place place, const char *fmt, ...)
{
	va_list ap;

	ms->last = NULL;
	if (ms->warning_cnt++ >= CONF_WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	add(ms, place, "warning: ", fmt, ap);
	va_end(ap);
}

void
report_fact(struct mistakes *ms, struct place place, const char *fmt, ...)
{
	va_list ap;

	ms->last = NULL;
	if (!ms->wants_facts)
		return;
	va_start(ap, fmt);
	add(ms, place, "note: ", fmt, ap);
	va_end(ap);
}

void
report_note(struct mistakes *ms, struct place place, const char *text)
{
	struct note *n;

	if (ms->last == NULL ||
	    (n = arena_take(ms->arena, sizeof(*n))) == NULL)
		return;
	n->place = place;
	n->text = text;
	n->next = ms->last->note;
	ms->last->note = n;
}

static bool
is_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static struct line
find_line(struct span bytes, size_t at)
{
	struct line l = { .no = 1, .column = 1 };
	size_t start = 0;

	if (at > bytes.len)
		at = bytes.len;
	for (size_t i = 0; i < at; i++)
		if (bytes.ptr[i] == '\n') {
			l.no++;
			start = i + 1;
		}
	for (size_t i = start; i < at; i++)
		l.column += is_character(bytes.ptr[i]);
	l.text = span_tail(bytes, start);
	l.text = span_head(l.text, span_find(l.text, '\n'));
	if (l.text.len > 0 && l.text.ptr[l.text.len - 1] == '\r')
		l.text.len--;
	l.at = at - start;
	return l;
}

/* Move both ends of the shown window onto beginnings of characters. */
static struct span
shown_part(const struct line *l, size_t *at)
{
	size_t start = 0, end = l->text.len;

	if (end > SHOWN_MAX) {
		start = l->at > SHOWN_MAX / 2 ? l->at - SHOWN_MAX / 2 : 0;
		while (start > 0 && start < end &&
		    !is_character(l->text.ptr[start]))
			start--;
		if (end - start > SHOWN_MAX)
			end = start + SHOWN_MAX;
		while (end < l->text.len && end < start + SHOWN_MAX + 4 &&
		    !is_character(l->text.ptr[end]))
			end++;
	}
	*at = l->at > start ? l->at - start : 0;
	return span_head(span_tail(l->text, start), end - start);
}

static char
printable(char c)
{
	if (c == '\t')
		return ' ';
	return (unsigned char)c < 0x20 || c == 0x7f ? '?' : c;
}

static void
tell_text(struct conf_report *to, char *text)
{
	for (char *p = text; *p != '\0'; p++)
		*p = printable(*p);
	if (to->line != NULL)
		to->line(to->arg, text);
}

static void
tell_source(struct conf_report *to, const struct line *l, size_t len)
{
	char text[4 * SHOWN_MAX];
	size_t at;
	struct span s = shown_part(l, &at);
	size_t out = strlen(MARGIN);

	if (s.len == 0)
		return;
	memcpy(text, MARGIN, out);
	memcpy(text + out, s.ptr, s.len);
	text[out + s.len] = '\0';
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\0')
			text[out + i] = '?';
	tell_text(to, text);

	for (size_t i = 0; i < at && i < s.len; i++)
		if (is_character(s.ptr[i]))
			text[out++] = ' ';
	text[out++] = '^';
	for (size_t i = at + 1; i < s.len && i < at + len; i++)
		if (is_character(s.ptr[i]))
			text[out++] = '~';
	text[out] = '\0';
	tell_text(to, text);
}

static void
tell_place(const struct mistakes *ms, struct conf_report *to,
    struct place place, const char *hint)
{
	const struct source *src = &ms->sources->v[place.source];
	struct line l = find_line(src->bytes, place.at);
	char text[TEXT_MAX + PLAN_PATH_MAX + 64];

	(void)snprintf(text, sizeof(text), "%s:%u:%u: %s", src->name, l.no,
	    l.column, hint == NULL ? "" : hint);
	tell_text(to, text);
	tell_source(to, &l, place.len);
}

void
report_place(const struct mistakes *ms, struct place place, char *out,
    size_t cap)
{
	const struct source *src = &ms->sources->v[place.source];
	char text[PLAN_PATH_MAX + 16];
	size_t len;

	(void)snprintf(text, sizeof(text), "%s:%u", src->name,
	    find_line(src->bytes, place.at).no);
	len = strlen(text);
	(void)strlcpy(out, len < cap ? text : text + len - cap + 1, cap);
}

void
report_tell(const struct mistakes *ms, struct conf_report *to)
{
	const struct mistake *m;
	const struct note *n;
	char text[80];

	TAILQ_FOREACH(m, &ms->list, entry) {
		tell_place(ms, to, m->place, m->text);
		for (n = m->note; n != NULL; n = n->next)
			tell_place(ms, to, n->place, n->text);
	}
	if (ms->cnt > CONF_ERRORS_MAX) {
		(void)snprintf(text, sizeof(text), "%u more mistakes",
		    ms->cnt - CONF_ERRORS_MAX);
		tell_text(to, text);
	}
	if (ms->warning_cnt > CONF_WARNINGS_MAX) {
		(void)snprintf(text, sizeof(text), "%u more warnings",
		    ms->warning_cnt - CONF_WARNINGS_MAX);
		tell_text(to, text);
	}
	to->errors += ms->cnt;
}
