/*
 * settle.c - from what was written to blocks with all their options.
 *
 * `type' is read before the others, since it says which of them may stand.
 * What is wrong is reported and left out; a value left out counts as given, so
 * that nobody is told it is missing.
 */
#include <string.h>

#include "base/limits.h"
#include "conf/block.h"
#include "conf/read/habits.h"
#include "conf/read/lists.h"
#include "conf/read/net.h"
#include "conf/read/propose.h"

static void	settle(struct conf *, struct block *, const struct node *);

static struct block *
new_block(struct conf *c, struct block *parent, enum option_block no,
    const struct node *n)
{
	struct block *b;

	if (++c->block_cnt > BLOCKS_MAX)
		return NULL;
	b = arena_take(&c->arena, sizeof(*b));
	if (b == NULL)
		return NULL;
	b->no = no;
	b->given = n != NULL;
	TAILQ_INIT(&b->blocks);
	b->place = n != NULL ? n->place : parent->place;
	b->name_place = b->place;
	if (parent != NULL)
		TAILQ_INSERT_TAIL(&parent->blocks, b, entry);
	return b;
}

/* "in `tls' of edge": a block for who does not know where it stands. */
static const char *
place_words(struct conf *c, enum option_block no)
{
	const struct block_row *row = options_block(no);

	if (no == BLOCK_TOP)
		return "outside of all blocks";
	if (row->parent == BLOCK_TOP)
		return arena_print(&c->arena, "in `%s'", row->word);
	return arena_print(&c->arena, "in `%s' of %s", row->word,
	    options_block(row->parent)->word);
}

/* Does the block have such an option or such a block? */
static bool
has_word(enum option_block no, struct span word)
{
	return options_find(no, word, SPAN("")) != OPTION__COUNT ||
	    options_find_block(no, word) != BLOCK_TOP;
}

/* Every place where the word may stand; "" when there is none. */
static const char *
places_of(struct conf *c, struct span word)
{
	const char *all = "";

	for (unsigned no = BLOCK_TOP; no < BLOCK__COUNT; no++)
		if (has_word((enum option_block)no, word))
			all = arena_print(&c->arena, "%s%s%s", all,
			    all[0] == '\0' ? "; it stands " : ", or ",
			    place_words(c, (enum option_block)no));
	return all;
}

/* The option or block of this block that is spelled most like it, or "". */
static const char *
nearest_of(struct conf *c, const struct block *b, struct span word)
{
	struct propose p;

	propose_init(&p, word);
	for (unsigned i = 0; i < OPTION__COUNT; i++)
		if (options_row((enum option_no)i)->block == b->no)
			propose_try(&p,
			    span_of(options_row((enum option_no)i)->name));
	for (unsigned i = BLOCK_TOP + 1; i < BLOCK__COUNT; i++)
		if (options_block((enum option_block)i)->parent == b->no)
			propose_try(&p,
			    span_of(options_block((enum option_block)i)->word));
	return propose_text(&p, &c->arena);
}

/* What is meant by it: by habit, elsewhere, or in another spelling. */
static void
tell_unknown(struct conf *c, const struct block *b, const struct node *n)
{
	const char *habit = habits_word(b->no, n->word), *what;

	if (habit != NULL)
		what = arena_print(&c->arena, "; %s", habit);
	else if ((what = places_of(c, n->word))[0] == '\0')
		what = nearest_of(c, b, n->word);
	if (b->no == BLOCK_TOP)
		report_add(&c->mistakes, n->place, "there is no block `%.*s', "
		    "but process, edge, users, queue and relay%s",
		    report_len(n->word), n->word.ptr, what);
	else
		report_add(&c->mistakes, n->place, "%s has no option `%.*s'%s",
		    options_block(b->no)->word, report_len(n->word),
		    n->word.ptr, what);
}

static bool
is_good_name(struct span s)
{
	if (s.len == 0 || s.len > BLOCK_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] <= 0x20 ||
		    (unsigned char)s.ptr[i] >= 0x7f || s.ptr[i] == '/')
			return false;
	return s.ptr[0] != '.';
}

static void
settle_name(struct conf *c, struct block *b, const struct node *n)
{
	const struct value *v = STAILQ_FIRST(&n->values);
	const struct block *other;

	if (v == NULL || n->value_cnt > 1) {
		report_add(&c->mistakes, n->place,
		    "%.*s takes one name before its `{'", report_len(n->word),
		    n->word.ptr);
		return;
	}
	b->name_place = v->place;
	if (!is_good_name(v->text)) {
		report_add(&c->mistakes, v->place, "a name is 1 to %u bytes of "
		    "printable ASCII without blanks and slashes",
		    BLOCK_NAME_MAX);
		return;
	}
	other = block_named(c, b->no, v->text);
	b->name = v->text;
	if (other != NULL) {
		report_add(&c->mistakes, v->place, "this name is taken: there "
		    "is %s already", block_words(c, other));
		report_note(&c->mistakes, other->name_place,
		    "the first is here");
	}
}

/* What stands here is for blocks of other types. */
static void
tell_kinds(struct conf *c, const struct block *b, const struct node *n,
    const char *what, const char *kinds)
{
	const char *habit = habits_word(b->no, n->word);
	struct span kind = block_kind(b);

	report_add(&c->mistakes, n->place,
	    "%.*s is no %s of a %s of type %.*s, but of %s%s%s",
	    report_len(n->word), n->word.ptr, what, options_block(b->no)->word,
	    report_len(kind), kind.ptr, kinds, habit == NULL ? "" : "; ",
	    habit == NULL ? "" : habit);
}

/* The kinds of all rows of the name. */
static const char *
all_kinds(struct conf *c, const struct option_row *row)
{
	const char *all = "";

	for (unsigned i = 0; i < OPTION__COUNT; i++) {
		const struct option_row *r = options_row((enum option_no)i);

		if (r->block == row->block && strcmp(r->name, row->name) == 0)
			all = arena_print(&c->arena, "%s%s%s", all,
			    all[0] == '\0' ? "" : " ", r->kinds);
	}
	return all;
}

static void
settle_block(struct conf *c, struct block *parent, const struct node *n,
    enum option_block no)
{
	const struct block_row *row = options_block(no);
	const struct block *other = block_nth(parent, no, 0);
	struct block *b;

	if (!n->has_block) {
		report_add(&c->mistakes, n->place,
		    "%s is a block: `{' must follow on its line", row->word);
		return;
	}
	if (row->how == HOW_ALONE && other != NULL) {
		report_add(&c->mistakes, n->place,
		    "there is a block `%s' already", row->word);
		report_note(&c->mistakes, other->place, "the first is here");
	}
	if (block_lacks(parent, row->kinds)) {
		tell_kinds(c, parent, n, "block", row->kinds);
		return;
	}
	b = new_block(c, parent, no, n);
	if (b == NULL)
		return;
	if (row->how == HOW_NAMED)
		settle_name(c, b, n);
	else if (n->value_cnt > 0)
		report_add(&c->mistakes, STAILQ_FIRST(&n->values)->place,
		    "%s takes no name", row->word);
	settle(c, b, n);
}

/* An address, with a port or without; what a zone never looks like. */
static bool
is_server(const struct value *v)
{
	struct net n;

	return net_read_address(span_head(v->text, span_find(v->text, '@')),
	    &n);
}

/* A pair has two values; of a stub the zone comes first. */
static bool
is_pair(struct conf *c, const struct node *n, const struct option_row *row)
{
	const struct value *first = STAILQ_FIRST(&n->values), *second;

	if (n->value_cnt == 2) {
		second = STAILQ_NEXT(first, entry);
		if (row->type != TYPE_STUB ||
		    (!is_server(first) && is_server(second)))
			return true;
	}
	report_add(&c->mistakes, n->place, "%s takes %s", row->name,
	    row->type == TYPE_STUB ? "a zone and an address" :
	    row->type == TYPE_MAPPING ? "a pattern and an address" :
	    row->type == TYPE_OWNER ? "a login and a pattern, or `self'" :
	    row->type == TYPE_FORWARD ? "a regular expression and what "
	    "stands in place of what it matches" :
	    "a domain and a host");
	return false;
}

/* The right number of values?  `count' of the row says. */
static bool
has_right_count(struct conf *c, const struct node *n,
    const struct option_row *row)
{
	const struct value *v = STAILQ_FIRST(&n->values);

	if (n->has_block) {
		report_add(&c->mistakes, n->open,
		    "%s takes a value, not a block", row->name);
		return false;
	}
	if (row->count == COUNT_PAIRS && !is_pair(c, n, row))
		return false;
	if (v == NULL) {
		report_add(&c->mistakes, n->place, "%s needs a value",
		    row->name);
		return false;
	}
	if (row->count == COUNT_ONE && n->value_cnt > 1) {
		report_add(&c->mistakes, STAILQ_NEXT(v, entry)->place,
		    "%s takes one value; one with blanks stands in quotes",
		    row->name);
		return false;
	}
	return true;
}

static bool
may_stand(struct conf *c, struct block *b, const struct node *n,
    const struct option_row *row, const struct setting *s)
{
	if (s->given && row->count == COUNT_ONE) {
		report_add(&c->mistakes, n->place, "%s is set twice",
		    row->name);
		report_note(&c->mistakes, s->place, "the first is here");
		return false;
	}
	if (block_lacks(b, row->kinds)) {
		tell_kinds(c, b, n, "option", all_kinds(c, row));
		return false;
	}
	return true;
}

static void
settle_option(struct conf *c, struct block *b, const struct node *n,
    enum option_no no)
{
	const struct option_row *row = options_row(no);
	struct setting *s = &b->settings[no];
	const struct value *v;

	if (!may_stand(c, b, n, row, s))
		return;
	s->given = true;
	s->place = n->place;
	if (n->is_bad || !has_right_count(c, n, row))
		return;
	if (row->count == COUNT_ROUTES) {
		lists_route(c, s, n, row);
		return;
	}
	STAILQ_FOREACH(v, &n->values, entry)
		if ((row->type == TYPE_KNOWN || row->type == TYPE_DOMAIN) &&
		    span_begins(v->text, SPAN("/")))
			lists_file(c, s, v, row);
		else if (row->type == TYPE_ALIASES)
			lists_aliases(c, s, v, row);
		else if (row->type == TYPE_LUA)
			lists_lua(c, s, v, row);
		else if (row->type == TYPE_NOTICE)
			lists_notice(c, s, v, row);
		else
			lists_value(c, s, v, row);
}

static void
settle_node(struct conf *c, struct block *b, const struct node *n)
{
	enum option_no no = options_find(b->no, n->word, block_kind(b));
	enum option_block inner = options_find_block(b->no, n->word);

	if (n->word.len == 0)
		return;			/* a stray brace, reported */
	if (inner != BLOCK_TOP)
		settle_block(c, b, n, inner);
	else if (no != OPTION__COUNT)
		settle_option(c, b, n, no);
	else
		tell_unknown(c, b, n);
}

static void
set_default(struct conf *c, struct block *b, enum option_no no)
{
	const struct option_row *row = options_row(no);
	struct value v = { .text = span_of(row->value), .place = b->place };
	struct reading r;

	if (row->value == NULL || block_lacks(b, row->kinds))
		return;
	if (!read_value(&c->read_place, row, &v, &r))
		return;
	block_set(c, b, no, r.text, r.num);
	if (b->settings[no].cnt > 0)
		b->settings[no].v[0].net = r.net;
}

/* As long as the type is unknown, only what all types have is missed. */
static bool
is_wanted(const struct block *b, const struct option_row *row)
{
	return row->kinds[0] == '\0' || (block_kind(b).len > 0 &&
	    !block_lacks(b, row->kinds));
}

static void
set_defaults(struct conf *c, struct block *b)
{
	for (unsigned i = 0; i < OPTION__COUNT && !c->arena.bad; i++) {
		const struct option_row *row = options_row((enum option_no)i);
		const struct setting *s = &b->settings[i];

		if (row->block != b->no || s->given)
			continue;
		if (row->needed && is_wanted(b, row))
			report_add(&c->mistakes, b->name_place,
			    "%s needs `%s'%s%s", block_words(c, b), row->name,
			    row->words[0] == '\0' ? "" : ": one of ",
			    row->words);
		else
			set_default(c, b, (enum option_no)i);
	}
	for (unsigned i = BLOCK_TOP + 1; i < BLOCK__COUNT; i++) {
		const struct block_row *row =
		    options_block((enum option_block)i);

		if (row->parent == b->no && (row->how == HOW_ALONE ||
		    row->how == HOW_MANY) && !block_lacks(b, row->kinds) &&
		    block_nth(b, (enum option_block)i, 0) == NULL)
			settle(c, new_block(c, b, (enum option_block)i, NULL),
			    NULL);
	}
}

static void
settle(struct conf *c, struct block *b, const struct node *n)
{
	const struct node *child;
	bool is_type;

	if (b == NULL)
		return;
	for (int pass = 0; pass < 2 && n != NULL; pass++)
		TAILQ_FOREACH(child, &n->nodes, entry) {
			is_type = span_eq(child->word, SPAN("type"));
			if (is_type == (pass == 0))
				settle_node(c, b, child);
		}
	set_defaults(c, b);
}

struct block *
block_make_queue(struct conf *c, const struct block *edge, struct span type,
    const struct reading *relay)
{
	struct block *b = new_block(c, c->top, BLOCK_QUEUE, NULL);

	if (b == NULL)
		return NULL;
	b->name = edge->name;
	b->place = b->name_place = relay->place;
	b->settings[OPTION_QUEUE_type].given = true;
	b->settings[OPTION_QUEUE_relay].given = true;
	block_set(c, b, OPTION_QUEUE_type, type, 0);
	block_set(c, b, OPTION_QUEUE_relay, relay->text, relay->num);
	settle(c, b, NULL);
	return b;
}

void
block_settle(struct conf *c, const struct node *tree)
{
	c->top = new_block(c, NULL, BLOCK_TOP, tree);
	settle(c, c->top, tree);
	if (c->block_cnt > BLOCKS_MAX && c->top != NULL)
		report_add(&c->mistakes, c->top->place, "more than %u blocks",
		    BLOCKS_MAX);
	if (c->top != NULL)
		c->process = block_nth(c->top, BLOCK_PROCESS, 0);
}
