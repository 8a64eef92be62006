/*
 * slice_out.c - what a program may see is decided here alone, by the column
 * `sees' of options.def.
 */
#include "base/limits.h"
#include "base/wire.h"
#include "conf/slice/slice_out.h"

struct maker {
	struct wire_out	 w;
	enum role	 role;
	struct slice_out *out;
	bool		 is_over;	/* more files than a process may have */
};

/* Which file of the process it is: a new one, unless we had it. */
static uint64_t
number_file(struct maker *m, const struct reading *r, bool is_secret)
{
	struct slice_out *out = m->out;

	for (unsigned i = 0; i < out->file_cnt; i++)
		if (out->files[i].path == r)
			return i;
	if (out->file_cnt == PLAN_FILES_MAX) {
		m->is_over = true;
		return 0;
	}
	out->files[out->file_cnt] = (struct slice_file){ r, is_secret };
	return out->file_cnt++;
}

static uint64_t
number_endpoint(struct maker *m, const struct reading *r)
{
	struct slice_out *out = m->out;

	for (unsigned i = 0; i < out->endpoint_cnt; i++)
		if (out->endpoints[i] == r)
			return i;
	if (out->endpoint_cnt == PLAN_ENDPOINTS_MAX) {
		m->is_over = true;
		return 0;
	}
	out->endpoints[out->endpoint_cnt] = r;
	return out->endpoint_cnt++;
}

static uint64_t
number_of(struct maker *m, enum option_type type, const struct reading *r)
{
	switch (type) {
	case TYPE_FILE:
	case TYPE_ROOTS:
	case TYPE_SECRET:
		return number_file(m, r, type == TYPE_SECRET);
	case TYPE_SOCKET:
		return number_endpoint(m, r);
	default:
		return r->num;
	}
}

static void
put_name(struct maker *m, struct span name)
{
	wire_str(&m->w, SPAN("name"), SLICE_NAME_MAX);
	wire_u32(&m->w, 1);
	wire_u64(&m->w, 0);
	wire_str(&m->w, name, SLICE_TEXT_MAX);
}

/* What a process of this relay may be given at the same time. */
static uint64_t
slots_of(const struct block *relay)
{
	const struct kind_row *row = kinds_find(block_kind(relay));

	return row->slots > 0 ? row->slots : SLOTS_EACH * block_num(relay,
	    row->role == ROLE_PIPE || row->role == ROLE_LOCAL ?
	    OPTION_RELAY_max_processes :
	    OPTION_RELAY_concurrent_connections);
}

/* It is no option: none of the words of the language has a blank. */
static void
put_slots(struct maker *m, const struct block *relay)
{
	wire_str(&m->w, SPAN("most slots"), SLICE_NAME_MAX);
	wire_u32(&m->w, 1);
	wire_u64(&m->w, slots_of(relay));
	wire_str(&m->w, SPAN(""), SLICE_TEXT_MAX);
}

static void
put_option(struct maker *m, const struct option_row *row,
    const struct setting *s)
{
	wire_str(&m->w, span_of(row->name), SLICE_NAME_MAX);
	wire_u32(&m->w, s->cnt);
	for (unsigned i = 0; i < s->cnt; i++) {
		wire_u64(&m->w, number_of(m, row->type, &s->v[i]));
		wire_str(&m->w, s->v[i].text, SLICE_TEXT_MAX);
	}
}

static bool
is_seen(const struct block *b, enum option_no no, enum role role)
{
	const struct option_row *row = options_row(no);

	return row->block == b->no && (row->sees & (1u << role)) != 0 &&
	    b->settings[no].cnt > 0 && !block_lacks(b, row->kinds);
}

/* Of the file only blocks that have a key; of edges abroad only addresses. */
static bool
is_block_seen(const struct block *in, const struct block *b, enum role role)
{
	if ((options_block(b->no)->sees & (1u << role)) == 0)
		return false;
	if (in->no == BLOCK_TOP)
		return block_keyed(b) != NULL;
	return role != ROLE_RELAY || b->no != BLOCK_LISTENER ||
	    !b->settings[OPTION_LISTENER_path].given;
}

/* A number is written when it is known: room is left, and filled later. */
static void
fill(struct wire_out *out, size_t at, uint32_t value, unsigned len)
{
	for (unsigned i = 0; i < len && !out->bad; i++)
		out->buf[at + i] = (uint8_t)(value >> (8 * i));
}

static void
put_options(struct maker *m, const struct block *b)
{
	size_t at = m->w.len;
	uint32_t cnt = 0;

	wire_u16(&m->w, 0);
	if (b->name.len > 0) {
		put_name(m, b->name);
		cnt++;
	}
	if (b->no == BLOCK_RELAY &&
	    (m->role == ROLE_QUEUE || m->role == ROLE_PROXY)) {
		put_slots(m, b);
		cnt++;
	}
	for (unsigned i = 0; i < OPTION__COUNT; i++)
		if (is_seen(b, (enum option_no)i, m->role)) {
			put_option(m, options_row((enum option_no)i),
			    &b->settings[i]);
			cnt++;
		}
	fill(&m->w, at, cnt, 2);
}

static uint32_t	put_guests(struct maker *, const struct conf *,
		    const struct block *);

/*
 * Recurses as deep as options.def nests its blocks.  c is for the outermost
 * one alone, which has guests: blocks that stand elsewhere in the file.
 */
static void
put_block(struct maker *m, const struct block *b, const struct conf *c)
{
	const struct block *child;
	size_t at = m->w.len, blocks_at;
	uint32_t cnt = 0;

	wire_u32(&m->w, 0);
	put_options(m, b);
	blocks_at = m->w.len;
	wire_u16(&m->w, 0);
	TAILQ_FOREACH(child, &b->blocks, entry) {
		if (!is_block_seen(b, child, m->role))
			continue;
		wire_str(&m->w, span_of(options_block(child->no)->word),
		    SLICE_NAME_MAX);
		put_block(m, child, NULL);
		cnt++;
	}
	if (c != NULL)
		cnt += put_guests(m, c, b);
	fill(&m->w, blocks_at, cnt, 2);
	fill(&m->w, at, (uint32_t)(m->w.len - at - 4), 4);
}

static void
put_guest(struct maker *m, const struct block *b)
{
	wire_str(&m->w, span_of(options_block(b->no)->word), SLICE_NAME_MAX);
	put_block(m, b, NULL);
}

/* Those of a queue, or NULL: all. */
static uint32_t
put_edges(struct maker *m, const struct conf *c, const struct block *queue)
{
	const struct block *guest;
	uint32_t cnt = 0;

	TAILQ_FOREACH(guest, &c->top->blocks, entry)
		if (guest->no == BLOCK_EDGE && (queue == NULL ||
		    guest->target == queue)) {
			put_guest(m, guest);
			cnt++;
		}
	return cnt;
}

static uint32_t
put_guests(struct maker *m, const struct conf *c, const struct block *b)
{
	const struct block *guest;
	uint32_t cnt = 0;

	if (b->no == BLOCK_EDGE && b->target != NULL) {
		guest = block_nth(b->target, BLOCK_POLICIES, 0);
		if (guest != NULL) {
			put_guest(m, guest);
			cnt++;
		}
	}
	for (; b->no == BLOCK_QUEUE && cnt < b->relay_cnt; cnt++)
		put_guest(m, b->relays[cnt]);
	if (b->no == BLOCK_QUEUE && b->bounce_target != NULL) {
		put_guest(m, b->bounce_target);
		cnt++;
	}
	if (b->no == BLOCK_QUEUE)
		cnt += put_edges(m, c, b);
	if (b->no == BLOCK_RELAY &&
	    kinds_find(block_kind(b))->reach == KIND_TO_ALL)
		cnt += put_edges(m, c, NULL);
	return cnt;
}

enum err
slice_out_make(struct conf *c, const struct block *b, enum role role,
    struct slice_out *out)
{
	struct maker m = { .w.bad = true, .role = role, .out = out };

	for (size_t cap = 4096; m.w.bad && cap <= SLICE_MAX; cap *= 2) {
		out->file_cnt = out->endpoint_cnt = 0;
		m.w = (struct wire_out){ .cap = cap };
		m.w.buf = arena_take(&c->arena, cap);
		if (m.w.buf == NULL)
			return ERR_FULL;
		wire_u32(&m.w, SLICE_MAGIC);
		put_block(&m, b, c);
		put_block(&m, c->process, NULL);
	}
	if (m.w.bad || m.is_over)
		return ERR_FULL;
	out->bytes = (struct span){ (const char *)m.w.buf, m.w.len };
	return OK;
}
