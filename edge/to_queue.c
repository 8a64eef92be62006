/*
 * to_queue.c - see the header.  The answers come in through from_queue.c.
 */
#include "base/limits.h"
#include "edge/edge.h"
#include "edge/to_queue.h"
#include "edge/text/transaction.h"

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
	if (t->text.is_8bit)
		flags |= MAIL_8BIT;
	if (t->text.longest > TEXT_LINE_SURE)
		flags |= MAIL_LONG;
	if (origin_is_known(&t->origin))
		flags |= MAIL_LOGIN;
	return flags;
}

void
to_queue_open(struct transaction *t)
{
	const struct origin *o = &t->origin;
	struct link *queue = t->edge->queue;
	char network[CLIENT_ADDRESS_TEXT], tls[TLS_WORDS_MAX];

	(void)link_send_mail_open(queue, &(struct msg_mail_open){
	    .stream = t->stream.no,
	    .flags = flags_of(t),
	    .size_hint = t->size_hint,
	    .sender = envelope_sender(&t->envelope),
	    .client = span_of(o->client),
	    .helo = span_of(o->helo),
	    .proto = origin_with(o, t->has_smtputf8),
	    .tenant = origin_tenant(o, network),
	    .ret = t->ret,
	    .envid = envelope_envid(&t->envelope),
	    .body = (uint8_t)t->body,
	    .params = t->has_smtputf8 ? PARAM_SMTPUTF8 : 0,
	    .local = origin_is_local(o),
	    .judged = t->has_smtputf8 &&
	    t->edge->set.smtputf8 == SMTPUTF8_AUTO,
	    .session = o->session,
	    .tls = origin_tls(o, tls),
	    .each = o->is_lmtp,
	    .once = t->once,
	});
}

void
to_queue_rcpts(struct transaction *t, uint64_t ask)
{
	struct envelope *v = &t->envelope;
	struct envelope_rcpt r;

	while (v->sent_cnt < v->rcpt_cnt) {
		envelope_rcpt(v, &v->sent_at, &r);
		v->sent_cnt++;
		(void)link_send_mail_rcpt(t->edge->queue,
		    &(struct msg_mail_rcpt){ .stream = t->stream.no,
		    .ask = v->sent_cnt == v->rcpt_cnt ? ask : 0,
		    .rcpt = r.address, .notify = r.notify,
		    .orcpt = r.orcpt });
	}
}

void
to_queue_data(struct transaction *t, uint64_t ask)
{
	to_queue_rcpts(t, 0);
	(void)link_send_mail_data(t->edge->queue, &(struct msg_mail_data){
	    .stream = t->stream.no, .ask = ask, .chunks = t->is_chunked });
}

void
to_queue_body(struct stream *st, struct span piece)
{
	to_queue_rcpts(st->transaction, 0);
	st->credit--;
	(void)link_send_mail_body(st->edge->queue, &(struct msg_mail_body){
	    .stream = st->no }, piece);
}

void
to_queue_wait(struct stream *st)
{
	(void)link_send_mail_body(st->edge->queue, &(struct msg_mail_body){
	    .stream = st->no }, SPAN(""));
}

void
to_queue_header(struct stream *st, struct span piece)
{
	to_queue_rcpts(st->transaction, 0);
	st->credit--;
	(void)link_send_mail_header(st->edge->queue, &(struct msg_mail_header){
	    .stream = st->no }, piece);
}

void
to_queue_commit(struct transaction *t, struct span piece)
{
	to_queue_rcpts(t, 0);
	char names[CHECKS_MAX];

	t->stream.is_committed = true;
	(void)link_send_mail_commit(t->edge->queue, &(struct msg_mail_commit){
	    .stream = t->stream.no,
	    .flags = flags_of(t),
	    .header_len = t->header_len,
	    .body_len = t->stream.body_len,
	    .message_id = t->message_id,
	    .checks = stage_names(&t->edge->stages, t->passed,
	    names),
	}, piece);
}

void
to_queue_abort(struct stream *st)
{
	if (st->edge->queue != NULL)
		(void)link_send_mail_abort(st->edge->queue,
		    &(struct msg_mail_abort){ .stream = st->no });
}
