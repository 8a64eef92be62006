/*
 * plan.c - from checked blocks to rows.  The numbers were bounded by check.c;
 * what would overflow here all the same is ERR_FULL, never a write.
 */
#include <string.h>

#include "conf/block.h"
#include "conf/path.h"
#include "conf/slice_out.h"
#include "sys/sandbox.h"

/* A block and the run of rows it became: first, first + 1, ... */
struct run {
	const struct block *block;
	uint32_t	 first, cnt;
};

struct planner {
	struct conf	*conf;
	struct plan_process *processes;
	struct plan_link *links;
	struct span	*slices;
	struct run	*runs;
	uint32_t	 process_cnt, link_cnt, run_cnt;
	uint32_t	 resolver;		/* its row		*/
	enum err	 err;
};

static bool
is_type(const struct block *b, struct span type)
{
	return b->no == BLOCK_RELAY &&
	    span_eq(block_text(b, OPTION_RELAY_type), type);
}

static enum role
role_of(const struct block *b)
{
	switch (b->no) {
	case BLOCK_EDGE:
		return ROLE_EDGE;
	case BLOCK_QUEUE:
		return ROLE_QUEUE;
	case BLOCK_RELAY:
		return is_type(b, SPAN("maildir")) ? ROLE_MAILDIR : ROLE_RELAY;
	default:
		return ROLE_RESOLVER;
	}
}

static unsigned
workers_of(const struct block *b)
{
	return b->no == BLOCK_EDGE ?
	    (unsigned)block_num(b, OPTION_EDGE_workers) :
	    b->no == BLOCK_RELAY ?
	    (unsigned)block_num(b, OPTION_RELAY_workers) : 1;
}

static bool
add_listener(struct plan_process *p, const struct block *l,
    const struct net *n)
{
	struct plan_listener *row = &p->listeners[p->listener_cnt];

	if (p->listener_cnt == PLAN_LISTENERS_MAX)
		return false;
	p->listener_cnt++;
	row->family = n->family;
	row->port = (uint16_t)block_num(l, OPTION_LISTENER_port);
	row->backlog = (uint32_t)block_num(l, OPTION_LISTENER_backlog);
	memcpy(row->address, n->address, sizeof(row->address));
	return true;
}

/* "" stands for two: :: and 0.0.0.0. */
static bool
add_listeners(struct plan_process *p, const struct block *edge)
{
	static const struct net any6 = { .family = 6 }, any4 = { .family = 4 };
	const struct block *l;
	const struct reading *r;
	bool fits = true;

	for (unsigned i = 0; fits &&
	    (l = block_nth(edge, BLOCK_LISTENER, i)) != NULL; i++) {
		r = l->settings[OPTION_LISTENER_interface].v;
		if (r->text.len > 0)
			fits = add_listener(p, l, &r->net);
		else
			fits = add_listener(p, l, &any6) &&
			    add_listener(p, l, &any4);
	}
	return fits;
}

static struct span
own_dir_of(const struct block *b)
{
	if (b->no == BLOCK_QUEUE)
		return block_text(b, OPTION_QUEUE_path);
	if (is_type(b, SPAN("maildir")))
		return path_fixed_head(block_text(b, OPTION_RELAY_path));
	return SPAN("");
}

static bool
fill_row(const struct conf *c, struct plan_process *p, const struct block *b)
{
	enum role role = role_of(b);
	struct span name = b->no == BLOCK_PROCESS ? SPAN("resolver") : b->name;

	p->role = (uint8_t)role;
	p->uid = role == ROLE_MAILDIR ? b->uid : c->uids[role];
	p->gid = role == ROLE_MAILDIR ? b->gid : c->gids[role];
	return span_cstr(name, p->block, sizeof(p->block)) &&
	    span_cstr(own_dir_of(b), p->own_dir, sizeof(p->own_dir)) &&
	    (b->no != BLOCK_EDGE || add_listeners(p, b));
}

/* One row a worker; they share their slice. */
static void
add_rows(struct planner *pl, const struct block *b)
{
	unsigned workers = workers_of(b);
	struct span slice;

	if (pl->err != OK)
		return;
	pl->err = slice_out_make(pl->conf, b, role_of(b), &slice);
	pl->runs[pl->run_cnt++] = (struct run){ b, pl->process_cnt,
	    workers };
	for (unsigned i = 0; i < workers && pl->err == OK; i++) {
		struct plan_process *p = &pl->processes[pl->process_cnt];

		if (pl->process_cnt == PLAN_PROCESSES_MAX ||
		    !fill_row(pl->conf, p, b)) {
			pl->err = ERR_FULL;
			return;
		}
		p->no = pl->process_cnt;
		p->worker = (uint16_t)i;
		p->workers = (uint16_t)workers;
		pl->slices[pl->process_cnt++] = slice;
	}
}

static void
add_kind(struct planner *pl, enum option_block no)
{
	const struct block *b;

	for (unsigned i = 0; (b = block_nth(pl->conf->top, no, i)) != NULL; i++)
		add_rows(pl, b);
}

static const struct run *
run_of(const struct planner *pl, const struct block *b)
{
	for (uint32_t i = 0; i < pl->run_cnt; i++)
		if (pl->runs[i].block == b)
			return &pl->runs[i];
	return NULL;
}

/* Every row of the one may ask every row of the other. */
static void
add_links(struct planner *pl, const struct run *from,
    const struct block *to)
{
	const struct run *end = run_of(pl, to);

	if (end == NULL)
		return;
	for (uint32_t i = 0; i < from->cnt; i++)
		for (uint32_t k = 0; k < end->cnt; k++) {
			if (pl->link_cnt == PLAN_LINKS_MAX) {
				pl->err = ERR_FULL;
				return;
			}
			pl->links[pl->link_cnt++] = (struct plan_link){
			    from->first + i, end->first + k };
		}
}

static void
link_all(struct planner *pl)
{
	for (uint32_t i = 0; i < pl->run_cnt && pl->err == OK; i++) {
		const struct run *p = &pl->runs[i];

		if (p->block->target != NULL)
			add_links(pl, p, p->block->target);
		else if (is_type(p->block, SPAN("static")))
			add_links(pl, p, pl->conf->process);
	}
}

static enum err
plan_head(const struct planner *pl, struct plan_head *head)
{
	const struct block *process = pl->conf->process;

	*head = (struct plan_head){ .magic = PLAN_MAGIC,
	    .process_cnt = pl->process_cnt, .link_cnt = pl->link_cnt };
	head->sandbox = span_eq(block_text(process, OPTION_PROCESS_sandbox),
	    SPAN("prefer")) ? SANDBOX_PREFER : SANDBOX_REQUIRE;
	return span_cstr(block_text(process, OPTION_PROCESS_run_dir),
	    head->run_dir, sizeof(head->run_dir)) ? OK : ERR_FULL;
}

enum err
conf_plan(struct conf *c, struct conf_plan *out)
{
	struct planner pl = { .conf = c };
	struct plan_head head;

	pl.processes = arena_take_array(&c->arena, PLAN_PROCESSES_MAX,
	    sizeof(*pl.processes));
	pl.links = arena_take_array(&c->arena, PLAN_LINKS_MAX,
	    sizeof(*pl.links));
	pl.slices = arena_take_array(&c->arena, PLAN_PROCESSES_MAX,
	    sizeof(*pl.slices));
	pl.runs = arena_take_array(&c->arena, BLOCKS_MAX + 1,
	    sizeof(*pl.runs));
	if (c->arena.bad)
		return ERR_FULL;
	add_rows(&pl, c->process);
	add_kind(&pl, BLOCK_RELAY);
	add_kind(&pl, BLOCK_QUEUE);
	add_kind(&pl, BLOCK_EDGE);
	link_all(&pl);
	if (pl.err == OK)
		pl.err = plan_head(&pl, &head);
	if (pl.err != OK)
		return pl.err;
	*out = (struct conf_plan){ head, pl.processes, pl.links, pl.slices };
	return OK;
}
