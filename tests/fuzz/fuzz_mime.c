/*
 * fuzz_mime.c - a text read whole and in parts and written for a next hop that
 * takes 7 bits, or fields in ASCII, or long lines alone.
 *
 * Whatever comes: both ways of feeding it give the same; what is written is
 * ASCII and in lines of at most 998 octets where the plan says it can be, its
 * header at least where the fields had been UTF-8; and
 * to convert it again changes nothing.  Line ends are made CRLF first, because
 * no other text is converted.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/mime.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
feed(struct mime_plan *plan, struct mime_out *out, struct span in, size_t part)
{
	struct mime *m = mime_new(plan, out);

	if (m == NULL)
		abort();
	while (in.len > 0) {
		mime_feed(m, span_head(in, part));
		in = span_tail(in, part);
	}
	mime_end(m);
	mime_free(&m);
}

static bool is_utf8;	/* it came with SMTPUTF8		*/

/* Plan and write; what is not due is passed as it is. */
static void
convert(struct mime_plan *plan, struct mime_out *out, struct span in,
    bool to_7bit, size_t part)
{
	mime_plan_init(plan, to_7bit);
	plan->is_utf8 = is_utf8;
	feed(plan, NULL, in, part);
	if (mime_plan_is_due(plan))
		feed(plan, out, in, part);
	else
		mime_out_put(out, in);
	if (plan->has_failed || out->has_failed)
		abort();
}

static void
check_lines(struct span s)
{
	while (s.len > 0) {
		size_t len = span_find(s, '\n');

		if (len > TEXT_LINE_SURE + 1)
			abort();
		s = span_tail(s, len + 1);
	}
}

static void
check(const struct mime_plan *plan, struct span text)
{
	if (plan->is_stuck || plan->cnt > MIME_PARTS_MAX)
		return;
	for (size_t i = 0; i < text.len; i++) {
		struct span rest = span_tail(text, i);

		if (!plan->to_7bit && (!plan->is_utf8 ||
		    span_begins(rest, SPAN("\r\n\r\n")) ||
		    (i == 0 && span_begins(rest, SPAN("\r\n")))))
			break;
		if ((unsigned char)text.ptr[i] > 0x7f)
			abort();
	}
	if (!plan->leaves_long)
		check_lines(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct mime_plan plan, plan2;
	struct mime_out in = { .ptr = NULL }, out = in, cut = in, again = in;
	bool to_7bit = len > 0 && bytes[0] & 1;
	struct span text;
	size_t part = len > 0 ? bytes[0] / 2 + 1u : 1;

	for (size_t i = 1; i < len; i++) {
		unsigned char c = bytes[i];
		/* One octet for a long run, so that long lines are met. */
		unsigned cnt = c == 0x01 ? 997 : 1;

		for (unsigned j = 0; j < cnt; j++)
			mime_out_put(&in, c == '\n' ? SPAN("\r\n") :
			    c == '\r' || c == '\0' || c == 0x01 ? SPAN("x") :
			    (struct span){ (const char *)bytes + i, 1 });
	}
	is_utf8 = len > 0 && bytes[0] & 2;
	text = (struct span){ in.ptr, in.len };
	convert(&plan, &out, text, to_7bit, SIZE_MAX);
	convert(&plan2, &cut, text, to_7bit, part);
	if (out.len != cut.len ||
	    (out.len > 0 && memcmp(out.ptr, cut.ptr, out.len) != 0))
		abort();
	check(&plan, (struct span){ out.ptr, out.len });
	mime_plan_fini(&plan2);
	convert(&plan2, &again, (struct span){ out.ptr, out.len }, to_7bit,
	    SIZE_MAX);
	if (!plan.is_stuck && (out.len != again.len ||
	    (out.len > 0 && memcmp(out.ptr, again.ptr, out.len) != 0)))
		abort();
	mime_plan_fini(&plan);
	mime_plan_fini(&plan2);
	mime_out_free(&in);
	mime_out_free(&out);
	mime_out_free(&cut);
	mime_out_free(&again);
	return 0;
}
