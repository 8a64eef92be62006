/*
 * http_answer.c - answers of 1xx come before the one that counts (RFC 9110
 * 15.2); how many, and how long they may take, is bounded by the clock, which
 * they do not wind, and by HTTP_CLIENT_INTERIM.
 *
 * While nothing of a request has gone out nothing can be the answer to it.
 */
#include <string.h>

#include "relay/http/http_answer.h"
#include "relay/http/http_end.h"
#include "relay/http/http_mail.h"

static void
take_field(struct http_client *c, const struct http_line *line)
{
	if (!span_eq_nocase(line->name, SPAN(HTTP_REPLY_FIELD)))
		return;
	c->reply_cnt++;
	c->has_reply = http_reply_read(line->value, &c->reply);
}

static void
take_reason(struct http_client *c, const struct http_line *line)
{
	struct reply r = { .text = line->reason };

	c->reason.len = 0;
	verdict_add(&c->reason, &r);
}

/* 100 Continue, and others that say nothing to us. */
static enum err
take_interim(struct http_client *c)
{
	c->in_head = false;
	if (c->head.status == 101 ||
	    ++c->interim_cnt > HTTP_CLIENT_INTERIM)
		return ERR_PEER;
	if (c->head.status == 100 && c->at == HTTP_AT_ASKING)
		http_mail_go_ahead(c);
	return OK;
}

static bool
hears(const struct http_client *c)
{
	return c->at == HTTP_AT_ASKING || c->at == HTTP_AT_SENDING ||
	    c->at == HTTP_AT_ANSWER;
}

static void
begin_head(struct http_client *c)
{
	http_head_response(&c->head, NULL, false);
	c->in_head = true;
	c->has_reply = false;
	c->reply_cnt = 0;
	c->reason.len = 0;
}

/* ERR_AGAIN: more of it must come. */
static enum err
take_head(struct http_client *c, struct span *in)
{
	struct http_line line;

	if (!c->in_head)
		begin_head(c);
	for (;;)
		switch (http_head_next(&c->head, in, &line)) {
		case HTTP_START:
			take_reason(c, &line);
			break;
		case HTTP_FIELD:
			take_field(c, &line);
			break;
		case HTTP_END:
			if (c->head.status < 200)
				return take_interim(c);
			c->in_head = false;
			http_body_init(&c->body, &c->head);
			c->rest_len = 0;
			http_mail_hear(c);
			return OK;
		case HTTP_MORE:
			return ERR_AGAIN;
		default:
			return ERR_PEER;
		}
}

/* Its bytes are nobody's: they are read for the sake of the next request. */
static enum err
take_rest(struct http_client *c, struct span *in)
{
	struct span run;

	for (;;)
		switch (http_body_next(&c->body, in, &run)) {
		case HTTP_RUN:
			c->rest_len += run.len;
			if (c->rest_len <= HTTP_CLIENT_REST)
				break;
			http_end_close(c);
			return OK;
		case HTTP_END:
			http_mail_heard(c);
			return OK;
		case HTTP_MORE:
			return ERR_AGAIN;
		default:
			http_end_close(c);
			return OK;
		}
}

/* Behind an answer nothing may come that was not asked for. */
static enum err
take(struct http_client *c)
{
	struct span in = { c->in, c->in_len };
	enum err e = OK;

	while (e == OK && channel_is_open(&c->channel)) {
		if (c->at == HTTP_AT_REST)
			e = take_rest(c, &in);
		else if (in.len == 0)
			break;
		else if (hears(c))
			e = take_head(c, &in);
		else
			return ERR_PEER;
	}
	if (!channel_is_open(&c->channel))
		return OK;
	if (in.len > 0)
		memmove(c->in, in.ptr, in.len);
	c->in_len = in.len;
	if (e == ERR_AGAIN && in.len == sizeof(c->in))
		return ERR_PEER;
	return e == ERR_AGAIN ? OK : e;
}

static bool
may_read_on(const struct http_client *c)
{
	return channel_is_open(&c->channel) && channel_has_more(&c->channel);
}

enum err
http_answer_read(struct http_client *c)
{
	enum err e;
	size_t n;

	do {
		e = channel_read(&c->channel, c->in + c->in_len,
		    sizeof(c->in) - c->in_len, &n);
		if (e == ERR_AGAIN)
			return OK;
		if (e == ERR_NONE || e == ERR_PEER)
			return ERR_CLOSED;
		if (e != OK)
			return e;
		c->in_len += n;
		c->heard = c->heard || hears(c);
		e = take(c);
	} while (e == OK && may_read_on(c));
	return e;
}
