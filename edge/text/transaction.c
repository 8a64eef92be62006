/*
 * transaction.c - addresses lie in one run, each followed by a NUL, a byte of
 * NOTIFY, and ENVID or ORCPT with its NUL: nothing that we take holds one.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "edge/edge.h"
#include "edge/to_queue.h"
#include "edge/text/transaction.h"

#define EXTRA	3	/* bytes beside address and parameter */

static enum err
add_address(struct transaction *t, const struct transaction_rcpt *r)
{
	const struct span parts[] = {
		r->address, { "", 1 }, { (const char *)&r->notify, 1 },
		r->orcpt, { "", 1 },
	};
	enum err e = grow_reserve(&t->addresses, r->address.len +
	    r->orcpt.len + EXTRA);

	t->last_at = t->addresses.len;
	for (size_t i = 0; e == OK && i < sizeof(parts) / sizeof(parts[0]);
	    i++)
		e = grow_add(&t->addresses, parts[i]);
	return e;
}

/* The address at *at, which is moved behind all that goes with it. */
static void
address_at(const struct transaction *t, size_t *at,
    struct transaction_rcpt *out)
{
	const char *p = t->addresses.ptr + *at;

	out->address = span_of(p);
	p += out->address.len + 1;
	out->notify = (uint8_t)*p++;
	out->orcpt = span_of(p);
	*at += out->address.len + out->orcpt.len + EXTRA;
}

enum err
transaction_begin(struct transaction **out, struct edge *edge,
    const struct origin *origin, struct span sender, struct span envid,
    const struct transaction_calls *calls, void *arg)
{
	const struct transaction_rcpt first = { sender, 0, envid };
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
	if ((e = add_address(t, &first)) != OK ||
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
	return t->rcpt_cnt <= t->edge->set.max_recipients &&
	    t->rcpt_cnt <= RCPTS_MAX && t->rcpt_bytes <= RCPT_BYTES_MAX;
}

enum err
transaction_add_rcpt(struct transaction *t, const struct transaction_rcpt *rcpt)
{
	enum err e = add_address(t, rcpt);

	if (e != OK)
		return e;
	t->rcpt_cnt++;
	t->rcpt_bytes += rcpt->address.len + rcpt->orcpt.len;
	return OK;
}

/* A queue that has it already begins anew, and hears of the others again. */
void
transaction_drop_rcpt(struct transaction *t)
{
	struct transaction_rcpt last;
	size_t at = t->last_at;

	if (t->told_cnt == t->rcpt_cnt) {
		stream_abort(&t->stream);
		stream_reset(&t->stream);
		transaction_untell(t);
	}
	address_at(t, &at, &last);
	t->rcpt_bytes -= last.address.len + last.orcpt.len;
	t->addresses.len = t->last_at;
	t->rcpt_cnt--;
}

struct span
transaction_sender(const struct transaction *t)
{
	return span_of(t->addresses.ptr);
}

struct span
transaction_envid(const struct transaction *t)
{
	struct transaction_rcpt first;
	size_t at = 0;

	address_at(t, &at, &first);
	return first.orcpt;
}

void
transaction_rcpt(const struct transaction *t, size_t *at,
    struct transaction_rcpt *out)
{
	if (*at == 0)		/* the sender stands there */
		address_at(t, at, out);
	address_at(t, at, out);
}

struct span
transaction_last_rcpt(const struct transaction *t)
{
	return span_of(t->addresses.ptr + t->last_at);
}

void
transaction_announce(struct transaction *t, bool waits)
{
	t->is_opening = waits;
	to_queue_open(t);
}

void
transaction_tell_rcpt(struct transaction *t, bool asks)
{
	if (!asks)
		return;
	if (t->stream.no == 0)
		to_queue_open(t);
	if (question_ask(&t->edge->words, &t->word, QUESTION_NO_END))
		to_queue_rcpts(t, t->word.no);
}

void
transaction_untell(struct transaction *t)
{
	t->told_cnt = 0;
	t->told_at = 0;
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
transaction_judged(struct question *word, const struct reply *no)
{
	struct transaction *t = asked_by(word);

	t->said = no == NULL ? (struct reply){ 0 } : *no;
	if (no != NULL && t->told_cnt > 0) {
		t->told_cnt--;
		t->told_at = t->last_at;
	}
	question_answer(word);
}

void
transaction_told(struct question *word, enum err why)
{
	struct transaction *t = asked_by(word);
	struct reply no = t->said;

	if (why == OK)
		t->calls->on_word(t->arg, no.code == 0 ? NULL : &no);
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
	grow_free(&t->addresses);
	origin_fini(&t->origin);
	free(t);
}
