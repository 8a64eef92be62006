/*
 * slice_out.c - what a program may see is decided here alone, by the column
 * `sees' of options.def.
 */
#include "base/wire.h"
#include "conf/slice_out.h"

static void
put_option(struct wire_out *out, const char *name, const struct setting *s)
{
	wire_str(out, span_of(name), SLICE_NAME_MAX);
	wire_u32(out, s->cnt);
	for (unsigned i = 0; i < s->cnt; i++) {
		wire_u64(out, s->v[i].num);
		wire_str(out, s->v[i].text, SLICE_TEXT_MAX);
	}
}

static bool
is_seen(const struct block *b, enum option_no no, enum role role)
{
	const struct option_row *row = options_row(no);

	return row->block == b->no && (row->sees & (1u << role)) != 0 &&
	    b->settings[no].cnt > 0 && !block_lacks(b, row);
}

static bool
is_block_seen(const struct block *b, enum role role)
{
	return (options_block(b->no)->sees & (1u << role)) != 0;
}

/* A number is written when it is known: room is left, and filled later. */
static void
fill(struct wire_out *out, size_t at, uint32_t value, unsigned len)
{
	for (unsigned i = 0; i < len && !out->bad; i++)
		out->buf[at + i] = (uint8_t)(value >> (8 * i));
}

static void
put_options(struct wire_out *out, const struct block *b, enum role role)
{
	size_t at = out->len;
	uint32_t cnt = 0;

	wire_u16(out, 0);
	if (b->name.len > 0) {
		struct reading r = { .text = b->name };
		struct setting s = { .cnt = 1, .v = &r };

		put_option(out, "name", &s);
		cnt++;
	}
	for (unsigned i = 0; i < OPTION__COUNT; i++)
		if (is_seen(b, (enum option_no)i, role)) {
			put_option(out, options_row((enum option_no)i)->name,
			    &b->settings[i]);
			cnt++;
		}
	fill(out, at, cnt, 2);
}

/* Recurses as deep as options.def nests its blocks. */
static void
put_block(struct wire_out *out, const struct block *b, enum role role)
{
	const struct block *child;
	size_t at = out->len, blocks_at;
	uint32_t cnt = 0;

	wire_u32(out, 0);
	put_options(out, b, role);
	blocks_at = out->len;
	wire_u16(out, 0);
	TAILQ_FOREACH(child, &b->blocks, entry) {
		if (!is_block_seen(child, role))
			continue;
		wire_str(out, span_of(options_block(child->no)->word),
		    SLICE_NAME_MAX);
		put_block(out, child, role);
		cnt++;
	}
	fill(out, blocks_at, cnt, 2);
	fill(out, at, (uint32_t)(out->len - at - 4), 4);
}

enum err
slice_out_make(struct conf *c, const struct block *b, enum role role,
    struct span *out)
{
	struct wire_out w = { .bad = true };

	for (size_t cap = 4096; w.bad && cap <= SLICE_MAX; cap *= 2) {
		w = (struct wire_out){ .cap = cap };
		w.buf = arena_take(&c->arena, cap);
		if (w.buf == NULL)
			return ERR_FULL;
		wire_u32(&w, SLICE_MAGIC);
		put_block(&w, b, role);
		put_block(&w, c->process, role);
	}
	if (w.bad)
		return ERR_FULL;
	*out = (struct span){ (const char *)w.buf, w.len };
	return OK;
}
