/*
 * parse.c - words and signs into entries.
 *
 * The tree is built by walking: `open' is the block we are in, its parent what
 * we are in after a brace.  Nothing here recurses but include, which is
 * bounded.  A block of the outermost level that begins within another one
 * shows where a brace was forgotten; we say so, close what is open, and go on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/read/lex.h"
#include "conf/options.h"
#include "conf/read/parse.h"

struct parser {
	struct sources	*sources;
	struct mistakes	*mistakes;
	struct arena	*arena;
	const struct conf_opener *opener;
	struct node	*open;		/* the block we are in		*/
	unsigned	 forgiven;	/* braces we closed ourselves	*/
	unsigned	 depth;		/* includes within each other	*/
	unsigned	 way[CONF_DEPTH_MAX + 1]; /* sources they are in */
	size_t		 total_len;
};

/* What conf_opener.glob() calls back with. */
struct inclusion {
	struct parser	*parser;
	struct place	 place;		/* of the pattern		*/
	unsigned	 found;
};

static void	read_entries(struct parser *, uint32_t source);

static struct node *
new_node(struct parser *p, struct node *parent, const struct token *t)
{
	struct node *n = arena_take(p->arena, sizeof(*n));

	if (n == NULL)
		return NULL;
	STAILQ_INIT(&n->values);
	TAILQ_INIT(&n->nodes);
	n->parent = parent;
	if (t != NULL) {
		n->word = t->text;
		n->place = t->place;
	}
	if (parent != NULL)
		TAILQ_INSERT_TAIL(&parent->nodes, n, entry);
	return n;
}

static void
add_value(struct parser *p, struct node *n, const struct token *t)
{
	struct value *v = arena_take(p->arena, sizeof(*v));

	if (v == NULL)
		return;
	v->text = t->text;
	v->place = t->place;
	v->quoted = t->kind == TOKEN_STRING;
	STAILQ_INSERT_TAIL(&n->values, v, entry);
	v->no = n->value_cnt++;
}

static const char *
why_unread(enum err e)
{
	if (e == ERR_NONE)
		return "there is no such file";
	if (e == ERR_FULL)
		return "it is larger than 16 MiB";
	return strerror(errno);
}

/* The directory of a path with its slash; empty when it names none. */
static struct span
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return (struct span){ path,
	    slash == NULL ? 0 : (size_t)(slash - path) + 1 };
}

/* Read a file into the next source.  Says why not at `from'. */
static bool
read_source(struct parser *p, const char *path, struct place from)
{
	struct source *src;
	char *bytes = NULL;
	size_t len = 0;
	enum err e;

	if (p->sources->cnt == CONF_FILES_MAX) {
		report_add(p->mistakes, from, "more than %u files",
		    CONF_FILES_MAX);
		return false;
	}
	src = &p->sources->v[p->sources->cnt];
	src->name = arena_copy(p->arena, span_of(path)).ptr;
	if (src->name == NULL)
		return false;
	src->dir = directory_of(src->name);
	/* The first file is the place of its own absence. */
	if (p->sources->cnt == 0)
		p->sources->cnt = 1;
	e = p->opener->read(p->opener->arg, path, CONF_FILE_MAX, &bytes, &len);
	if (e != OK) {
		report_add(p->mistakes, from, "cannot read %s: %s", path,
		    why_unread(e));
		return false;
	}
	src->owned = bytes;
	src->bytes = (struct span){ bytes, len };
	if (src != &p->sources->v[0])
		p->sources->cnt++;
	p->total_len += len;
	if (len > CONF_FILE_MAX || p->total_len > CONF_TOTAL_MAX) {
		report_add(p->mistakes, from,
		    "the configuration is larger than 32 MiB");
		return false;
	}
	return true;
}

static bool
is_within_itself(struct parser *p, const char *path)
{
	for (unsigned i = 0; i < p->depth; i++)
		if (strcmp(p->sources->v[p->way[i]].name, path) == 0)
			return true;
	return false;
}

static void
include_file(struct inclusion *in, const char *path)
{
	struct parser *p = in->parser;
	uint32_t source = p->sources->cnt;

	if (is_within_itself(p, path)) {
		report_add(p->mistakes, in->place, "%s includes itself", path);
		return;
	}
	if (p->depth == CONF_DEPTH_MAX) {
		report_add(p->mistakes, in->place,
		    "more than %u includes within each other", CONF_DEPTH_MAX);
		return;
	}
	if (!read_source(p, path, in->place))
		return;
	p->way[p->depth++] = source;
	read_entries(p, source);
	p->depth--;
}

static void
found_file(void *arg, const char *path)
{
	struct inclusion *in = arg;

	in->found++;
	if (in->found <= CONF_FILES_MAX)
		include_file(in, path);
}

static bool
has_wildcard(struct span s)
{
	return span_find(s, '*') < s.len || span_find(s, '?') < s.len ||
	    span_find(s, '[') < s.len;
}

/* include "glob", relative to the file it stands in. */
static void
include(struct parser *p, const struct node *n)
{
	const struct value *v = STAILQ_FIRST(&n->values);
	struct inclusion in = { .parser = p };
	struct span path, dir;
	enum err e;

	if (v == NULL || n->value_cnt > 1 || v->text.len == 0) {
		report_add(p->mistakes, n->place,
		    "include takes one path, such as \"conf.d/*.conf\"");
		return;
	}
	if (memchr(v->text.ptr, '\0', v->text.len) != NULL)
		return;
	in.place = v->place;
	dir = p->sources->v[n->place.source].dir;
	if (v->text.ptr[0] == '/')
		dir.len = 0;
	path = arena_join(p->arena, dir, v->text);
	if (path.ptr == NULL)
		return;
	if (!has_wildcard(v->text)) {
		include_file(&in, path.ptr);
		return;
	}
	e = p->opener->glob(p->opener->arg, path.ptr, found_file, &in);
	if (e != OK)
		report_add(p->mistakes, in.place, "cannot read %s: %s",
		    path.ptr, why_unread(e));
}

static bool
is_outermost_word(struct span word)
{
	return options_find_block(BLOCK_TOP, word) != BLOCK_TOP;
}

/* "edge in": the word and what stands before the brace. */
static const char *
words_of(struct parser *p, const struct node *n)
{
	const struct value *v = STAILQ_FIRST(&n->values);

	if (v == NULL)
		return arena_print(p->arena, "%.*s", report_len(n->word),
		    n->word.ptr);
	return arena_print(p->arena, "%.*s %.*s", report_len(n->word),
	    n->word.ptr, report_len(v->text), v->text.ptr);
}

static void
note_opened(struct parser *p)
{
	report_note(p->mistakes, p->open->open, arena_print(p->arena,
	    "`%s' is opened here", words_of(p, p->open)));
}

/* Does `edge x {' begin within another block?  Then a brace is missing. */
static void
close_forgotten(struct parser *p, struct node *n, struct node *floor)
{
	if (p->open == floor || floor->parent != NULL ||
	    !is_outermost_word(n->word) || n->value_cnt > 1)
		return;
	report_add(p->mistakes, n->place,
	    "a `}' is missing before this: `%s' cannot stand within `%s'",
	    words_of(p, n), words_of(p, p->open));
	note_opened(p);
	TAILQ_REMOVE(&p->open->nodes, n, entry);
	for (; p->open != floor; p->open = p->open->parent)
		p->forgiven++;
	n->parent = floor;
	TAILQ_INSERT_TAIL(&floor->nodes, n, entry);
}

static void
open_block(struct parser *p, struct node *n, struct place brace)
{
	n->has_block = true;
	n->open = brace;
	p->open = n;
}

static void
read_entry(struct parser *p, struct lexer *lx, struct node *floor,
    const struct token *first)
{
	struct node *n = new_node(p, p->open, first);
	struct place whole;
	struct token t;

	if (n == NULL)
		return;
	for (;;) {
		t = lex_next(lx);
		if (t.kind == TOKEN_WORD || t.kind == TOKEN_STRING) {
			add_value(p, n, &t);
		} else if (t.kind != TOKEN_OPEN) {
			lx->at = t.place.at;	/* read again, in its turn */
			break;
		} else if (lex_skip_holder(lx, t.place, &whole)) {
			report_add(p->mistakes, whole,
			    "a value with braces must stand in quotes");
			n->is_bad = true;
		} else {
			close_forgotten(p, n, floor);
			open_block(p, n, t.place);
			return;
		}
	}
	if (span_eq(n->word, SPAN("include"))) {
		TAILQ_REMOVE(&p->open->nodes, n, entry);
		include(p, n);
	}
}

/* A brace on a line of its own, or with nothing before it. */
static void
read_stray_brace(struct parser *p, const struct token *t)
{
	struct node *last = TAILQ_LAST(&p->open->nodes, node_list);

	if (last == NULL || last->has_block)
		last = new_node(p, p->open, NULL);
	if (last == NULL)
		return;
	report_add(p->mistakes, t->place,
	    "`{' must stand on the line of what it belongs to");
	open_block(p, last, t->place);
}

static void
close_block(struct parser *p, const struct node *floor, struct place place)
{
	if (p->open != floor)
		p->open = p->open->parent;
	else if (p->forgiven > 0)
		p->forgiven--;
	else
		report_add(p->mistakes, place, "this `}' closes nothing");
}

static void
skip_line(struct lexer *lx)
{
	lx->at += span_find(span_tail(lx->bytes, lx->at), '\n');
}

static void
read_entries(struct parser *p, uint32_t source)
{
	struct node *floor = p->open;
	struct lexer lx;
	struct token t;

	lex_init(&lx, p->mistakes, source);
	while (!p->arena->bad && (t = lex_next(&lx)).kind != TOKEN_END) {
		if (t.kind == TOKEN_WORD)
			read_entry(p, &lx, floor, &t);
		else if (t.kind == TOKEN_OPEN)
			read_stray_brace(p, &t);
		else if (t.kind == TOKEN_CLOSE)
			close_block(p, floor, t.place);
		else if (t.kind == TOKEN_STRING) {
			report_add(p->mistakes, t.place,
			    "the name of an option or block was expected here");
			skip_line(&lx);
		}
	}
	if (p->open != floor && !p->arena->bad) {
		report_add(p->mistakes, t.place,
		    "a `}' is missing: the file ends within `%s'",
		    words_of(p, p->open));
		note_opened(p);
	}
	p->open = floor;
	p->forgiven = 0;
}

void
parse_files(struct node **top, const char *path, struct sources *sources,
    struct mistakes *mistakes, const struct conf_opener *opener)
{
	struct parser p = { .sources = sources, .mistakes = mistakes,
	    .arena = mistakes->arena, .opener = opener };
	struct inclusion in = { .parser = &p };

	*top = new_node(&p, NULL, NULL);
	if (*top == NULL)
		return;
	(*top)->has_block = true;
	p.open = *top;
	include_file(&in, path);
}
