/*
 * check.c - directories and users of a block, and the order of all checks: what
 * a block refers to must be known before check_reach.c follows it, and what a
 * relay leaves out is not looked for by check_files.c.
 */
#include "conf/check/check.h"

/* Is the one path the other, or a directory somewhere below it? */
static bool
is_within(struct span path, struct span dir)
{
	return span_begins(path, dir) &&
	    (path.len == dir.len || path.ptr[dir.len] == '/');
}

/* A directory that is its alone: a queue's, or that of an edge of type drop. */
static const struct setting *
own_path(const struct block *b)
{
	if (b->no == BLOCK_QUEUE)
		return &b->settings[OPTION_QUEUE_path];
	return b->no == BLOCK_EDGE ? &b->settings[OPTION_EDGE_path] : NULL;
}

/* Whose path of those before it is this one, or above or below it? */
static const struct block *
find_clash(const struct conf *c, const struct block *b, struct span path)
{
	const struct block *other;
	const struct setting *s;

	TAILQ_FOREACH(other, &c->top->blocks, entry) {
		if (other == b)
			break;
		s = own_path(other);
		if (s != NULL && s->cnt > 0 &&
		    (is_within(path, s->v[0].text) ||
		    is_within(s->v[0].text, path)))
			return other;
	}
	return NULL;
}

static void
check_own_path(struct conf *c, struct block *b)
{
	const struct setting *s = own_path(b);
	const struct block *other;

	if (b->no == BLOCK_QUEUE &&
	    kinds_queue_has(block_kind(b), QUEUE_KIND_PASSES))
		return;
	if (s->cnt == 0)
		return;
	check_directory(c, s->v[0].text, s->v[0].place);
	other = find_clash(c, b, s->v[0].text);
	if (other == NULL)
		return;
	report_add(&c->mistakes, s->v[0].place, "%s keeps its mail here "
	    "already", block_words(c, other));
	report_note(&c->mistakes, own_path(other)->v[0].place,
	    "it says so here");
}

static void
check_queue_path(struct conf *c, struct block *b)
{
	if (!b->settings[OPTION_QUEUE_path].given &&
	    !kinds_queue_has(block_kind(b), QUEUE_KIND_PASSES))
		block_set(c, b, OPTION_QUEUE_path, arena_join(&c->arena,
		    SPAN("/var/lib/postern/"), b->name), 0);
	check_own_path(c, b);
}

/* The user a role runs as, once, told at the first block that needs it. */
static void
check_role(struct conf *c, enum role role, struct place place)
{
	struct span user = span_of(role_row(role)->user);

	if (c->is_root && user.len > 0 && c->uids[role] == 0 &&
	    !check_user(c, user, &c->uids[role], &c->gids[role])) {
		report_add(&c->mistakes, place, "this host has no user `%.*s', "
		    "as whom postern started as root runs %s",
		    report_len(user), user.ptr, role_row(role)->program);
		if (c->host->users_command != NULL)
			report_note(&c->mistakes, place, arena_print(&c->arena,
			    "`%s' makes it, as root", c->host->users_command));
		c->uids[role] = UINT32_MAX;
	}
}

static void
check_block(struct conf *c, struct block *b)
{
	if (b->no == BLOCK_EDGE) {
		if (block_kind(b).len > 0)
			check_role(c, kinds_find_edge(block_kind(b))->role,
			    b->name_place);
		check_own_path(c, b);
		if (block_count(b, BLOCK_LISTENER) > PLAN_LISTENERS_MAX / 2)
			report_add(&c->mistakes, b->name_place,
			    "an edge has at most %u listeners",
			    PLAN_LISTENERS_MAX / 2);
	} else if (b->no == BLOCK_USERS) {
		check_role(c, ROLE_USERS, b->name_place);
	} else if (b->no == BLOCK_QUEUE) {
		if (block_kind(b).len > 0)
			check_role(c, kinds_find_queue(block_kind(b))->role,
			    b->name_place);
		check_queue_path(c, b);
	} else if (b->no == BLOCK_RELAY) {
		if (block_kind(b).len > 0)
			check_role(c, block_role(b), b->name_place);
		check_relay(c, b);
	}
	if (block_keyed(b) != NULL)
		check_role(c, ROLE_KEYS, b->name_place);
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
	check_role(c, ROLE_CONTROL, c->process->place);
	check_refs(c);
	check_names(c);
	check_domains(c);
	TAILQ_FOREACH(b, &c->top->blocks, entry)
		check_block(c, b);
	check_http(c);
	check_login(c);
	check_files(c);
	check_reach(c);
	check_numbers(c);
}
