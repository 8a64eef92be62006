/*
 * session_queue.c - what the queue said, as the client hears it.  A queue that
 * speaks nonsense may be confused, or taken over: what it says is judged, and
 * replaced, like the words of any stranger.
 */
#include <string.h>

#include "edge/cmd.h"
#include "edge/edge.h"
#include "edge/session.h"
#include "edge/text.h"
#include "edge/transaction.h"
#include "sys/counters.h"

/* The end of data is answered: the transaction is over. */
static void
close_transaction(struct session *s)
{
	transaction_end(&s->transaction);
	s->since_ms = ev_now_ms(s->edge->loop);
	if (s->state == ST_CLOSED)
		return;
	s->state = ST_READY;
	if (s->edge->is_draining)
		session_drain(s);
}

void
session_say_fault(struct session *s)
{
	struct transaction *t = s->transaction;
	const struct fault *f = &t->text.fault;

	if (s->state != ST_WAIT || !text_has_fault(t))
		return;
	s->verb = "DATA";
	if (!text_is_smuggled(t)) {
		session_refuse(s, f->code, f->dsn, "%s", f->text);
		close_transaction(s);
		return;
	}
	session_refuse(s, 550, "5.5.2", TEXT_SMUGGLED);
	transaction_end(&s->transaction);
	s->state = ST_CLOSED;
	s->is_hasty = true;
}

void
session_queue_ready(struct session *s)
{
	text_send(s->transaction);
	session_say_fault(s);
	session_wake(s);
}

void
session_queue_taken(struct session *s)
{
	char id[ID_TEXT_LEN + 1];

	id_text(s->transaction->id, id);
	session_reply(s, 250, "2.6.0", "Message queued as %s", id);
	s->taken_cnt++;
	counter_add(COUNTER_taken, 1);
	s->junk_cnt = 0;
	close_transaction(s);
	session_wake(s);
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

/* What the queue says as a fault that may be told, with code 4yz or 5yz. */
static struct fault
judge(unsigned code, struct span dsn, struct span text)
{
	struct fault f = { .code = (uint16_t)code };
	char words[FAULT_TEXT_MAX - 1];

	if (code < 400 || code > 599 || !is_dsn(dsn, code) ||
	    !span_cstr(dsn, f.dsn, sizeof(f.dsn)))
		return (struct fault){ 451, "4.3.0", "Error queuing message" };
	text = clean_words(text, words, sizeof(words));
	(void)span_cstr(text, f.text, sizeof(f.text));
	return f;
}

void
session_queue_refused(struct session *s, unsigned code, struct span dsn,
    struct span text)
{
	struct transaction *t = s->transaction;
	struct fault f = judge(code, dsn, text);

	transaction_forget(t);
	text_fault(t, f.code, f.dsn, span_of(f.text));
	session_say_fault(s);
	session_wake(s);
}

void
session_queue_rcpt(struct session *s, unsigned code, struct span dsn,
    struct span text)
{
	struct fault f = judge(code, dsn, text);

	transaction_forget(s->transaction);
	s->since_ms = ev_now_ms(s->edge->loop);
	s->verb = "RCPT";
	cmd_rcpt_judged(s, code == 250 ? NULL : &f);
	session_wake(s);
}

void
session_queue_lost(struct session *s)
{
	static const char why[] = "Queue not available, try again later";

	if (s->state == ST_ASK) {
		session_queue_rcpt(s, 451, SPAN("4.3.0"), SPAN(why));
		return;
	}
	transaction_forget(s->transaction);
	text_fault(s->transaction, 451, "4.3.0", SPAN(why));
	session_say_fault(s);
	session_wake(s);
}
