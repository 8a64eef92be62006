/* http_client.c - the life of a connection, as its owner sees it. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "relay/http/http_end.h"
#include "relay/http/http_turn.h"

static void
name_hop(struct http_client *c, struct span hop)
{
	(void)span_cstr(hop, c->hop_bytes, sizeof(c->hop_bytes));
	c->hop = span_of(c->hop_bytes);
}

void
http_client_start_on(struct http_client *c, int fd, struct span hop)
{
	struct log_line l;

	channel_open(&c->channel, fd);
	c->is_local = channel_is_local(&c->channel);
	reach_opened();
	name_hop(c, hop);
	c->tls_words[0] = '\0';
	if (log_wants(LOG_DEBUG)) {
		log_begin(&l, LOG_connected);
		log_str(&l, LOG_KEY_hop, c->hop);
		log_end(&l);
	}
	if (ev_init(&c->ev, c->loop, fd, EV_READ, http_turn_on_ready, c) != OK)
		http_end_ours(c, OWN_no_connection);
	else
		http_turn_begin(c);
}

static void
on_connected(int fd, struct span hop, void *arg)
{
	http_client_start_on(arg, fd, hop);
}

static void
on_refused(const struct verdict *why, struct span hop, void *arg)
{
	struct http_client *c = arg;

	name_hop(c, hop);
	c->why = *why;
	c->has_why = true;
	http_end_close(c);
}

static const struct dial_calls dial_calls = { on_connected, on_refused };

struct http_client *
http_client_new(struct ev_loop *loop, struct resolve *resolve,
    const struct http_target *target, const struct hop_calls *calls, void *arg)
{
	struct http_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->loop = loop;
	c->target = target;
	c->calls = calls;
	c->arg = arg;
	c->channel.fd = -1;
	timer_init(&c->timer, loop, http_turn_on_time, c);
	http_end_init(c);
	reach_init(&c->reach, loop, resolve, &target->dial, target->endpoint,
	    &dial_calls, c);
	return c;
}

void
http_client_free(struct http_client **cp)
{
	struct http_client *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	http_end_hang_up(c);
	reach_fini(&c->reach);
	later_stop(&c->end);
	if (c->out != NULL)
		explicit_bzero(c->out, c->out_cap);
	free(c->out);
	free(c);
}

void
http_client_start(struct http_client *c)
{
	reach_start(&c->reach);
}

bool
http_client_is_free(const struct http_client *c)
{
	return c->at == HTTP_AT_IDLE;
}

bool
http_client_was_used(const struct http_client *c)
{
	return c->request_cnt > 0;
}

bool
http_client_is_alive(struct http_client *c)
{
	char byte;
	size_t n;

	if (c->at != HTTP_AT_IDLE)
		return false;
	if (c->in_len == 0 &&
	    channel_read(&c->channel, &byte, 1, &n) == ERR_AGAIN)
		return true;
	http_end_close(c);
	return false;
}

struct place *
http_client_place(struct http_client *c)
{
	return reach_place(&c->reach);
}

void
http_client_deliver(struct http_client *c, struct delivery *d)
{
	c->delivery = d;
	d->on_text = http_turn_on_text;
	d->on_text_arg = c;
	if (!d->is_passing)
		delivery_rewind(d);	/* it may have been read elsewhere */
	delivery_prefetch(d);
	http_turn_deliver(c);
}

void
http_client_close(struct http_client *c)
{
	http_end_close(c);
}
