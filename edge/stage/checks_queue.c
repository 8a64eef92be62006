/*
 * checks_queue.c - the queue's word: does it take mail at all, this recipient,
 * and in the end the message?  Its answers come by the transaction's calls.
 */
#include "edge/edge.h"
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

#define AWAY	{ 451, "4.3.0", QUEUE_AWAY, false }

static enum answer
judge_room(struct session *s, struct reply *no)
{
	if (s->edge->queue == NULL)
		*no = (struct reply)AWAY;
	else if (s->edge->full == QUEUE_FULL)
		*no = (struct reply){ 452, "4.3.1",
		    "Insufficient system storage", false };
	else if (s->edge->full == QUEUE_SHUT)
		*no = (struct reply){ 451, "4.3.0",
		    "Mail cannot be stored now, try again later", false };
	else {
		transaction_announce(s->transaction, s->edge->waits);
		return s->edge->waits ? ANSWER_LATER : ANSWER_YES;
	}
	return ANSWER_NO;
}

/* Could it say no to this one? */
static bool
asks(const struct session *s)
{
	return s->edge->asks || (!s->edge->binary &&
	    s->transaction->body == BODY_BINARYMIME) ||
	    (s->transaction->has_smtputf8 &&
	    s->edge->utf8 != QUEUE_UTF8 &&
	    s->edge->set.smtputf8 == SMTPUTF8_AUTO);
}

/* It hears of each, and where it could say no to somebody it is asked. */
static enum answer
judge_rcpt(struct session *s, struct reply *no)
{
	if (s->edge->queue == NULL) {
		*no = (struct reply)AWAY;
		return ANSWER_NO;
	}
	transaction_tell_rcpt(s->transaction, asks(s));
	return asks(s) ? ANSWER_LATER : ANSWER_YES;
}

/* A proxy asks the next hop, which may have lost its mind since RCPT. */
static enum answer
judge_data(struct session *s, struct reply *no)
{
	if (!s->edge->passes)
		return ANSWER_YES;
	if (s->edge->queue == NULL) {
		*no = (struct reply)AWAY;
		return ANSWER_NO;
	}
	transaction_tell_text(s->transaction);
	return ANSWER_LATER;
}

static void
forget_word(struct session *s)
{
	transaction_forget_word(s->transaction);
}

/* The last check of all: a yes is the client's 250. */
static enum answer
judge_message(struct session *s, struct reply *no)
{
	const struct reply *fault = transaction_commit(s->transaction);

	if (fault == NULL)
		return ANSWER_LATER;
	*no = *fault;
	return ANSWER_NO;
}

const struct check check_queue_room = {
	.name = "queue", .asks = "queue", .judge = judge_room,
	.cancel = forget_word, .away = AWAY,
};
const struct check check_queue_rcpt = {
	.name = "queue", .asks = "queue", .judge = judge_rcpt,
	.cancel = forget_word, .away = AWAY,
};
const struct check check_queue_text = {
	.name = "queue", .asks = "queue", .judge = judge_data,
	.cancel = forget_word, .away = AWAY,
};
const struct check check_queue_store = {
	.name = "queue", .asks = "queue", .judge = judge_message,
	.away = AWAY,
};

static void
on_word(void *arg, const struct reply *no)
{
	session_resume(arg, no);
}

static void
on_room(void *arg)
{
	session_wake(arg);
}

static void
on_result(void *arg, const struct reply *r)
{
	cmd_say_result(arg, r);
}

static void
on_end(void *arg, const struct reply *no)
{
	session_resume(arg, no);
}

static void
on_away(void *arg)
{
	session_away(arg);
}

const struct transaction_calls session_transaction_calls = {
	on_word, on_room, on_result, on_end, on_away,
};
