/* http_end.c - from what went wrong to gone(). */
#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/tcp.h>

#include "base/log.h"
#include "relay/hop/hop_tls.h"
#include "relay/http/http_end.h"

void
http_end_hang_up(struct http_client *c)
{
	ev_fini(&c->ev);
	timer_stop(&c->timer);
	if (channel_is_open(&c->channel))
		reach_closed();
	channel_close(&c->channel);
	c->in_len = 0;
	c->iov_cnt = c->iov_pos = 0;
	c->in_head = false;
}

void
http_end_close(struct http_client *c)
{
	if (c->at == HTTP_AT_CLOSED)
		return;
	http_end_hang_up(c);
	reach_stop(&c->reach);
	c->at = HTTP_AT_CLOSED;
	later_call(&c->end);
}

static void
on_end(struct later *l, void *arg)
{
	struct http_client *c = arg;
	struct delivery *d = c->delivery;

	c->delivery = NULL;
	if (d != NULL) {
		d->on_text = NULL;
		c->calls->back(d, c->arg);
	}
	c->calls->gone(c->has_why ? &c->why : NULL, c->hop, c->arg);
}

void
http_end_init(struct http_client *c)
{
	later_init(&c->end, c->loop, on_end, c);
}

enum stage
http_end_stage(const struct http_client *c)
{
	switch (c->at) {
	case HTTP_AT_DIALING:
		return STAGE_CONNECT;
	case HTTP_AT_SECURING:
		return STAGE_EHLO;
	case HTTP_AT_IDLE:
	case HTTP_AT_PASSING:
	case HTTP_AT_WAITING:
		return STAGE_MAIL;
	default:
		return STAGE_BODY;
	}
}

static void
log_failure(const struct http_client *c, const struct verdict *v)
{
	struct log_line l;

	if (!log_wants(LOG_DEBUG))
		return;
	log_begin(&l, LOG_disconnected);
	log_str(&l, LOG_KEY_hop, c->hop);
	log_text(&l, LOG_KEY_stage, stage_name(v->stage));
	log_num(&l, LOG_KEY_code, v->code);
	log_str(&l, LOG_KEY_reply, v->text);
	log_end(&l);
}

void
http_end_fail(struct http_client *c, const struct verdict *v)
{
	struct delivery *d = c->delivery;
	struct verdict w = *v;

	if (c->at == HTTP_AT_CLOSED)
		return;
	log_failure(c, v);
	w.tls = span_of(c->tls_words);
	if (d != NULL) {
		c->delivery = NULL;
		delivery_end(d, &w, c->hop);
	}
	if (!c->was_ready && reach_has_more(&c->reach)) {
		http_end_hang_up(c);
		c->at = HTTP_AT_DIALING;
		reach_next(&c->reach);
		return;
	}
	if (!c->was_ready) {
		c->why = *v;
		c->has_why = true;
	}
	http_end_close(c);
}

void
http_end_ours(struct http_client *c, enum own own)
{
	struct verdict v = verdict_own(own, http_end_stage(c));

	http_end_fail(c, &v);
}

/* Bytes that the other end's system has taken; false where it does not say. */
static bool
ask_acked(const struct http_client *c, uint64_t *acked)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (!channel_is_open(&c->channel) || getsockopt(c->channel.fd,
	    IPPROTO_TCP, TCP_INFO, &info, &len) == -1 ||
	    len < offsetof(struct tcp_info, tcpi_bytes_acked) +
	    sizeof(info.tcpi_bytes_acked))
		return false;
	*acked = info.tcpi_bytes_acked;
	return true;
}

void
http_end_mark(struct http_client *c)
{
	if (!ask_acked(c, &c->acked))
		c->acked = UINT64_MAX;
}

/* Is it sure that the next hop has not processed the request? */
static bool
is_untouched(const struct http_client *c)
{
	uint64_t acked;

	if (c->heard)
		return false;
	if (c->at != HTTP_AT_ANSWER)
		return true;
	return c->acked != UINT64_MAX && ask_acked(c, &acked) &&
	    acked == c->acked;
}

/* Can the delivery begin anew on another connection? */
static bool
may_go_back(const struct http_client *c)
{
	const struct delivery *d = c->delivery;

	if (d == NULL || d->is_orphan)
		return false;
	if (c->at == HTTP_AT_PASSING)
		return c->request_cnt > 0 || ev_now_ms(c->loop) -
		    c->since_ms >= HTTP_CLIENT_LIFE_MS;
	if (c->request_cnt == 0)
		return false;
	return d->is_passing ? d->first == 0 : delivery_can_go_on(d);
}

void
http_end_lost(struct http_client *c)
{
	struct tls *t = c->channel.tls;

	if (c->at == HTTP_AT_IDLE || c->at == HTTP_AT_REST)
		http_end_close(c);
	else if (may_go_back(c) && is_untouched(c))
		http_end_close(c);
	else if (t != NULL && c->request_cnt == 0 && tls_is_refused(t))
		http_end_ours(c, hop_tls_own(t, &c->target->tls));
	else
		http_end_ours(c, OWN_lost);
}
