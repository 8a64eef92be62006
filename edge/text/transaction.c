/*
 * transaction.c - its begin and end, and what the queue hears of it before the
 * text.
 */
#include <stddef.h>
#include <stdlib.h>

#include "edge/edge.h"
#include "edge/to_queue.h"
#include "edge/text/transaction.h"

enum err
transaction_begin(struct transaction **out, struct edge *edge,
    const struct origin *origin, struct span sender, struct span envid,
    const struct transaction_calls *calls, void *arg)
{
	struct transaction *t = calloc(1, sizeof(*t));
	enum err e;

	if (t == NULL)
		return ERR_FULL;
	t->edge = edge;
	t->calls = calls;
	t->arg = arg;
	t->stream.edge = edge;
	t->stream.transaction = t;
	text_begin(&t->text, &t->stream, edge->set.max_size,
	    edge->set.max_header_size);
	if ((e = envelope_begin(&t->envelope, sender, envid)) != OK ||
	    (e = origin_copy(&t->origin, origin)) != OK) {
		transaction_end(&t);
		return e;
	}
	*out = t;
	return OK;
}

bool
transaction_fits(const struct transaction *t)
{
	const struct envelope *v = &t->envelope;

	return v->rcpt_cnt <= t->edge->set.max_recipients &&
	    v->rcpt_cnt <= RCPTS_MAX && v->rcpt_bytes <= RCPT_BYTES_MAX;
}

/* A queue that has it already begins anew, and hears of the others again. */
void
transaction_drop_rcpt(struct transaction *t)
{
	if (t->envelope.sent_cnt == t->envelope.rcpt_cnt) {
		stream_abort(&t->stream);
		stream_reset(&t->stream);
	}
	envelope_drop(&t->envelope);
}

void
transaction_announce(struct transaction *t, bool waits)
{
	t->is_opening = waits;
	stream_open(&t->stream);
}

void
transaction_tell_rcpt(struct transaction *t, bool asks)
{
	t->reply = (struct reply){ .code = 250 };
	t->is_about_text = false;
	if (!asks)
		return;
	if (t->stream.no == 0)
		stream_open(&t->stream);
	if (question_ask(&t->edge->words, &t->word, QUESTION_NO_END))
		to_queue_rcpts(t, t->word.no);
}

void
transaction_tell_text(struct transaction *t)
{
	t->reply = (struct reply){ .code = 250 };
	t->is_about_text = true;
	if (t->stream.no == 0)
		stream_open(&t->stream);
	if (question_ask(&t->edge->words, &t->word, QUESTION_NO_END))
		to_queue_data(t, t->word.no);
}

void
transaction_forget_word(struct transaction *t)
{
	question_close(&t->word);
	t->is_opening = false;
}

static struct transaction *
asked_by(struct question *word)
{
	return (struct transaction *)((char *)word -
	    offsetof(struct transaction, word));
}

void
transaction_judged(struct question *word, const struct reply *r)
{
	struct transaction *t = asked_by(word);

	t->reply = *r;
	if (r->code != 250 && !t->is_about_text)
		envelope_untell_last(&t->envelope);
	question_answer(word);
}

void
transaction_on_word(struct question *word, enum err why)
{
	struct transaction *t = asked_by(word);
	struct reply no = t->reply;

	if (why == OK)
		t->calls->on_word(t->arg, no.code == 250 ? NULL : &no);
	else
		t->calls->on_away(t->arg);
}

void
transaction_end(struct transaction **tp)
{
	struct transaction *t = *tp;

	if (t == NULL)
		return;
	*tp = NULL;
	transaction_forget_word(t);
	stream_abort(&t->stream);
	text_fini(&t->text);
	envelope_fini(&t->envelope);
	origin_fini(&t->origin);
	free(t);
}
