/*
 * framing.c - see the header; eod.h finds the end.
 */
#include "edge/text/framing.h"
#include "edge/text/text.h"

#define SLACK	8	/* bytes eod.h may give beyond its input */

void
framing_begin(struct framing *f, struct text *text, bool is_lax)
{
	f->text = text;
	eod_init(&f->eod);
	f->eod.is_lax = is_lax;
}

static void
judge(struct framing *f)
{
	static const struct reply smuggled = { 550, "5.5.2",
	    "Bare CR, bare LF or NUL not allowed", true };

	if (f->eod.bare || f->eod.nul)
		text_fault(f->text, &smuggled);
}

enum framing_step
framing_take(struct framing *f, struct span *in)
{
	struct text *x = f->text;
	enum eod_step step;
	struct span part, run;
	size_t n;

	while (in->len > 0) {
		if ((n = framing_room(f)) == 0)
			return FRAMING_FULL;
		part = span_head(*in, n);
		n = part.len;
		step = eod_next(&f->eod, &part, &run);
		*in = span_tail(*in, n - part.len);
		judge(f);
		if (step == EOD_RUN)
			text_put(x, run);
		if (step == EOD_END) {
			x->is_8bit = f->eod.is_8bit;
			x->longest = f->eod.longest;
			text_end(x);
			return FRAMING_END;
		}
	}
	return FRAMING_MORE;
}

size_t
framing_room(const struct framing *f)
{
	size_t room = text_room(f->text);

	room = room > SLACK ? room - SLACK : 0;
	return f->eod.is_lax ? room / 2 : room;
}
