/*
 * text.c - eod.h finds the end, header.h the blank line, and this file sees
 * to it that nothing is read that could not be put somewhere.
 *
 * The buffer of the header section begins with a gap that our fields are laid
 * into from behind once the id is known, so that the section is never copied.
 */
#include <stdio.h>
#include <string.h>

#include "edge/edge.h"
#include "edge/session.h"
#include "edge/text.h"
#include "edge/to_queue.h"
#include "edge/transaction.h"
#include "mail/date.h"
#include "mail/received.h"
#include "sys/clock.h"

#define SLACK		8	/* bytes eod.h may give beyond its input */
#define HEADER_FIRST	2048	/* bytes: the header of most messages	*/
#define ADDED_MAX	(RECEIVED_TEXT_MAX + 512) /* bytes: all our fields */

static void
fault(struct transaction *t, uint16_t code, const char *dsn, const char *text)
{
	text_fault(t, code, dsn, span_of(text));
}

static void
no_memory(struct transaction *t)
{
	fault(t, 452, "4.3.0", "Insufficient system resources");
}

/* One full or last piece of the body, if credit allows. */
static bool
send_piece(struct transaction *t)
{
	struct text *x = &t->text;

	if (x->piece.len == 0)
		return true;
	if (t->credit == 0)
		return false;
	x->body_len += x->piece.len;
	to_queue_body(t, grow_span(&x->piece));
	x->piece.len = 0;
	return true;
}

/* Body bytes: there is room for all of them, text_room() has seen to that. */
static void
put_body(struct transaction *t, struct span run)
{
	struct text *x = &t->text;
	size_t n;

	while (run.len > 0 && !text_has_fault(t)) {
		if (x->piece.len == PIECE_MAX && !send_piece(t)) {
			no_memory(t);	/* cannot be */
			return;
		}
		n = PIECE_MAX - x->piece.len;
		if (grow_add(&x->piece, span_head(run, n)) != OK) {
			no_memory(t);
			return;
		}
		run = span_tail(run, n);
	}
}

static enum err
begin_header(struct text *x)
{
	enum err e = grow_reserve(&x->header, ADDED_MAX + HEADER_FIRST);

	if (e != OK)
		return e;
	x->header.len = x->header_at = ADDED_MAX;
	return OK;
}

/*
 * The header section is complete.  What is held beyond it is the beginning of
 * the body, and moves over; the line of a mbox in front of it is left out.
 */
static void
split(struct transaction *t)
{
	struct text *x = &t->text;
	size_t end = x->header_at + x->scan.len;
	struct span held = span_tail(grow_span(&x->header), end);

	x->is_split = true;
	if (x->scan.received_cnt > RECEIVED_MAX) {
		fault(t, 554, "5.4.6", "Too many hops");
		return;
	}
	if (held.len > TEXT_LINE_MAX + 2) {
		fault(t, 554, "5.6.0", "Line too long");
		return;
	}
	put_body(t, held);
	if (text_has_fault(t))
		return;
	x->header.len = end;
	x->header_at += x->scan.mbox_len;
}

/*
 * More than may be held.  Where a line was no field it may be text without a
 * header, of any size: it goes on as body, and not a byte of it is another.
 */
static bool
is_bearable(struct transaction *t)
{
	struct text *x = &t->text;

	if (x->header.len - x->header_at <= t->edge->set.max_header_size)
		return true;
	if (x->scan.has_odd) {
		header_cut(&x->scan);
		return true;
	}
	fault(t, 552, "5.3.4", "Message header size exceeds limit");
	return false;
}

/* Header bytes from the front of *run. */
static void
put_header(struct transaction *t, struct span *run)
{
	struct text *x = &t->text;
	size_t n = header_feed(&x->scan, *run);

	if (x->header.len == 0 && begin_header(x) != OK) {
		no_memory(t);
		return;
	}
	if (grow_add(&x->header, span_head(*run, n)) != OK) {
		no_memory(t);
		return;
	}
	*run = span_tail(*run, n);
	if (is_bearable(t) && x->scan.done)
		split(t);
}

static void
put_run(struct transaction *t, struct span run)
{
	struct text *x = &t->text;
	char text[64];

	if (text_has_fault(t))
		return;
	x->size += run.len;
	if (x->size > t->edge->set.max_size) {
		snprintf(text, sizeof(text), "Message size exceeds %llu limit",
		    (unsigned long long)t->edge->set.max_size);
		fault(t, 552, "5.3.4", text);
		return;
	}
	if (!x->is_split)
		put_header(t, &run);
	if (x->is_split)
		put_body(t, run);
}

/* The end of data: what there is must be a message now. */
static void
end_text(struct transaction *t)
{
	struct text *x = &t->text;

	x->is_ended = true;
	if (x->eod.longest > TEXT_LINE_MAX)
		fault(t, 554, "5.6.0", "Line too long");
	if (text_has_fault(t) || x->is_split)
		return;
	if (x->header.len == 0 && begin_header(x) != OK) {
		no_memory(t);
		return;
	}
	header_end(&x->scan);
	split(t);
}

/* A field of ours goes on top; the gap has room for all of them. */
static void
put_field(struct text *x, const char *field, size_t len)
{
	x->header_at -= len;
	memcpy(x->header.ptr + x->header_at, field, len);
}

/* What the policies of the queue want and the client has left out. */
static void
add_missing(struct transaction *t, int64_t now_ms)
{
	const struct settings *set = &t->edge->set;
	char field[ADDED_MAX - RECEIVED_TEXT_MAX];
	char date[DATE_TEXT_LEN + 1], id[ID_TEXT_LEN + 1];
	struct text *x = &t->text;
	int len;

	if (set->add_message_id && !(x->scan.has & HEADER_MESSAGE_ID)) {
		id_text(t->id, id);
		len = snprintf(field, sizeof(field),
		    "Message-ID: <%s@%.*s>\r\n", id, DOMAIN_MAX,
		    set->hostname);
		put_field(x, field, (size_t)len);
	}
	if (set->add_date && !(x->scan.has & HEADER_DATE)) {
		date_text(now_ms, date);
		len = snprintf(field, sizeof(field), "Date: %s\r\n", date);
		put_field(x, field, (size_t)len);
	}
}

static enum err
add_trace(struct transaction *t, int64_t now_ms)
{
	const struct session *s = t->session;
	char trace[RECEIVED_TEXT_MAX];
	size_t len = 0;
	enum err e;
	struct received r = {
		.helo = span_of(s->helo),
		.client = span_of(s->client_text),
		.is_local = crowd_is_local(&s->address),
		.uid = crowd_uid(&s->address),
		.by = span_of(t->edge->set.hostname),
		.with = session_with(s, t->has_smtputf8),
		.id = t->id,
		.when_ms = now_ms,
	};
	struct transaction_rcpt rcpt;
	size_t at = 0;

	if (t->rcpt_cnt == 1) {
		transaction_rcpt(t, &at, &rcpt);
		r.for_rcpt = rcpt.address;
	}
	if ((e = received_build(&r, trace, sizeof(trace), &len)) == OK)
		put_field(&t->text, trace, len);
	return e;
}

/* Our fields go on top, the trace above all, as soon as there is an id. */
static bool
make_header(struct transaction *t)
{
	struct text *x = &t->text;
	int64_t now_ms = clock_wall_ms();

	if (x->is_made)
		return true;
	add_missing(t, now_ms);
	if (t->edge->set.add_received && add_trace(t, now_ms) != OK) {
		fault(t, 451, "4.3.0", "Cannot add the trace field");
		return false;
	}
	x->header_len = x->header.len - x->header_at;
	x->is_made = true;
	return true;
}

/* The end of data is here and the body at the queue: header and commit. */
static void
send_header(struct transaction *t)
{
	struct text *x = &t->text;
	struct span rest;

	if (!make_header(t))
		return;
	rest = span_tail(grow_span(&x->header), x->header_at);
	while (rest.len > PIECE_MAX) {
		if (t->credit == 0)
			return;
		to_queue_header(t, span_head(rest, PIECE_MAX));
		x->header_at += PIECE_MAX;
		rest = span_tail(rest, PIECE_MAX);
	}
	to_queue_commit(t, rest);
	grow_free(&x->header);
	grow_free(&x->piece);
}

void
text_begin(struct transaction *t)
{
	struct text *x = &t->text;

	eod_init(&x->eod);
	x->eod.is_lax = session_is_lax(t->session);
	header_init(&x->scan);
	pace_begin(&x->pace, ev_now_ms(t->edge->loop));
	to_queue_open(t);
}

enum text_step
text_take(struct transaction *t, struct span *in)
{
	struct text *x = &t->text;
	enum eod_step step;
	struct span part, run;
	size_t n;

	while (in->len > 0) {
		if ((n = text_room(t)) == 0)
			return TEXT_FULL;
		part = span_head(*in, n);
		n = part.len;
		step = eod_next(&x->eod, &part, &run);
		*in = span_tail(*in, n - part.len);
		if (text_is_smuggled(t))
			fault(t, 550, "5.5.2", TEXT_SMUGGLED);
		if (step == EOD_RUN)
			put_run(t, run);
		if (step == EOD_END) {
			end_text(t);
			return TEXT_END;
		}
	}
	return TEXT_MORE;
}

size_t
text_room(const struct transaction *t)
{
	const struct text *x = &t->text;
	size_t room = PIECE_MAX - x->piece.len + t->credit * PIECE_MAX;
	size_t spare = x->is_split ? SLACK : SLACK + TEXT_LINE_MAX;

	if (text_has_fault(t))
		return EDGE_READ_MAX;
	room = room > spare ? room - spare : 0;
	return x->eod.is_lax ? room / 2 : room;
}

int64_t
text_silent_ms(const struct transaction *t, int64_t now_ms)
{
	return text_room(t) == 0 ? now_ms : t->text.pace.last_ms;
}

static void
send_some(struct transaction *t)
{
	struct text *x = &t->text;

	if (text_has_fault(t) || !t->is_granted || t->is_committed)
		return;
	if ((x->is_ended || x->piece.len == PIECE_MAX) && !send_piece(t))
		return;
	if (x->is_wanted)
		send_header(t);
}

void
text_send(struct transaction *t)
{
	struct text *x = &t->text;

	if (x->is_full)
		pace_skip(&x->pace, ev_now_ms(t->edge->loop));
	send_some(t);
	x->is_full = text_room(t) == 0;
}

void
text_commit(struct transaction *t)
{
	t->text.is_wanted = true;
	text_send(t);
}

void
text_wait(struct transaction *t)
{
	if (!text_has_fault(t) && t->is_granted && !t->is_committed &&
	    t->edge->queue != NULL)
		to_queue_wait(t);
}

void
text_fault(struct transaction *t, unsigned code, const char *dsn,
    struct span text)
{
	struct text *x = &t->text;

	if (text_has_fault(t))
		return;
	x->fault.code = (uint16_t)code;
	snprintf(x->fault.dsn, sizeof(x->fault.dsn), "%s", dsn);
	snprintf(x->fault.text, sizeof(x->fault.text), "%.*s", (int)text.len,
	    text.len > 0 ? text.ptr : "");
	if (t->stream != 0)
		to_queue_abort(t);
	grow_free(&x->header);
	grow_free(&x->piece);
}

bool
text_has_fault(const struct transaction *t)
{
	return t->text.fault.code != 0;
}

bool
text_is_smuggled(const struct transaction *t)
{
	return t->text.eod.bare || t->text.eod.nul;
}
