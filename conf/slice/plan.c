/*
 * plan.c - from checked blocks to rows.  The numbers were bounded by check.c;
 * what would overflow here all the same is ERR_FULL, never a write.
 */
#include <string.h>

#include "conf/block.h"
#include "conf/read/path.h"
#include "conf/slice/slice_out.h"
#include "sys/sandbox.h"

/* A block and the run of rows it became: first, first + 1, ... */
struct run {
	const struct block *block;
	enum role	 role;
	uint32_t	 first, cnt;
};

struct planner {
	struct conf	*conf;
	struct plan_process *processes;
	struct plan_link *links;
	struct plan_file *files;
	struct span	*made;
	struct plan_endpoint *endpoints;
	struct span	*slices;
	struct run	*runs;
	uint32_t	 process_cnt, link_cnt, run_cnt;
	uint32_t	 file_cnt, endpoint_cnt;
	struct slice_out out;		/* the slice made last		*/
	enum err	 err;
};

static enum role
role_of(const struct block *b)
{
	switch (b->no) {
	case BLOCK_EDGE:
		return kinds_find_edge(block_kind(b))->role;
	case BLOCK_USERS:
		return ROLE_USERS;
	case BLOCK_QUEUE:
		return kinds_find_queue(block_kind(b))->role;
	default:
		return block_role(b);
	}
}

static unsigned
workers_of(const struct block *b)
{
	if (b->no == BLOCK_EDGE && role_of(b) == ROLE_PICKUP)
		return 1;
	return b->no == BLOCK_EDGE ?
	    (unsigned)block_num(b, OPTION_EDGE_workers) :
	    b->no == BLOCK_RELAY ?
	    (unsigned)block_num(b, OPTION_RELAY_workers) : 1;
}

/* The next row; NULL when there is no more room. */
static struct plan_listener *
take_listener(struct plan_process *p)
{
	return p->listener_cnt == PLAN_LISTENERS_MAX ? NULL :
	    &p->listeners[p->listener_cnt++];
}

/* Where the listener made last is written; a default one has no place. */
static void
note_place(const struct conf *c, struct plan_process *p,
    const struct block *l)
{
	if (l->given)
		report_place(&c->mistakes, l->place,
		    p->places[p->listener_cnt - 1], PLAN_PLACE_MAX);
}

static bool
add_listener(const struct conf *c, struct plan_process *p,
    const struct block *l, const struct net *n)
{
	struct plan_listener *row = take_listener(p);

	if (row == NULL)
		return false;
	note_place(c, p, l);
	row->family = n->family;
	row->port = (uint16_t)block_num(l, OPTION_LISTENER_port);
	row->backlog = (uint32_t)block_num(l, OPTION_LISTENER_backlog);
	memcpy(row->address, n->address, sizeof(row->address));
	return true;
}

static bool
add_socket(struct plan_process *p, struct span path, uint32_t backlog,
    bool is_packets)
{
	struct plan_listener *row = take_listener(p);

	if (row == NULL)
		return false;
	row->family = 1;
	row->is_packets = is_packets;
	row->backlog = backlog;
	return span_cstr(path, row->path, sizeof(row->path));
}

/* "" stands for two: :: and 0.0.0.0. */
static bool
add_listeners(const struct conf *c, struct plan_process *p,
    const struct block *edge)
{
	static const struct net any6 = { .family = 6 }, any4 = { .family = 4 };
	const struct block *l;
	const struct reading *r;
	bool fits = true;

	for (unsigned i = 0; fits &&
	    (l = block_nth(edge, BLOCK_LISTENER, i)) != NULL; i++) {
		r = l->settings[OPTION_LISTENER_interface].v;
		if (l->settings[OPTION_LISTENER_path].cnt > 0)
			fits = add_socket(p, block_text(l,
			    OPTION_LISTENER_path), (uint32_t)block_num(l,
			    OPTION_LISTENER_backlog), false);
		else if (r->text.len > 0)
			fits = add_listener(c, p, l, &r->net);
		else
			fits = add_listener(c, p, l, &any6) &&
			    add_listener(c, p, l, &any4);
	}
	return fits;
}

/* posternctl is answered in the directory of the house. */
static bool
add_control(struct conf *c, struct plan_process *p)
{
	return add_socket(p, arena_join(&c->arena, block_text(c->process,
	    OPTION_PROCESS_run_dir), SPAN("/control")), 16, true);
}

static struct span
own_dir_of(const struct block *b)
{
	if (b->no == BLOCK_QUEUE)
		return block_text(b, OPTION_QUEUE_path);
	if (b->no == BLOCK_EDGE)
		return block_text(b, OPTION_EDGE_path);
	if (block_has(b, KIND_HAS_DIR))
		return path_fixed_head(block_text(b, OPTION_RELAY_path));
	return SPAN("");
}

/* What is no block of its own is called as its role. */
static struct span
name_of(const struct block *b, enum role role)
{
	return b->name.len > 0 ? b->name : span_of(role_row(role)->name);
}

static bool
fill_row(struct conf *c, struct plan_process *p, const struct run *r)
{
	const struct block *b = r->block;
	bool has_user = role_row(r->role)->user[0] == '\0';

	p->role = (uint8_t)r->role;
	p->uid = has_user ? b->uid : c->uids[r->role];
	p->gid = has_user ? b->gid : c->gids[r->role];
	return span_cstr(name_of(b, r->role), p->block, sizeof(p->block)) &&
	    span_cstr(own_dir_of(b), p->own_dir, sizeof(p->own_dir)) &&
	    (r->role != ROLE_EDGE || add_listeners(c, p, b)) &&
	    (r->role != ROLE_CONTROL || add_control(c, p));
}

/* What the slice made last numbers, as rows. */
static void
add_paths(struct planner *pl)
{
	const struct slice_out *out = &pl->out;
	bool fits = pl->file_cnt + out->file_cnt <= PLAN_ALL_FILES_MAX &&
	    pl->endpoint_cnt + out->endpoint_cnt <= PLAN_ALL_ENDPOINTS_MAX;

	for (unsigned i = 0; fits && i < out->file_cnt; i++) {
		struct plan_file *f = &pl->files[pl->file_cnt++];

		f->is_secret = out->files[i].is_secret;
		f->is_made = out->files[i].path->made.len > 0;
		pl->made[pl->file_cnt - 1] = out->files[i].path->made;
		fits = span_cstr(out->files[i].path->text, f->path,
		    sizeof(f->path));
	}
	for (unsigned i = 0; fits && i < out->endpoint_cnt; i++) {
		struct plan_endpoint *e = &pl->endpoints[pl->endpoint_cnt++];

		e->family = 1;
		fits = span_cstr(out->endpoints[i]->text, e->path,
		    sizeof(e->path));
	}
	if (!fits)
		pl->err = ERR_FULL;
}

/* One row a worker; they share their slice, its files and endpoints. */
static void
add_rows(struct planner *pl, const struct block *b, enum role role)
{
	struct run *r = &pl->runs[pl->run_cnt++];
	struct plan_process row = { .first_file = pl->file_cnt,
	    .first_endpoint = pl->endpoint_cnt };

	*r = (struct run){ b, role, pl->process_cnt, workers_of(b) };
	if (pl->err == OK)
		pl->err = slice_out_make(pl->conf, b, role, &pl->out);
	if (pl->err == OK)
		add_paths(pl);
	row.file_cnt = (uint16_t)pl->out.file_cnt;
	row.endpoint_cnt = (uint16_t)pl->out.endpoint_cnt;
	row.workers = (uint16_t)r->cnt;
	if (pl->err == OK && !fill_row(pl->conf, &row, r))
		pl->err = ERR_FULL;
	for (unsigned i = 0; i < r->cnt && pl->err == OK; i++) {
		if (pl->process_cnt == PLAN_PROCESSES_MAX) {
			pl->err = ERR_FULL;
			return;
		}
		row.no = pl->process_cnt;
		row.worker = (uint16_t)i;
		pl->processes[pl->process_cnt] = row;
		pl->slices[pl->process_cnt++] = pl->out.bytes;
	}
}

static void
add_kind(struct planner *pl, enum option_block no)
{
	const struct block *b;

	for (unsigned i = 0; (b = block_nth(pl->conf->top, no, i)) != NULL; i++)
		add_rows(pl, b, role_of(b));
}

/* One process for all keys, where there is any. */
static void
add_keys(struct planner *pl)
{
	const struct block *b;

	TAILQ_FOREACH(b, &pl->conf->top->blocks, entry)
		if (block_keyed(b) != NULL) {
			add_rows(pl, pl->conf->top, ROLE_KEYS);
			return;
		}
}

static void
add_all(struct planner *pl)
{
	add_rows(pl, pl->conf->process, ROLE_RESOLVER);
	add_keys(pl);
	add_kind(pl, BLOCK_USERS);
	add_kind(pl, BLOCK_RELAY);
	add_kind(pl, BLOCK_QUEUE);
	add_rows(pl, pl->conf->process, ROLE_CONTROL);
	add_kind(pl, BLOCK_EDGE);
}

/* Every row of the one may ask every row of the other. */
static void
add_link(struct planner *pl, const struct run *from, const struct run *to)
{
	for (uint32_t i = 0; i < from->cnt; i++)
		for (uint32_t k = 0; k < to->cnt; k++) {
			if (pl->link_cnt == PLAN_LINKS_MAX) {
				pl->err = ERR_FULL;
				return;
			}
			pl->links[pl->link_cnt++] = (struct plan_link){
			    from->first + i, to->first + k };
		}
}

static bool
can_reach(const struct block *queue, const struct block *relay)
{
	for (unsigned i = 0; i < queue->relay_cnt; i++)
		if (queue->relays[i] == relay)
			return true;
	return false;
}

/* The arrows of the picture. */
static bool
is_linked(const struct run *from, const struct run *to)
{
	const struct block *b = from->block;

	switch (from->role) {
	case ROLE_PICKUP:
		return b->target == to->block;
	case ROLE_EDGE:
		return b->target == to->block ||
		    (to->role == ROLE_RESOLVER && block_asks_dns(b)) ||
		    (to->role == ROLE_KEYS && block_keyed(b) != NULL) ||
		    (to->role == ROLE_USERS && b->users == to->block);
	case ROLE_QUEUE:
	case ROLE_PROXY:
		return can_reach(b, to->block);
	case ROLE_RELAY:
		return (to->role == ROLE_RESOLVER && block_asks_dns(b)) ||
		    (to->role == ROLE_KEYS && block_keyed(b) != NULL);
	case ROLE_CONTROL:
		return to->role == ROLE_QUEUE || to->role == ROLE_PROXY;
	default:
		return false;
	}
}

static void
link_all(struct planner *pl)
{
	for (uint32_t i = 0; i < pl->run_cnt; i++)
		for (uint32_t k = 0; k < pl->run_cnt && pl->err == OK; k++)
			if (is_linked(&pl->runs[i], &pl->runs[k]))
				add_link(pl, &pl->runs[i], &pl->runs[k]);
}

static enum err
plan_head(const struct planner *pl, struct plan_head *head)
{
	const struct block *process = pl->conf->process;

	*head = (struct plan_head){ .magic = PLAN_MAGIC,
	    .process_cnt = pl->process_cnt, .link_cnt = pl->link_cnt,
	    .file_cnt = pl->file_cnt, .endpoint_cnt = pl->endpoint_cnt };
	head->sandbox = span_eq(block_text(process, OPTION_PROCESS_sandbox),
	    SPAN("prefer")) ? SANDBOX_PREFER : SANDBOX_REQUIRE;
	return span_cstr(block_text(process, OPTION_PROCESS_run_dir),
	    head->run_dir, sizeof(head->run_dir)) ? OK : ERR_FULL;
}

static void
take_room(struct planner *pl)
{
	struct arena *a = &pl->conf->arena;

	pl->processes = arena_take_array(a, PLAN_PROCESSES_MAX,
	    sizeof(*pl->processes));
	pl->links = arena_take_array(a, PLAN_LINKS_MAX, sizeof(*pl->links));
	pl->files = arena_take_array(a, PLAN_ALL_FILES_MAX,
	    sizeof(*pl->files));
	pl->made = arena_take_array(a, PLAN_ALL_FILES_MAX, sizeof(*pl->made));
	pl->endpoints = arena_take_array(a, PLAN_ALL_ENDPOINTS_MAX,
	    sizeof(*pl->endpoints));
	pl->slices = arena_take_array(a, PLAN_PROCESSES_MAX,
	    sizeof(*pl->slices));
	pl->runs = arena_take_array(a, BLOCKS_MAX + 3, sizeof(*pl->runs));
	if (a->bad)
		pl->err = ERR_FULL;
}

enum err
conf_plan(struct conf *c, struct conf_plan *out)
{
	struct planner *pl = arena_take(&c->arena, sizeof(*pl));
	struct plan_head head;

	if (pl == NULL)
		return ERR_FULL;
	pl->conf = c;
	pl->err = OK;
	take_room(pl);
	if (pl->err != OK)
		return pl->err;
	add_all(pl);
	link_all(pl);
	if (pl->err == OK)
		pl->err = plan_head(pl, &head);
	if (pl->err != OK)
		return pl->err;
	*out = (struct conf_plan){ head, pl->processes, pl->links, pl->slices,
	    pl->files, pl->made, pl->endpoints };
	return OK;
}
