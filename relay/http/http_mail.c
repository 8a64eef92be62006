/*
 * http_mail.c - runs point into the pieces, which stay until they are written.
 *
 * A refusal for good of a request with several recipients says nothing of each:
 * one may be unknown, and the others not.  So each of them gets a request of
 * his own, unless the first of these shows that it is the message which is
 * refused: with the same code, and not in words about an address.
 */
#include <stdlib.h>
#include <string.h>

#include "mail/address_say.h"
#include "mail/base64.h"
#include "relay/hop/hop_address.h"
#include "relay/http/http_end.h"
#include "relay/http/http_judge.h"
#include "relay/http/http_mail.h"

#define HEAD_MIN	1024	/* bytes of a head without addresses	*/

/* Bytes of a field with an address. */
static size_t
field_max(struct span address)
{
	return HTTP_TARGET_NAME_MAX + BASE64_LEN(address.len) + 4;
}

/* The clock. */

static int64_t
patience_ms(const struct http_client *c)
{
	switch (c->at) {
	case HTTP_AT_SECURING:
	case HTTP_AT_WAITING:
	case HTTP_AT_SENDING:
	case HTTP_AT_REST:
		return c->target->step_ms;
	case HTTP_AT_ASKING:
		return HTTP_CLIENT_ASK_MS;
	case HTTP_AT_ANSWER:
		return c->target->done_ms;
	default:
		return 0;
	}
}

void
http_mail_wait(struct http_client *c)
{
	int64_t ms = patience_ms(c);

	if (ms > 0)
		timer_set(&c->timer, ms);
	else
		timer_stop(&c->timer);
}

static void
enter(struct http_client *c, enum http_at at)
{
	c->at = at;
	http_mail_wait(c);
}

/* Who is next. */

static const struct outcome *
outcome_of(struct http_client *c, const struct verdict *v)
{
	struct verdict w = *v;

	w.tls = span_of(c->tls_words);
	return delivery_outcome(c->delivery, &w, c->hop);
}

/* No name and no address of a field: check again at the last place. */
static bool
is_refused(struct http_client *c, uint32_t i)
{
	struct verdict v = verdict_own(OWN_recipient_no_address, STAGE_RCPT);
	struct delivery *d = c->delivery;

	if (hop_address_is_sound(d->rcpts[i].address))
		return false;
	delivery_decide(d, i, delivery_outcome(d, &v, SPAN("")));
	return true;
}

static void
fill_batch(struct http_client *c)
{
	const struct delivery *d = c->delivery;
	unsigned most = d->alone_left > 0 ? 1 : HTTP_CLIENT_RCPTS;

	c->batch_cnt = 0;
	for (uint32_t i = 0; i < d->rcpt_cnt && c->batch_cnt < most; i++)
		if (d->rcpts[i].outcome == NULL && !is_refused(c, i))
			c->batch[c->batch_cnt++] = i;
}

static void
finish(struct http_client *c)
{
	struct delivery *d = c->delivery;

	c->delivery = NULL;
	delivery_finish(d);
}

void
http_mail_end(struct http_client *c, const struct verdict *v)
{
	struct delivery *d = c->delivery;

	c->delivery = NULL;
	enter(c, HTTP_AT_IDLE);
	delivery_end(d, v, c->hop);
}

void
http_mail_send(struct http_client *c)
{
	c->heard = c->in_head = c->has_asked = false;
	c->interim_cnt = c->reply_cnt = 0;
	c->text_ended = false;
	c->scanned = 0;
	c->iov_cnt = c->iov_pos = 0;
	enter(c, HTTP_AT_WAITING);
}

void
http_mail_begin(struct http_client *c)
{
	struct delivery *d = c->delivery;
	struct verdict v;

	if (d->sender.len > 0 && !hop_address_is_sound(d->sender)) {
		v = verdict_own(OWN_sender_no_address, STAGE_MAIL);
		http_mail_end(c, &v);
	} else if (d->body == BODY_BINARYMIME) {
		v = verdict_own(OWN_needs_binarymime, STAGE_MAIL);
		http_mail_end(c, &v);
	} else {
		fill_batch(c);
		if (c->batch_cnt > 0) {
			http_mail_send(c);
			return;
		}
		finish(c);
		enter(c, HTTP_AT_IDLE);
	}
}

/* The head. */

static void
put_address(const struct http_client *c, struct http_out *o, const char *name,
    struct span address)
{
	char said[ADDRESS_KEY_MAX], coded[BASE64_LEN(ADDRESS_KEY_MAX)];
	struct span s = address_say(address, true, said);
	size_t len = 0;

	if (!c->target->is_coded) {
		http_out_field(o, name, s);
	} else if (s.len == 0 || base64_encode(s, coded, sizeof(coded),
	    &len)) {
		http_out_field(o, name, (struct span){ coded, len });
	} else {
		o->bad = true;
	}
}

static size_t
head_max(const struct http_client *c)
{
	const struct http_target *t = c->target;
	const struct delivery *d = c->delivery;
	size_t most = HEAD_MIN + t->method.len + t->path.len + t->host.len +
	    t->authorization.len + t->ehlo_as.len + field_max(d->sender);

	for (unsigned i = 0; i < c->batch_cnt; i++)
		most += field_max(d->rcpts[c->batch[i]].address);
	return most;
}

static bool
make_room(struct http_client *c)
{
	size_t most = head_max(c);
	char *grown;

	if (most <= c->out_cap)
		return true;
	if (c->out != NULL)
		explicit_bzero(c->out, c->out_cap);
	free(c->out);
	c->out_cap = 0;
	if ((c->out = grown = malloc(most)) == NULL)
		return false;
	c->out_cap = most;
	return true;
}

static void
write_head(struct http_client *c, struct http_out *o)
{
	const struct http_target *t = c->target;
	const struct delivery *d = c->delivery;

	http_out_init(o, c->out, c->out_cap);
	http_out_request(o, t->method, t->path);
	http_out_field(o, "Host", t->host);
	if (t->authorization.len > 0)
		http_out_field(o, "Authorization", t->authorization);
	if (c->is_chunked)
		http_out_chunked(o);
	else
		http_out_length(o, delivery_size(d));
	if (c->has_asked)
		http_out_field(o, "Expect", SPAN("100-continue"));
	http_out_field(o, "Content-Type", SPAN("message/rfc822"));
	http_out_field(o, t->ehlo_name, t->ehlo_as);
	put_address(c, o, t->sender_name, d->sender);
	for (unsigned i = 0; i < c->batch_cnt; i++)
		put_address(c, o, t->rcpt_name,
		    d->rcpts[c->batch[i]].address);
	if (!t->keeps)
		http_out_field(o, "Connection", SPAN("close"));
	http_out_end(o);
}

static void
say_head(struct http_client *c)
{
	struct http_out o;

	if (!make_room(c)) {
		http_end_ours(c, OWN_no_memory);
		return;
	}
	write_head(c, &o);
	if (o.bad) {
		http_end_ours(c, OWN_not_sayable);
		return;
	}
	http_end_mark(c);
	c->iov[0] = (struct iovec){ o.buf, o.len };
	c->iov_cnt = 1;
	enter(c, c->has_asked ? HTTP_AT_ASKING : HTTP_AT_SENDING);
}

/*
 * The first piece of a text whose length is known; of another, and of a small
 * one, all that can be had: it may end there.
 */
static enum err
look(const struct http_client *c, bool *is_all)
{
	const struct delivery *d = c->delivery;
	struct span unused;
	enum err e;

	*is_all = false;
	for (unsigned i = 0; i < STREAM_CREDIT; i++) {
		e = delivery_text(d, i, &unused);
		if (e == ERR_NONE) {
			*is_all = true;
			return OK;
		}
		if (e == ERR_AGAIN && i > 0 && d->is_measured &&
		    d->piece_cnt > STREAM_CREDIT)
			return OK;
		if (e != OK)
			return e;
	}
	*is_all = d->is_measured && d->piece_cnt <= STREAM_CREDIT;
	return OK;
}

void
http_mail_go_on(struct http_client *c)
{
	const struct delivery *d = c->delivery;
	struct verdict v;
	bool is_all;
	enum err e = look(c, &is_all);

	if (e == ERR_AGAIN)
		return;
	if (e != OK) {
		v = verdict_own(OWN_no_text, STAGE_BODY);
		http_mail_end(c, &v);
		return;
	}
	c->is_chunked = !d->is_measured;
	if (c->is_chunked && !c->target->may_chunk) {
		v = verdict_own(OWN_length_unknown, STAGE_BODY);
		http_mail_end(c, &v);
		return;
	}
	c->has_asked = !is_all && !c->target->learnt->is_deaf;
	say_head(c);
}

void
http_mail_go_ahead(struct http_client *c)
{
	enter(c, HTTP_AT_SENDING);
}

void
http_mail_sent(struct http_client *c)
{
	enter(c, HTTP_AT_ANSWER);
}

/* The text. */

static void
add_run(struct http_client *c, struct span run)
{
	c->iov[c->iov_cnt++] = (struct iovec){
		(void *)(uintptr_t)run.ptr, run.len
	};
}

static void
add_piece(struct http_client *c, struct span piece)
{
	char *chunk = c->chunk[c->iov_cnt];

	if (piece.len == 0)
		return;
	if (c->is_chunked)
		add_run(c, (struct span){ chunk,
		    http_out_chunk(chunk, piece.len) });
	add_run(c, piece);
	if (c->is_chunked)
		add_run(c, HTTP_OUT_CHUNK_END);
}

/* What was written may go. */
static void
let_go(struct http_client *c)
{
	if (c->iov_pos < c->iov_cnt)
		return;
	c->iov_cnt = c->iov_pos = 0;
	if (c->scanned > 0)
		delivery_drop(c->delivery, c->scanned);
	c->scanned = 0;
}

enum err
http_mail_fill(struct http_client *c)
{
	struct span piece;
	enum err e = OK;

	let_go(c);
	if (c->text_ended)
		return c->iov_cnt > 0 ? OK : ERR_NONE;
	while (c->iov_cnt + 4 <= HTTP_CLIENT_IOV && (e = delivery_text(
	    c->delivery, c->scanned, &piece)) == OK) {
		add_piece(c, piece);
		c->scanned++;
	}
	if (e == ERR_NONE) {
		if (c->is_chunked)
			add_run(c, HTTP_OUT_LAST);
		c->text_ended = true;
	}
	if (c->iov_cnt > 0)
		return OK;
	return e;
}

/* Heard. */

static void
decide_batch(struct http_client *c, const struct verdict *v)
{
	const struct outcome *o = outcome_of(c, v);

	for (unsigned i = 0; i < c->batch_cnt; i++)
		delivery_decide(c->delivery, c->batch[i], o);
}

static void
decide_all(struct http_client *c, const struct verdict *v)
{
	struct delivery *d = c->delivery;
	const struct outcome *o = outcome_of(c, v);

	for (uint32_t i = 0; i < d->rcpt_cnt; i++)
		delivery_decide(d, i, o);
}

/* Does it speak of an address, RFC 3463 3.2 and 3.3? */
static bool
is_of_address(const struct verdict *v)
{
	return v->stage == STAGE_RCPT || span_begins(v->text, SPAN("5.1.")) ||
	    span_begins(v->text, SPAN("5.2."));
}

static void
decide(struct http_client *c, const struct verdict *v)
{
	struct delivery *d = c->delivery;
	bool is_second = d->alone_code == v->code && d->alone_left > 0;

	if (v->class == CLASS_NEVER && c->batch_cnt > 1 &&
	    delivery_can_go_on(d)) {
		d->alone_left = c->batch_cnt;
		d->alone_code = v->code;
		return;
	}
	if (d->alone_left > 0)
		d->alone_left--;
	d->alone_code = 0;
	if (v->class == CLASS_NEVER && is_second && !is_of_address(v))
		decide_all(c, v);
	else
		decide_batch(c, v);
}

static bool
holds(struct span text, struct span what)
{
	return what.len > 0 && text.len >= what.len &&
	    memmem(text.ptr, text.len, what.ptr, what.len) != NULL;
}

/* What a next hop says may hold what we have told it. */
static bool
tells_secret(const struct http_client *c, struct span text)
{
	const struct http_target *t = c->target;

	return holds(text, t->login.password) ||
	    holds(text, span_tail(t->authorization, 6));
}

static struct verdict
judge(struct http_client *c)
{
	struct http_answer a = { .status = c->head.status,
	    .reason = verdict_span(&c->reason) };
	struct verdict v;

	if (c->has_reply && c->reply_cnt == 1)
		a.reply = &c->reply;
	v = http_judge(&a, &c->words);
	if (tells_secret(c, v.text)) {
		v.text = SPAN("4.7.8 Words that held the password");
		v.flags |= RESULT_OWN;
	}
	return v;
}

/* The head alone was said, and only what it asks for is not wanted. */
static bool
is_deaf(const struct http_client *c)
{
	return c->head.status == 417 && c->has_asked &&
	    !c->target->learnt->is_deaf && c->at == HTTP_AT_ASKING;
}

/* Those who are left wait for the next request. */
static void
take_verdict(struct http_client *c, const struct verdict *v)
{
	struct verdict lost = verdict_own(OWN_no_text, STAGE_BODY);
	struct delivery *d = c->delivery;
	struct verdict w = *v;

	if (d->is_passing) {
		w.tls = span_of(c->tls_words);
		c->delivery = NULL;
		delivery_end(d, &w, c->hop);
		return;
	}
	decide(c, v);
	if (d->undecided > 0 && delivery_can_go_on(d)) {
		delivery_rewind(d);
		return;
	}
	if (d->undecided > 0)
		decide_all(c, &lost);
	finish(c);
}

void
http_mail_hear(struct http_client *c)
{
	struct verdict v = judge(c);
	bool is_early = c->at != HTTP_AT_ANSWER;

	if (is_deaf(c)) {
		c->target->learnt->is_deaf = true;
		http_end_close(c);
		return;
	}
	if (is_early && v.class == CLASS_DONE) {
		http_end_ours(c, OWN_wrong_reply);
		return;
	}
	c->request_cnt++;
	take_verdict(c, &v);
	if (is_early || !c->head.keeps || !c->target->keeps)
		http_end_close(c);
	else
		enter(c, HTTP_AT_REST);
}

void
http_mail_heard(struct http_client *c)
{
	if (c->delivery != NULL)
		http_mail_begin(c);
	else
		enter(c, HTTP_AT_IDLE);
}
