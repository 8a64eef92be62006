/*
 * transaction_text.c - the text on its way through framing and limits into the
 * stream, and what the queue says of it.
 *
 * Each call to whoever began the transaction is the last act: it may have ended
 * it.
 */
#include "edge/edge.h"
#include "edge/to_queue.h"
#include "edge/text/trace.h"
#include "edge/text/transaction.h"
#include "mail/message_id.h"

static void
begin(struct transaction *t)
{
	pace_begin(&t->pace, ev_now_ms(t->edge->loop));
	t->has_text = true;
	t->stream.is_held = t->edge->passes;
	if (t->stream.no == 0)
		stream_open(&t->stream);
}

void
transaction_open(struct transaction *t, bool is_lax)
{
	framing_begin(&t->framing, &t->text, is_lax);
	begin(t);
}

void
transaction_open_chunks(struct transaction *t, bool is_lax,
    const struct reply *no)
{
	framing_begin_chunks(&t->framing, &t->text, is_lax,
	    t->body == BODY_BINARYMIME);
	if (no == NULL) {
		begin(t);
		return;
	}
	pace_begin(&t->pace, ev_now_ms(t->edge->loop));
	t->has_text = true;
	stream_abort(&t->stream);
	text_fault(&t->text, no);
}

/* The time since the chunk before was the client's. */
void
transaction_chunk(struct transaction *t, uint64_t len, bool is_last)
{
	(void)pace_took(&t->pace, 0, t->edge->set.min_rate,
	    ev_now_ms(t->edge->loop));
	framing_chunk(&t->framing, len, is_last);
}

/* What is no header section for sure is left as it is. */
static bool
map_senders(struct transaction *t)
{
	static const struct reply no = { 552, "5.3.4",
	    "Message header size exceeds limit", false };
	const struct sender_map *m = &t->edge->set.senders;
	struct grow other = { NULL, 0, 0 };
	enum err e;

	if (t->text.scan.has_odd || (!sender_map_wants(m, &t->origin) &&
	    !origin_is_known(&t->origin)))
		return true;
	if ((e = grow_reserve(&other, TEXT_FIELDS_MAX +
	    text_header(&t->text).len)) == OK) {
		other.len = TEXT_FIELDS_MAX;
		e = sender_map_header(m, &t->origin, text_header(&t->text),
		    &other, 2 * t->edge->set.max_header_size);
	}
	if (e == OK)
		text_set_header(&t->text, &other);
	grow_free(&other);
	if (e != OK && e != ERR_NONE)
		text_fault(&t->text, &no);
	return e == OK || e == ERR_NONE;
}

/* Our fields go on top, the trace above all, as soon as there is an id. */
static bool
make_header(struct transaction *t)
{
	static const struct reply no = { 451, "4.3.0",
	    "Cannot add the trace field", false };

	if (t->is_traced)
		return true;
	if (!map_senders(t))
		return false;
	if (trace_add(t) != OK) {
		text_fault(&t->text, &no);
		return false;
	}
	t->header_len = text_header(&t->text).len;
	t->message_id = message_id_find(text_header(&t->text));
	t->is_traced = true;
	return true;
}

/* To who keeps nothing the header section goes first, as far as credit goes. */
static void
pass_header(struct transaction *t)
{
	struct span rest, piece;

	if (t->is_header_sent || !t->text.is_split || !make_header(t))
		return;
	rest = text_header(&t->text);
	while (rest.len > 0 && t->stream.credit > 0) {
		piece = span_head(rest, PIECE_MAX);
		to_queue_header(&t->stream, piece);
		rest = span_tail(rest, piece.len);
	}
	t->text.header_at = t->text.header.len - rest.len;
	if (rest.len > 0)
		return;
	t->is_header_sent = true;
	t->stream.is_held = false;
	t->message_id = SPAN("");
	grow_free(&t->text.header);
}

/* The body is at the queue: the header section, and with its end the commit. */
static void
send_header(struct transaction *t)
{
	struct span rest;
	bool is_last;

	if (t->edge->passes) {
		if (!t->is_header_sent)
			return;
		to_queue_commit(t, SPAN(""));
		stream_drop(&t->stream);
		return;
	}
	if (!make_header(t))
		return;
	rest = text_header(&t->text);
	is_last = stream_send_header(&t->stream, &rest);
	t->text.header_at = t->text.header.len - rest.len;
	if (!is_last)
		return;
	to_queue_commit(t, rest);
	grow_free(&t->text.header);
	stream_drop(&t->stream);
}

static void
send_some(struct transaction *t)
{
	struct stream *st = &t->stream;

	if (text_has_fault(&t->text) || !st->is_granted || st->is_committed)
		return;
	if (t->edge->passes)
		pass_header(t);
	if (stream_send(st, t->text.is_ended) && t->is_wanted)
		send_header(t);
}

/* Send what credit allows, and keep account of who waits for whom. */
static void
send(struct transaction *t)
{
	if (t->is_full)
		pace_skip(&t->pace, ev_now_ms(t->edge->loop));
	send_some(t);
	t->is_full = transaction_room(t) == 0;
}

bool
transaction_take(struct transaction *t, struct span *in,
    enum framing_step *step)
{
	size_t len = in->len;

	*step = framing_take(&t->framing, in);
	if (*step == FRAMING_END)
		return true;
	if (!pace_took(&t->pace, len - in->len, t->edge->set.min_rate,
	    ev_now_ms(t->edge->loop)))
		return false;
	send(t);
	return true;
}

size_t
transaction_room(const struct transaction *t)
{
	return framing_room(&t->framing);
}

int64_t
transaction_silent_ms(const struct transaction *t, int64_t now_ms)
{
	return transaction_room(t) == 0 ? now_ms : t->pace.last_ms;
}

void
transaction_wait(struct transaction *t)
{
	const struct stream *st = &t->stream;

	if (st->no != 0 && st->is_granted && !st->is_committed &&
	    t->edge->queue != NULL)
		to_queue_wait(&t->stream);
}

const struct reply *
transaction_fault(const struct transaction *t)
{
	return text_has_fault(&t->text) ? &t->text.fault : NULL;
}

const struct reply *
transaction_commit(struct transaction *t)
{
	const struct reply *no;

	t->is_wanted = true;
	send(t);
	if ((no = transaction_fault(t)) != NULL)
		t->is_wanted = false;
	return no;
}

/* Who waits for its end hears that it has a fault, others at the end. */
static void
tell(struct transaction *t)
{
	struct reply no = t->text.fault;

	if (no.code == 0 || !t->is_wanted) {
		t->calls->on_room(t->arg);
		return;
	}
	t->is_wanted = false;
	t->calls->on_end(t->arg, &no);
}

enum err
transaction_granted(struct transaction *t, struct id id)
{
	if (t->stream.is_granted)
		return ERR_PEER;
	t->stream.is_granted = true;
	t->stream.id = id;
	t->stream.credit = STREAM_CREDIT;
	if (t->has_text) {
		send(t);
		tell(t);
	} else if (t->is_opening) {
		t->is_opening = false;
		t->calls->on_word(t->arg, NULL);
	}
	return OK;
}

enum err
transaction_credited(struct transaction *t, unsigned pieces)
{
	if (!t->stream.is_granted || pieces > STREAM_CREDIT - t->stream.credit)
		return ERR_PEER;
	t->stream.credit += pieces;
	send(t);
	tell(t);
	return OK;
}

enum err
transaction_result(struct transaction *t, const struct reply *r)
{
	if (!t->stream.is_committed || !t->edge->passes ||
	    t->result_cnt == t->envelope.rcpt_cnt)
		return ERR_PEER;
	t->result_cnt++;
	t->calls->on_result(t->arg, r);
	return OK;
}

enum err
transaction_taken(struct transaction *t, const struct reply *yes)
{
	if (!t->stream.is_committed)
		return ERR_PEER;
	t->reply = *yes;
	stream_forget(&t->stream);
	t->is_wanted = false;
	t->calls->on_end(t->arg, NULL);
	return OK;
}

void
transaction_refused(struct transaction *t, const struct reply *no)
{
	if (t->has_text) {
		stream_forget(&t->stream);
		text_fault(&t->text, no);
		tell(t);
		return;
	}
	stream_reset(&t->stream);
	if (t->word.table != NULL)
		transaction_judged(&t->word, no);
	envelope_untell(&t->envelope);
	if (!t->is_opening)
		return;
	t->is_opening = false;
	t->calls->on_word(t->arg, no);
}

void
transaction_lost(struct transaction *t)
{
	static const struct reply no = { 451, "4.3.0", QUEUE_AWAY, false };
	bool is_awaited = t->is_opening || t->is_wanted;

	if (t->has_text) {
		stream_forget(&t->stream);
		text_fault(&t->text, &no);
	} else {
		stream_reset(&t->stream);
		envelope_untell(&t->envelope);
	}
	t->is_opening = t->is_wanted = false;
	if (is_awaited)
		t->calls->on_away(t->arg);
	else if (t->has_text)
		t->calls->on_room(t->arg);
}
