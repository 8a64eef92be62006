/*
 * fuzz_eod.c - the reader against a slow one that only looks for the bytes of
 * the standard, and against itself with the input cut; what it takes goes out
 * by dot.h and must come back the same.  Counted text is what it is, or is
 * refused.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/dot.h"
#include "mail/eod.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define TEXT_MAX	8192	/* bytes of input we look at */

struct outcome {
	char	 text[2 * TEXT_MAX + 8];
	size_t	 len, used;
	bool	 is_over, is_spoilt, is_8bit;
};

static void
read_parts(struct outcome *o, struct span in, size_t part, bool is_lax)
{
	enum eod_step step = EOD_MORE;
	struct eod e;

	eod_init(&e);
	e.is_lax = is_lax;
	o->len = o->used = 0;
	while (o->used < in.len && step != EOD_END) {
		struct span s = span_head(span_tail(in, o->used), part), run;
		size_t len = s.len;

		while ((step = eod_next(&e, &s, &run)) == EOD_RUN) {
			memcpy(o->text + o->len, run.ptr, run.len);
			o->len += run.len;
		}
		o->used += len - s.len;
	}
	o->is_over = step == EOD_END;
	o->is_8bit = e.is_8bit;
	o->is_spoilt = e.bare || e.nul;
}

/* Where the text ends by the standard's words alone; 0 when it does not. */
static size_t
plain_search(struct span in)
{
	const char *at;

	if (in.len >= 3 && memcmp(in.ptr, ".\r\n", 3) == 0)
		return 3;
	at = in.len == 0 ? NULL : memmem(in.ptr, in.len, "\r\n.\r\n", 5);
	return at == NULL ? 0 : (size_t)(at - in.ptr) + 5;
}

/* Out again, by pieces of the same size, and compared with what came in. */
static void
check_way_back(const struct outcome *o, size_t part)
{
	static struct outcome back;
	char wire[4 * TEXT_MAX + 32];
	struct span left = { o->text, o->len }, end, run;
	struct dot d;
	size_t len = 0;

	dot_init(&d);
	while (left.len > 0 && !d.bad) {
		struct span s = span_head(left, part);

		left = span_tail(left, s.len);
		while (dot_next(&d, &s, &run)) {
			memcpy(wire + len, run.ptr, run.len);
			len += run.len;
		}
	}
	end = dot_end(&d);
	if (d.bad || len > 4 * TEXT_MAX)
		abort();
	memcpy(wire + len, end.ptr, end.len);
	read_parts(&back, (struct span){ wire, len + end.len }, sizeof(wire),
	    false);
	if (!back.is_over || back.is_spoilt || back.used != len + end.len ||
	    back.len != o->len || memcmp(back.text, o->text, o->len) != 0)
		abort();
}

static bool
has_bare_end(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\0' || (s.ptr[i] == '\r' &&
		    (i + 1 == s.len || s.ptr[i + 1] != '\n')) ||
		    (s.ptr[i] == '\n' && (i == 0 || s.ptr[i - 1] != '\r')))
			return true;
	return false;
}

static void
check_counted(struct span in, size_t part)
{
	static char text[TEXT_MAX];
	size_t len = 0, at = 0;
	struct eod e;
	bool is_ended;

	eod_init(&e);
	e.is_counted = true;
	while (at < in.len) {
		struct span s = span_head(span_tail(in, at), part), run;
		enum eod_step step;

		at += s.len;
		while ((step = eod_next(&e, &s, &run)) == EOD_RUN) {
			memcpy(text + len, run.ptr, run.len);
			len += run.len;
		}
		if (step == EOD_END || s.len > 0)
			abort();
	}
	is_ended = eod_finish(&e);
	if ((e.bare || e.nul) != has_bare_end(in))
		abort();
	if (e.bare || e.nul)
		return;
	if (len != in.len || memcmp(text, in.ptr, len) != 0 ||
	    is_ended != (len == 0 || text[len - 1] == '\n'))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct outcome whole, cut;
	struct span in = { (const char *)bytes + 1, len - 1 };
	size_t part, used;
	bool is_lax;

	if (len < 2 || len > TEXT_MAX / 2)
		return 0;
	part = bytes[0] % 17 + 1u;
	is_lax = (bytes[0] & 0x80) != 0;
	check_counted(in, part);
	read_parts(&whole, in, in.len, is_lax);
	read_parts(&cut, in, part, is_lax);
	if (whole.is_over != cut.is_over || whole.used != cut.used ||
	    whole.is_spoilt != cut.is_spoilt || whole.is_8bit != cut.is_8bit)
		abort();
	used = plain_search(in);
	if (whole.is_over != (used != 0) || (used != 0 && whole.used != used))
		abort();
	if (whole.is_spoilt || !whole.is_over)
		return 0;
	if (whole.len != cut.len || memcmp(whole.text, cut.text, cut.len) != 0)
		abort();
	check_way_back(&whole, part);
	return 0;
}
