/*
 * checks_queue.c - the queue's word: does it take mail at all, this recipient,
 * and in the end the message?
 *
 * A queue that speaks nonsense may be confused, or taken over: what it says is
 * judged, and replaced, like the words of any stranger.
 */
#include <string.h>

#include "edge/edge.h"
#include "edge/session.h"
#include "edge/text.h"
#include "edge/to_queue.h"
#include "edge/transaction.h"

#define AWAY	{ 451, "4.3.0", QUEUE_AWAY, false }
#define WORDS_MAX	255	/* bytes of its text that are passed on */

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
	else
		return ANSWER_YES;
	return ANSWER_NO;
}

/* Where it could say no to somebody it is asked about each. */
static enum answer
judge_rcpt(struct session *s, struct reply *no)
{
	if (s->edge->queue == NULL) {
		*no = (struct reply)AWAY;
		return ANSWER_NO;
	}
	if (!s->edge->asks)
		return ANSWER_YES;
	to_queue_ask(s->transaction);
	return ANSWER_LATER;
}

static void
forget_rcpt(struct session *s)
{
	transaction_forget(s->transaction);
}

/* The last check of all: a yes is the client's 250. */
static enum answer
judge_message(struct session *s, struct reply *no)
{
	struct transaction *t = s->transaction;

	text_commit(t);
	if (!text_has_fault(t))
		return ANSWER_LATER;
	*no = t->text.fault;
	return ANSWER_NO;
}

const struct check check_queue_room = {
	.name = "queue", .asks = "", .judge = judge_room,
};
const struct check check_queue_rcpt = {
	.name = "queue", .asks = "queue", .judge = judge_rcpt,
	.cancel = forget_rcpt, .away = AWAY,
};
const struct check check_queue_store = {
	.name = "queue", .asks = "queue", .judge = judge_message,
	.away = AWAY,
};

/* A message that cannot be kept: the client hears it when it has said all. */
static void
go_on(struct session *s)
{
	struct reply no = s->transaction->text.fault;

	if (no.code != 0 && session_waits_for(s, &check_queue_store))
		session_resume(s, &no);
	else
		session_wake(s);
}

void
session_queue_ready(struct session *s)
{
	text_send(s->transaction);
	go_on(s);
}

void
session_queue_taken(struct session *s)
{
	if (session_waits_for(s, &check_queue_store))
		session_resume(s, NULL);
}

/* The queue's words as they may stand in a reply: printable ASCII. */
static struct span
clean_words(struct span text, char *buf, size_t cap)
{
	text = span_head(text, cap);
	for (size_t i = 0; i < text.len; i++)
		buf[i] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ?
		    text.ptr[i] : '?';
	return (struct span){ buf, text.len };
}

/* "4.3.0" and the like, with the class of its code? */
static bool
is_dsn(struct span dsn, unsigned code)
{
	size_t digits = 0, dots = 0;

	if (dsn.len < 5 || dsn.len > 9 ||
	    dsn.ptr[0] != (char)('0' + code / 100))
		return false;
	for (size_t i = 0; i < dsn.len; i++) {
		if (dsn.ptr[i] >= '0' && dsn.ptr[i] <= '9')
			digits++;
		else if (dsn.ptr[i] == '.' && dsn.ptr[i - 1] != '.')
			dots++;
		else
			return false;
	}
	return dots == 2 && dsn.ptr[1] == '.' && dsn.ptr[dsn.len - 1] != '.';
}

/* What the queue says, as a reply of 4yz or 5yz that may be passed on. */
static struct reply
judge(unsigned code, struct span dsn, struct span text)
{
	struct reply f = { .code = (uint16_t)code };
	char words[WORDS_MAX];

	if (code < 400 || code > 599 || !is_dsn(dsn, code) ||
	    !span_cstr(dsn, f.dsn, sizeof(f.dsn)))
		return (struct reply){ 451, "4.3.0",
		    "Error queuing message", false };
	text = clean_words(text, words, WORDS_MAX);
	(void)span_cstr(text, f.text, sizeof(f.text));
	return f;
}

void
session_queue_refused(struct session *s, unsigned code, struct span dsn,
    struct span text)
{
	struct transaction *t = s->transaction;
	struct reply f = judge(code, dsn, text);

	transaction_forget(t);
	text_fault(t, f.code, f.dsn, span_of(f.text));
	go_on(s);
}

void
session_queue_rcpt(struct session *s, unsigned code, struct span dsn,
    struct span text)
{
	struct reply f = judge(code, dsn, text);

	transaction_forget(s->transaction);
	session_resume(s, code == 250 ? NULL : &f);
}

void
session_queue_lost(struct session *s)
{
	if (session_waits_for(s, &check_queue_rcpt)) {
		session_away(s);
		return;
	}
	transaction_forget(s->transaction);
	text_fault(s->transaction, 451, "4.3.0", SPAN(QUEUE_AWAY));
	go_on(s);
}
