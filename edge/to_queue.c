/*
 * to_queue.c - see the header.  The answers come in through from_queue.c.
 */
#include "base/limits.h"
#include "edge/edge.h"
#include "edge/session.h"
#include "edge/to_queue.h"
#include "edge/transaction.h"

/*
 * What a next hop must be able to do, as far as it is known by now.  What the
 * client says of its text (BODY=) counts for nothing: the text itself does.
 */
static uint8_t
flags_of(const struct transaction *t)
{
	uint8_t flags = 0;

	if (t->is_utf8 || (t->has_smtputf8 && t->text.scan.is_8bit))
		flags |= MAIL_SMTPUTF8;
	if (t->text.eod.is_8bit)
		flags |= MAIL_8BIT;
	if (t->text.eod.longest > TEXT_LINE_SURE)
		flags |= MAIL_LONG;
	if (session_is_known(t->session))
		flags |= MAIL_LOGIN;
	return flags;
}

void
to_queue_ask(struct transaction *t)
{
	const struct session *s = t->session;
	struct transaction_rcpt rcpt;
	char network[CROWD_NET_TEXT];
	size_t at = t->last_at;

	transaction_rcpt(t, &at, &rcpt);
	transaction_number_ask(t);
	(void)link_send_rcpt_ask(t->edge->queue, &(struct msg_rcpt_ask){
	    .ask = t->ask, .rcpt = rcpt.address, .notify = rcpt.notify,
	    .local = crowd_is_local(&s->address),
	    .sender = transaction_sender(t),
	    .login = session_is_known(s) ? session_tenant(s, network) :
	    SPAN("") });
}

void
to_queue_open(struct transaction *t)
{
	const struct session *s = t->session;
	struct link *queue = t->edge->queue;
	struct transaction_rcpt r;
	size_t at = 0;
	char network[CROWD_NET_TEXT];

	transaction_number(t);
	(void)link_send_mail_open(queue, &(struct msg_mail_open){
	    .stream = t->stream,
	    .flags = flags_of(t),
	    .size_hint = t->size_hint,
	    .sender = transaction_sender(t),
	    .client = span_of(s->client_text),
	    .helo = span_of(s->helo),
	    .proto = session_with(s, t->has_smtputf8),
	    .tenant = session_tenant(s, network),
	    .ret = t->ret,
	    .envid = transaction_envid(t),
	});
	for (unsigned i = 0; i < t->rcpt_cnt; i++) {
		transaction_rcpt(t, &at, &r);
		(void)link_send_mail_rcpt(queue, &(struct msg_mail_rcpt){
		    .stream = t->stream, .rcpt = r.address,
		    .notify = r.notify, .orcpt = r.orcpt });
	}
}

void
to_queue_body(struct transaction *t, struct span piece)
{
	t->credit--;
	(void)link_send_mail_body(t->edge->queue, &(struct msg_mail_body){
	    .stream = t->stream }, piece);
}

void
to_queue_wait(struct transaction *t)
{
	(void)link_send_mail_body(t->edge->queue, &(struct msg_mail_body){
	    .stream = t->stream }, SPAN(""));
}

void
to_queue_header(struct transaction *t, struct span piece)
{
	t->credit--;
	(void)link_send_mail_header(t->edge->queue, &(struct msg_mail_header){
	    .stream = t->stream }, piece);
}

void
to_queue_commit(struct transaction *t, struct span piece)
{
	t->is_committed = true;
	(void)link_send_mail_commit(t->edge->queue, &(struct msg_mail_commit){
	    .stream = t->stream,
	    .flags = flags_of(t),
	    .header_len = t->text.header_len,
	    .body_len = t->text.body_len,
	}, piece);
}

void
to_queue_abort(struct transaction *t)
{
	if (t->edge->queue != NULL)
		(void)link_send_mail_abort(t->edge->queue,
		    &(struct msg_mail_abort){ .stream = t->stream });
	transaction_forget(t);
}
