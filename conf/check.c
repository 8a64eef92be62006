/*
 * check.c - references, directories and users.  Order matters: what a block
 * refers to must be known before check_reach.c follows it.
 */
#include <string.h>

#include "conf/check.h"
#include "conf/path.h"
#include "conf/propose.h"

#define NAMES_TOLD	8	/* of many, so many are enough	*/

static const char *
names_of(struct conf *c, enum option_block no)
{
	const struct block *b;
	const char *all = "";
	unsigned cnt = 0;

	TAILQ_FOREACH(b, &c->top->blocks, entry)
		if (b->no == no && b->name.len > 0 && cnt++ < NAMES_TOLD)
			all = arena_print(&c->arena, "%s%s%.*s", all,
			    all[0] == '\0' ? "" : " ", report_len(b->name),
			    b->name.ptr);
	return all;
}

static void
tell_no_such(struct conf *c, enum option_block no, const struct reading *r)
{
	const char *word = options_block(no)->word;
	const struct block *b;
	struct propose p;

	propose_init(&p, r->text);
	TAILQ_FOREACH(b, &c->top->blocks, entry)
		if (b->no == no)
			propose_try(&p, b->name);
	if (block_count(c->top, no) == 0)
		report_add(&c->mistakes, r->place, "there is no %s `%.*s', "
		    "and no other: add `%s %.*s { ... }'", word,
		    report_len(r->text), r->text.ptr, word,
		    report_len(r->text), r->text.ptr);
	else if (p.best.len > 0)
		report_add(&c->mistakes, r->place, "there is no %s `%.*s'%s",
		    word, report_len(r->text), r->text.ptr,
		    propose_text(&p, &c->arena));
	else
		report_add(&c->mistakes, r->place,
		    "there is no %s `%.*s'; there is: %s", word,
		    report_len(r->text), r->text.ptr, names_of(c, no));
}

/* What `queue' of an edge or `relay' of a queue means. */
static void
check_reference(struct conf *c, struct block *b, enum option_no no,
    enum option_block to)
{
	const struct setting *s = &b->settings[no];
	const char *word = options_block(to)->word;

	if (s->cnt > 0) {
		b->target = block_named(c, to, s->v[0].text);
		if (b->target == NULL)
			tell_no_such(c, to, &s->v[0]);
	} else if (s->given) {
		return;			/* wrong, and reported */
	} else if (block_count(c->top, to) == 1) {
		b->target = block_nth(c->top, to, 0);
		block_set(c, b, no, b->target->name, 0);
	} else if (block_count(c->top, to) == 0) {
		report_add(&c->mistakes, b->name_place,
		    "%s needs a %s, and there is none: add `%s NAME { ... }'",
		    block_words(c, b), word, word);
	} else {
		report_add(&c->mistakes, b->name_place,
		    "%s needs `%s', since there are several: %s",
		    block_words(c, b), word, names_of(c, to));
	}
}

static void
check_references(struct conf *c)
{
	struct block *b;

	TAILQ_FOREACH(b, &c->top->blocks, entry) {
		if (b->no == BLOCK_EDGE)
			check_reference(c, b, OPTION_EDGE_queue, BLOCK_QUEUE);
		else if (b->no == BLOCK_QUEUE)
			check_reference(c, b, OPTION_QUEUE_relay, BLOCK_RELAY);
	}
}

/* What should be a directory, or nothing yet, must not be anything else. */
static void
check_directory(struct conf *c, struct span path, struct place place)
{
	enum conf_kind kind;
	char text[PLAN_PATH_MAX];

	if (!span_cstr(path, text, sizeof(text)) || path.len == 0)
		return;
	kind = c->opener->kind(c->opener->arg, text);
	if (kind == KIND_FILE || kind == KIND_OTHER)
		report_add(&c->mistakes, place, "%s is not a directory", text);
}

/* Is the one path the other, or a directory somewhere below it? */
static bool
is_within(struct span path, struct span dir)
{
	return span_begins(path, dir) &&
	    (path.len == dir.len || path.ptr[dir.len] == '/');
}

static void
check_queue_path(struct conf *c, struct block *b)
{
	const struct setting *s = &b->settings[OPTION_QUEUE_path];
	const struct block *other;

	if (!s->given)
		block_set(c, b, OPTION_QUEUE_path, arena_join(&c->arena,
		    SPAN("/var/lib/postern/"), b->name), 0);
	if (s->cnt == 0)
		return;
	check_directory(c, s->v[0].text, s->v[0].place);
	TAILQ_FOREACH(other, &c->top->blocks, entry) {
		if (other == b)
			return;
		if (other->no != BLOCK_QUEUE ||
		    (!is_within(s->v[0].text,
		    block_text(other, OPTION_QUEUE_path)) &&
		    !is_within(block_text(other, OPTION_QUEUE_path),
		    s->v[0].text)))
			continue;
		report_add(&c->mistakes, s->v[0].place,
		    "%s keeps its mail here already", block_words(c, other));
		report_note(&c->mistakes,
		    other->settings[OPTION_QUEUE_path].v[0].place,
		    "it says so here");
		return;
	}
}

static bool
find_ids(struct conf *c, struct span name, uint32_t *uid, uint32_t *gid)
{
	char text[64];

	return span_cstr(name, text, sizeof(text)) &&
	    c->host->user_ids(c->host->arg, text, uid, gid);
}

static void
check_maildir(struct conf *c, struct block *b)
{
	const struct setting *path = &b->settings[OPTION_RELAY_path];
	const struct setting *user = &b->settings[OPTION_RELAY_user];

	if (path->cnt > 0)
		check_directory(c, path_fixed_head(path->v[0].text),
		    path->v[0].place);
	if (!c->is_root)
		return;
	if (!user->given) {
		report_add(&c->mistakes, b->name_place,
		    "%s needs `user' where postern is started as root",
		    block_words(c, b));
		return;
	}
	if (user->cnt == 0)
		return;
	if (!find_ids(c, user->v[0].text, &b->uid, &b->gid))
		report_add(&c->mistakes, user->v[0].place,
		    "this host has no user `%.*s'",
		    report_len(user->v[0].text), user->v[0].text.ptr);
	else if (b->uid == 0)
		report_add(&c->mistakes, user->v[0].place,
		    "a Maildir is not written as root");
}

/* The user a role runs as, once, told at the first block that needs it. */
static void
check_role(struct conf *c, enum role role, struct place place)
{
	struct span user = span_of(role_row(role)->user);

	if (c->is_root && user.len > 0 && c->uids[role] == 0 &&
	    !find_ids(c, user, &c->uids[role], &c->gids[role])) {
		report_add(&c->mistakes, place, "this host has no user `%.*s', "
		    "as whom postern started as root runs %s",
		    report_len(user), user.ptr, role_row(role)->program);
		c->uids[role] = UINT32_MAX;
	}
}

static void
check_block(struct conf *c, struct block *b)
{
	struct span type = block_text(b, OPTION_RELAY_type);

	if (b->no == BLOCK_EDGE) {
		check_role(c, ROLE_EDGE, b->name_place);
		if (block_count(b, BLOCK_LISTENER) > PLAN_LISTENERS_MAX / 2)
			report_add(&c->mistakes, b->name_place,
			    "an edge has at most %u listeners",
			    PLAN_LISTENERS_MAX / 2);
	} else if (b->no == BLOCK_QUEUE) {
		check_role(c, ROLE_QUEUE, b->name_place);
		check_queue_path(c, b);
	} else if (b->no == BLOCK_RELAY) {
		if (span_eq(type, SPAN("maildir")))
			check_maildir(c, b);
		else if (type.len > 0)
			check_role(c, ROLE_RELAY, b->name_place);
	}
}

/* How many processes and links there will be, plan.c's limits being hard. */
static void
check_numbers(struct conf *c)
{
	const struct place start = { 0, 0, 0 };
	const struct block *b;
	uint64_t processes = 1, links = 0;

	TAILQ_FOREACH(b, &c->top->blocks, entry) {
		if (b->no == BLOCK_QUEUE) {
			processes++;
			links += b->target == NULL ? 0 :
			    block_num(b->target, OPTION_RELAY_workers);
		} else if (b->no == BLOCK_EDGE) {
			processes += block_num(b, OPTION_EDGE_workers);
			links += block_num(b, OPTION_EDGE_workers);
		} else if (b->no == BLOCK_RELAY) {
			processes += block_num(b, OPTION_RELAY_workers);
			links += block_num(b, OPTION_RELAY_workers);
		}
	}
	if (processes > PLAN_PROCESSES_MAX)
		report_add(&c->mistakes, start, "this makes more than %u "
		    "processes", PLAN_PROCESSES_MAX);
	if (links > PLAN_LINKS_MAX)
		report_add(&c->mistakes, start, "this makes more than %u "
		    "links between processes", PLAN_LINKS_MAX);
}

void
check_all(struct conf *c)
{
	const struct place start = { 0, 0, 0 };
	const struct setting *run_dir;
	struct block *b;

	if (c->process == NULL)
		return;
	run_dir = &c->process->settings[OPTION_PROCESS_run_dir];
	if (run_dir->cnt > 0)
		check_directory(c, run_dir->v[0].text, run_dir->v[0].place);
	if (block_count(c->top, BLOCK_EDGE) == 0 && c->mistakes.cnt == 0)
		report_add(&c->mistakes, start,
		    "there is no edge: nothing would take mail in");
	check_role(c, ROLE_RESOLVER, c->process->place);
	check_references(c);
	check_names(c);
	TAILQ_FOREACH(b, &c->top->blocks, entry)
		check_block(c, b);
	check_reach(c);
	check_numbers(c);
}
