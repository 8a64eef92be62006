/*
 * slice.c - reads what slice_out.c writes; see slice_out.h for the form.
 *
 * slice_open() walks everything once.  The reads walk again from the start of
 * their block, with the same bounded reader: a block has some tens of options,
 * and they are asked for once, at the start of a process.
 */
#include "base/wire.h"
#include "conf/slice/slice.h"

static struct wire_in
reader_of(struct span s)
{
	if (s.ptr == NULL)
		return (struct wire_in){ .bad = true };
	return (struct wire_in){ .pos = (const uint8_t *)s.ptr,
	    .end = (const uint8_t *)s.ptr + s.len };
}

static size_t
left(const struct wire_in *in)
{
	return (size_t)(in->end - in->pos);
}

static void
skip_option(struct wire_in *in)
{
	uint32_t cnt = wire_get_u32(in);

	/* Ten bytes is the least a value takes. */
	if (cnt > left(in) / 10)
		in->bad = true;
	for (uint32_t i = 0; i < cnt && !in->bad; i++) {
		(void)wire_get_u64(in);
		(void)wire_get_str(in, SLICE_TEXT_MAX);
	}
}

/* Take the block that comes next, its length included. */
static struct slice
take_block(struct wire_in *in)
{
	const uint8_t *start = in->pos;
	uint32_t len = wire_get_u32(in);

	if (in->bad || len > left(in)) {
		in->bad = true;
		return (struct slice){ { NULL, 0 } };
	}
	in->pos += len;
	return (struct slice){ { (const char *)start, (size_t)len + 4 } };
}

/* A reader behind the length of the block; nothing behind it can be read. */
static struct wire_in
enter_block(struct slice s)
{
	struct wire_in in = reader_of(s.bytes);
	struct slice own = take_block(&in);

	if (in.bad)
		return (struct wire_in){ .bad = true };
	in = reader_of(own.bytes);
	(void)wire_get_u32(&in);
	return in;
}

static bool
is_block(struct slice s, unsigned depth)
{
	struct wire_in in = enter_block(s);
	uint16_t cnt = wire_get_u16(&in);

	if (depth > SLICE_DEPTH_MAX)
		return false;
	for (uint16_t i = 0; i < cnt && !in.bad; i++) {
		if (wire_get_str(&in, SLICE_NAME_MAX).len == 0)
			return false;
		skip_option(&in);
	}
	cnt = wire_get_u16(&in);
	for (uint16_t i = 0; i < cnt && !in.bad; i++) {
		if (wire_get_str(&in, SLICE_NAME_MAX).len == 0 ||
		    !is_block(take_block(&in), depth + 1))
			return false;
	}
	return wire_done(&in);
}

enum err
slice_open(struct slice *out, struct span bytes)
{
	struct wire_in in = reader_of(bytes);
	struct slice own, process;

	if (bytes.len > SLICE_MAX || wire_get_u32(&in) != SLICE_MAGIC)
		return ERR_PEER;
	own = take_block(&in);
	process = take_block(&in);
	if (!wire_done(&in) || !is_block(own, 1) || !is_block(process, 1))
		return ERR_PEER;
	*out = (struct slice){ span_tail(bytes, 4) };
	return OK;
}

struct slice
slice_process(const struct slice *s)
{
	struct wire_in in = reader_of(s->bytes);

	(void)take_block(&in);
	if (in.bad || left(&in) == 0)
		return (struct slice){ { NULL, 0 } };
	return take_block(&in);
}

/* Stand before the values of the option; their count, 0 when absent. */
static uint32_t
find_option(const struct slice *s, const char *option, struct wire_in *in)
{
	uint16_t cnt;

	*in = enter_block(*s);
	cnt = wire_get_u16(in);
	for (uint16_t i = 0; i < cnt && !in->bad; i++) {
		if (span_eq(wire_get_str(in, SLICE_NAME_MAX),
		    span_of(option)))
			return wire_get_u32(in);
		skip_option(in);
	}
	return 0;
}

unsigned
slice_count(const struct slice *s, const char *option)
{
	struct wire_in in;

	return find_option(s, option, &in);
}

struct span
slice_text(const struct slice *s, const char *option, unsigned i)
{
	struct wire_in in;
	uint32_t cnt = find_option(s, option, &in);
	struct span text = { NULL, 0 };

	if (i >= cnt)
		return text;
	for (unsigned k = 0; k <= i && !in.bad; k++) {
		(void)wire_get_u64(&in);
		text = wire_get_str(&in, SLICE_TEXT_MAX);
	}
	return text;
}

void
slice_each(const struct slice *s, const char *option, slice_value_fn *fn,
    void *arg)
{
	struct wire_in in;
	uint32_t cnt = find_option(s, option, &in);

	for (uint32_t i = 0; i < cnt && !in.bad; i++) {
		uint64_t num = wire_get_u64(&in);
		struct span text = wire_get_str(&in, SLICE_TEXT_MAX);

		if (!in.bad)
			fn(text, num, arg);
	}
}

uint64_t
slice_num(const struct slice *s, const char *option)
{
	struct wire_in in;

	return find_option(s, option, &in) > 0 ? wire_get_u64(&in) : 0;
}

bool
slice_flag(const struct slice *s, const char *option)
{
	return slice_num(s, option) != 0;
}

/* Stand before the nested blocks; their count, of all words. */
static uint16_t
find_blocks(const struct slice *s, struct wire_in *in)
{
	uint16_t cnt;

	*in = enter_block(*s);
	cnt = wire_get_u16(in);
	for (uint16_t i = 0; i < cnt && !in->bad; i++) {
		(void)wire_get_str(in, SLICE_NAME_MAX);
		skip_option(in);
	}
	return wire_get_u16(in);
}

unsigned
slice_block_count(const struct slice *s, const char *option)
{
	struct wire_in in;
	uint16_t cnt = find_blocks(s, &in);
	unsigned found = 0;

	for (uint16_t i = 0; i < cnt && !in.bad; i++) {
		found += span_eq(wire_get_str(&in, SLICE_NAME_MAX),
		    span_of(option));
		(void)take_block(&in);
	}
	return found;
}

struct slice
slice_block(const struct slice *s, const char *option, unsigned i)
{
	struct wire_in in;
	uint16_t cnt = find_blocks(s, &in);

	for (; cnt > 0 && !in.bad; cnt--) {
		bool is_it = span_eq(wire_get_str(&in, SLICE_NAME_MAX),
		    span_of(option));
		struct slice block = take_block(&in);

		if (is_it && i-- == 0)
			return block;
	}
	return (struct slice){ { NULL, 0 } };
}
