/*
 * framing.c - see the header; eod.h judges the line ends, and finds the end
 * where octets are not counted.
 *
 * There is always room for the line end that a last line may lack: SLACK is
 * held back from each run.
 */
#include "edge/text/framing.h"
#include "edge/text/text.h"

#define SLACK	8	/* bytes eod.h may give beyond its input */

void
framing_begin(struct framing *f, struct text *text, bool is_lax)
{
	*f = (struct framing){ .text = text };
	eod_init(&f->eod);
	f->eod.is_lax = is_lax;
}

void
framing_begin_chunks(struct framing *f, struct text *text, bool is_lax,
    bool is_binary)
{
	framing_begin(f, text, is_lax && !is_binary);
	f->eod.is_counted = true;
	f->is_binary = text->is_binary = is_binary;
}

void
framing_chunk(struct framing *f, uint64_t len, bool is_last)
{
	f->left = len;
	f->is_last = is_last;
	text_expect(f->text, len);
}

static void
judge(struct framing *f)
{
	static const struct reply smuggled[] = {
		{ 550, "5.5.2", "Bare CR, bare LF or NUL not allowed", true },
		{ 550, "5.5.2", "Bare CR, bare LF or NUL not allowed", false },
	};

	if (f->eod.bare || f->eod.nul)
		text_fault(f->text, &smuggled[f->eod.is_counted]);
}

/* At most so many octets from the front of *in, and no more than a run. */
static enum eod_step
take_some(struct framing *f, struct span *in, size_t n)
{
	struct span part = span_head(*in, n), run;
	enum eod_step step;

	n = part.len;
	step = eod_next(&f->eod, &part, &run);
	*in = span_tail(*in, n - part.len);
	judge(f);
	if (step == EOD_RUN)
		text_put(f->text, run);
	return step;
}

static enum framing_step
end(struct framing *f)
{
	f->text->is_8bit = f->eod.is_8bit;
	f->text->longest = f->eod.longest;
	text_end(f->text);
	return FRAMING_END;
}

static void
take_binary(struct framing *f, struct span *in, size_t n)
{
	struct span run = span_head(*in, n);

	*in = span_tail(*in, run.len);
	f->end = run.ptr[run.len - 1];
	text_put(f->text, run);
}

/* What came binary has octets over 127 for all that others need to know. */
static enum framing_step
end_binary(struct framing *f)
{
	if (!f->text->is_split && f->text->size > 0 && f->end != '\n')
		text_put(f->text, SPAN("\r\n"));
	f->text->is_8bit = true;
	text_end(f->text);
	return FRAMING_END;
}

static enum framing_step
end_chunk(struct framing *f)
{
	if (!f->is_last)
		return FRAMING_CHUNK;
	if (f->is_binary)
		return end_binary(f);
	if (!eod_finish(&f->eod))
		text_put(f->text, SPAN("\r\n"));
	judge(f);
	return end(f);
}

static enum framing_step
take_chunk(struct framing *f, struct span *in)
{
	size_t n, len;

	while (f->left > 0) {
		if (in->len == 0)
			return FRAMING_MORE;
		if ((n = framing_room(f)) == 0)
			return FRAMING_FULL;
		len = in->len;
		n = n < f->left ? n : (size_t)f->left;
		if (f->is_binary)
			take_binary(f, in, n);
		else
			(void)take_some(f, in, n);
		f->left -= len - in->len;
	}
	return end_chunk(f);
}

enum framing_step
framing_take(struct framing *f, struct span *in)
{
	size_t n;

	if (f->eod.is_counted)
		return take_chunk(f, in);
	while (in->len > 0) {
		if ((n = framing_room(f)) == 0)
			return FRAMING_FULL;
		if (take_some(f, in, n) == EOD_END)
			return end(f);
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
