/*
 * check_aliases.c - who is just a user in a file of aliases is one of our own
 * first domain.  Of a key that is there twice the first counts, as everywhere.
 */
#include "conf/check/check.h"
#include "mail/alias_table.h"

static void
complete(struct conf *c, struct reading *r, struct span home)
{
	if (r->num != ALIASES_KEY && r->num != ALIASES_DOMAIN &&
	    address_is_local(r->text))
		r->text = arena_join(&c->arena, arena_join(&c->arena, r->text,
		    SPAN("@")), home);
}

/* A key that is there already, at its place; the words behind it go too. */
static void
tell_twice(struct conf *c, const struct alias_table *t,
    const struct setting *s, const struct reading *r)
{
	struct alias_row row;

	report_warn(&c->mistakes, r->place, "there is an alias `%.*s' already, "
	    "and this one does nothing", report_len(r->text), r->text.ptr);
	if (c->mistakes.warning_cnt <= CONF_WARNINGS_MAX &&
	    alias_table_find(t, alias_table_key(r->text), &row))
		for (unsigned i = 0; i < s->cnt; i++) {
			struct alias_row other;

			if (s->v[i].num != ALIASES_KEY ||
			    !alias_table_find(t, alias_table_key(
			    s->v[i].text), &other) || other.first !=
			    row.first || &s->v[i] == r)
				continue;
			report_note(&c->mistakes, s->v[i].place,
			    "the first is here");
			return;
		}
}

/* A list of nobody: who is that, must be asked of the file it includes. */
static void
check_empty(struct conf *c, const struct setting *s, unsigned i)
{
	if (s->v[i].num == ALIASES_KEY && (i + 1 == s->cnt ||
	    s->v[i + 1].num == ALIASES_KEY))
		report_warn(&c->mistakes, s->v[i].place, "`%.*s' stands for "
		    "nobody: mail for it is refused",
		    report_len(s->v[i].text), s->v[i].text.ptr);
}

void
check_aliases(struct conf *c, struct block *queue)
{
	struct setting *s = &queue->settings[OPTION_QUEUE_aliases];
	struct span home = block_text(c->process, OPTION_PROCESS_domains);
	struct alias_table *t;
	unsigned kept = 0;
	enum err e = OK;

	if (s->cnt == 0 || alias_table_new(&t) != OK)
		return;
	for (unsigned i = 0; i < s->cnt; i++) {
		struct reading *r = &s->v[i];

		if (r->num == ALIASES_KEY) {
			e = alias_table_begin(t, r->text);
			if (e == ERR_NONE)
				tell_twice(c, t, s, r);
			else
				check_empty(c, s, i);
		} else
			complete(c, r, home);
		if (e == OK)
			s->v[kept++] = *r;
	}
	s->cnt = kept;
	alias_table_free(&t);
}
