/*
 * cmd_options.c - what can be written in postern.conf, out of the list that its
 * parser is made from: conf/options.def.  Nothing is asked of a running server.
 *
 * A word chooses a block with all its options, or the options of that name; a
 * second one, a type as `mx', leaves out what other types have.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/tool/cmd.h"
#include "ctl/tool/show.h"
#include "base/json.h"
#include "conf/options.h"

/* What chooses; an empty one chooses all. */
struct wanted {
	struct span	 word;		/* a block or an option		*/
	struct span	 kind;		/* a type			*/
};

static void
show_block(enum option_block no)
{
	const struct block_row *b = options_block(no);
	const char *name = b->how == HOW_NAMED ? " NAME" : "";

	if (no == BLOCK_TOP)
		printf("%s\n", b->help);
	else if (b->parent == BLOCK_TOP)
		printf("%s%s { }: %s\n", b->word, name, b->help);
	else
		printf("%s { %s%s { } }: %s\n", options_block(b->parent)->word,
		    b->word, name, b->help);
}

static bool
is_called(enum option_block no, struct span word)
{
	return span_eq(word, span_of(options_block(no)->word));
}

/* A block goes before an option of the same name: `relay' of an edge. */
static bool
is_block(struct span word)
{
	for (unsigned i = BLOCK_TOP + 1; i < BLOCK__COUNT; i++)
		if (is_called((enum option_block)i, word))
			return true;
	return false;
}

/* A block within another goes with it, and has its types. */
static bool
is_wanted(const struct wanted *w, const struct option_row *o)
{
	const struct block_row *b = options_block(o->block);

	if (!options_fits(o->kinds, w->kind) ||
	    !options_fits(b->kinds, w->kind))
		return false;
	if (w->word.len == 0 || !is_block(w->word))
		return w->word.len == 0 || span_eq(w->word, span_of(o->name));
	return is_called(o->block, w->word) || is_called(b->parent, w->word);
}

static void
limit_text(const struct option_row *o, uint64_t n, char *out, size_t cap)
{
	if (o->type == TYPE_DURATION)
		(void)show_age(n, out);
	else if (o->type == TYPE_SIZE)
		(void)show_size(n, out);
	else
		(void)snprintf(out, cap, "%" PRIu64, n);
}

static void
show_range(const struct option_row *o)
{
	char least[SHOW_MAX], most[SHOW_MAX];

	if (o->words != NULL && o->words[0] != '\0')
		printf("      one of: %s\n", o->words);
	if (o->max == 0)
		return;
	limit_text(o, o->min, least, sizeof(least));
	limit_text(o, o->max, most, sizeof(most));
	printf("      from %s to %s\n", least, most);
}

static void
show_row(const struct option_row *o)
{
	const char *how = o->count == COUNT_ONE ? "" : "...";

	printf("  %s%s  ", o->name, how);
	if (o->needed)
		printf("(must be given)\n");
	else if (o->value != NULL)
		printf("(%s)\n", o->value[0] == '\0' ? "\"\"" : o->value);
	else
		printf("(%s)\n", o->rule);
	printf("      %s\n", o->help);
	show_range(o);
	if (o->kinds[0] != '\0')
		printf("      of type: %s\n", o->kinds);
	if (o->when == WHEN_RESTART)
		printf("      taken at the next start only\n");
}

static void
say_json(const struct option_row *o)
{
	const struct block_row *b = options_block(o->block);
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	if (b->parent != BLOCK_TOP)
		json_text(&j, "within",
		    span_of(options_block(b->parent)->word));
	json_text(&j, "block", span_of(b->word));
	json_text(&j, "option", span_of(o->name));
	json_flag(&j, "needed", o->needed);
	json_flag(&j, "list", o->count != COUNT_ONE);
	if (o->value != NULL)
		json_text(&j, "default", span_of(o->value));
	if (o->rule != NULL)
		json_text(&j, "without", span_of(o->rule));
	if (o->words != NULL && o->words[0] != '\0')
		json_text(&j, "words", span_of(o->words));
	if (o->max > 0) {
		json_number(&j, "least", o->min);
		json_number(&j, "most", o->max);
	}
	if (o->kinds[0] != '\0')
		json_text(&j, "types", span_of(o->kinds));
	json_text(&j, "taken", o->when == WHEN_RESTART ? SPAN("start") :
	    SPAN("reload"));
	json_text(&j, "help", span_of(o->help));
	json_close(&j, '}');
}

enum run_end
cmd_options(struct run *r)
{
	struct wanted w = { 0 };
	enum option_block last = BLOCK__COUNT;

	if (r->arg_cnt > 0)
		w.word = span_of(r->args[0]);
	if (r->arg_cnt > 1)
		w.kind = span_of(r->args[1]);
	for (unsigned i = 0; i < OPTION__COUNT; i++) {
		const struct option_row *o = options_row((enum option_no)i);

		if (!is_wanted(&w, o))
			continue;
		if (o->block != last && !r->json)
			show_block(o->block);
		last = o->block;
		if (r->json)
			say_json(o);
		else
			show_row(o);
	}
	if (last != BLOCK__COUNT)
		return END_DONE;
	run_complain("no block and no option is called \"%s\"%s%s",
	    r->arg_cnt > 0 ? r->args[0] : "",
	    r->arg_cnt > 1 ? " for type " : "",
	    r->arg_cnt > 1 ? r->args[1] : "");
	return END_NOTHING;
}
