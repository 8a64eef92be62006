/*
 * text.c - header.h finds the blank line, and this file sees to it that nothing
 * is taken that could not be put somewhere.
 *
 * The buffer of the header section begins with a gap that our fields are laid
 * into from behind once the id is known, so that the section is never copied.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "edge/text/stream.h"
#include "edge/text/tap.h"
#include "edge/text/text.h"
#include "mail/eod.h"

#define HEADER_FIRST	2048	/* bytes: the header of most messages	*/

static void
fault(struct text *x, uint16_t code, const char *dsn, const char *words)
{
	struct reply no = { .code = code };

	snprintf(no.dsn, sizeof(no.dsn), "%s", dsn);
	snprintf(no.text, sizeof(no.text), "%s", words);
	text_fault(x, &no);
}

static void
no_memory(struct text *x)
{
	fault(x, 452, "4.3.0", "Insufficient system resources");
}

static void
tell_taps(struct text *x, bool is_whole)
{
	struct tap *tap;

	while ((tap = x->taps) != NULL) {
		x->taps = tap->next;
		tap->on_end(tap, is_whole);
	}
}

/* Body bytes: there is room for all of them, text_room() has seen to that. */
static void
put_body(struct text *x, struct span run)
{
	if (run.len == 0)
		return;
	for (struct tap *tap = x->taps; tap != NULL; tap = tap->next)
		tap->on_body(tap, run);
	if (stream_put(x->stream, run) != OK)
		no_memory(x);
}

static enum err
begin_header(struct text *x)
{
	enum err e = grow_reserve(&x->header, TEXT_FIELDS_MAX + HEADER_FIRST);

	if (e != OK)
		return e;
	x->header.len = x->header_at = TEXT_FIELDS_MAX;
	return OK;
}

/* Line ends as they have to be?  Of a binary text nobody has looked at them. */
static bool
has_lines(struct span section)
{
	struct span run;
	struct eod e;

	eod_init(&e);
	e.is_counted = true;
	while (eod_next(&e, &section, &run) == EOD_RUN)
		;
	(void)eod_finish(&e);
	return !e.bare && !e.nul;
}

/*
 * The header section is complete.  What is held beyond it is the beginning of
 * the body, and moves over; the line of a mbox in front of it is left out.
 */
static void
split(struct text *x)
{
	size_t end = x->header_at + x->scan.len;
	struct span held = span_tail(grow_span(&x->header), end);

	x->is_split = true;
	if (x->scan.received_cnt > RECEIVED_MAX) {
		fault(x, 554, "5.4.6", "Too many hops");
		return;
	}
	if (held.len > TEXT_LINE_MAX + 2) {
		fault(x, 554, "5.6.0", "Line too long");
		return;
	}
	if (x->is_binary && !has_lines(span_tail(span_head(grow_span(
	    &x->header), end), x->header_at))) {
		fault(x, 550, "5.5.2", "Bare CR, bare LF or NUL not allowed");
		return;
	}
	for (struct tap *tap = x->taps; tap != NULL; tap = tap->next)
		tap->on_header(tap, span_tail(span_head(grow_span(&x->header),
		    end), x->header_at + x->scan.mbox_len));
	put_body(x, held);
	if (text_has_fault(x))
		return;
	x->header.len = end;
	x->header_at += x->scan.mbox_len;
}

/*
 * More than may be held.  Where a line was no field it may be text without a
 * header, of any size: it goes on as body, and not a byte of it is another.
 */
static bool
is_bearable(struct text *x)
{
	if (x->header.len - x->header_at <= x->max_header_size)
		return true;
	if (x->scan.has_odd) {
		header_cut(&x->scan);
		return true;
	}
	fault(x, 552, "5.3.4", "Message header size exceeds limit");
	return false;
}

/* Header bytes from the front of *run. */
static void
put_header(struct text *x, struct span *run)
{
	size_t n = header_feed(&x->scan, *run);

	if (x->header.len == 0 && begin_header(x) != OK) {
		no_memory(x);
		return;
	}
	if (grow_add(&x->header, span_head(*run, n)) != OK) {
		no_memory(x);
		return;
	}
	*run = span_tail(*run, n);
	if (is_bearable(x) && x->scan.done)
		split(x);
}

void
text_begin(struct text *x, struct stream *stream, uint64_t max_size,
    uint64_t max_header_size)
{
	*x = (struct text){
		.stream = stream,
		.max_size = max_size,
		.max_header_size = max_header_size,
	};
	header_init(&x->scan);
}

void
text_fini(struct text *x)
{
	tell_taps(x, false);
	grow_free(&x->header);
}

void
text_tap(struct text *x, struct tap *tap)
{
	struct tap **at = &x->taps;

	while (*at != NULL)
		at = &(*at)->next;
	tap->next = NULL;
	*at = tap;
}

void
text_expect(struct text *x, uint64_t len)
{
	char words[64];

	if (len <= x->max_size && x->size <= x->max_size - len)
		return;
	snprintf(words, sizeof(words), "Message size exceeds %llu limit",
	    (unsigned long long)x->max_size);
	fault(x, 552, "5.3.4", words);
}

void
text_put(struct text *x, struct span run)
{
	text_expect(x, run.len);
	if (text_has_fault(x))
		return;
	x->size += run.len;
	if (!x->is_split)
		put_header(x, &run);
	if (x->is_split && !text_has_fault(x))
		put_body(x, run);
}

void
text_end(struct text *x)
{
	x->is_ended = true;
	if (x->longest > TEXT_LINE_MAX)
		fault(x, 554, "5.6.0", "Line too long");
	if (text_has_fault(x))
		return;
	if (!x->is_split && x->header.len == 0 && begin_header(x) != OK) {
		no_memory(x);
		return;
	}
	if (!x->is_split) {
		header_end(&x->scan);
		split(x);
	}
	tell_taps(x, !text_has_fault(x));
}

size_t
text_room(const struct text *x)
{
	size_t room = stream_room(x->stream);
	size_t spare = x->is_split ? 0 : TEXT_LINE_MAX;

	if (text_has_fault(x))
		return SIZE_MAX;
	return room > spare ? room - spare : 0;
}

void
text_add_field(struct text *x, struct span field)
{
	x->header_at -= field.len;
	memcpy(x->header.ptr + x->header_at, field.ptr, field.len);
}

struct span
text_header(const struct text *x)
{
	return span_tail(grow_span(&x->header), x->header_at);
}

void
text_set_header(struct text *x, struct grow *other)
{
	grow_free(&x->header);
	x->header = *other;
	x->header_at = TEXT_FIELDS_MAX;
	*other = (struct grow){ NULL, 0, 0 };
}

void
text_fault(struct text *x, const struct reply *no)
{
	if (text_has_fault(x) && (!no->close || x->fault.close))
		return;
	x->fault = *no;
	stream_abort(x->stream);
	grow_free(&x->header);
	tell_taps(x, false);
}

bool
text_has_fault(const struct text *x)
{
	return x->fault.code != 0;
}
