/*
 * settings.c - defaults are conf/options.def's; here are only limits.  Lists
 * may be long: their values are walked once.
 */
#include <string.h>

#include "conf/slice.h"
#include "queue/settings.h"

#define RESERVE		(64ull << 20)	/* bytes kept for deliveries */
#define HISTORY_BYTES	(256ull << 20)	/* bytes of history kept	*/

static enum err
read_retry(struct retry *out, const struct slice *queue)
{
	struct slice block = slice_block(queue, "retry", 0);
	struct span delay = slice_text(&block, "delay", 0);
	uint64_t maximum = slice_num(&block, "maximum");

	if (delay.len > sizeof(out->delay))
		return ERR_PEER;
	if (delay.len > 0)
		memcpy(out->delay, delay.ptr, delay.len);
	out->delay_len = delay.len;
	out->cap_ms = (int64_t)slice_num(&block, "maximum_delay");
	out->lifetime_ms = (int64_t)slice_num(&block, "lifetime");
	out->maximum = maximum >= RETRY_UNLIMITED ? RETRY_UNLIMITED :
	    (uint32_t)maximum;
	return OK;
}

/* A slice has the values of an option one behind the other. */
struct reading {
	struct routes	*routes;
	struct span	 of;		/* the relay, or the last pattern */
	bool		 is_second;	/* of a pair			*/
	enum err	 err;
};

static void
take_rcpt(struct span text, uint64_t num, void *arg)
{
	struct reading *r = arg;

	if (r->err == OK)
		r->err = route_add_rcpt(r->routes, r->of, text);
}

/* "pattern", "relay", "pattern", "relay", ... */
static void
take_route(struct span text, uint64_t num, void *arg)
{
	struct reading *r = arg;

	if (!r->is_second)
		r->of = text;
	else if (r->err == OK)
		r->err = route_add(r->routes, r->of, text);
	r->is_second = !r->is_second;
}

static enum err
read_relay(struct routes *routes, const struct slice *relay)
{
	struct reading r = { .routes = routes, .err = OK };
	bool is_mx = span_eq(slice_text(relay, "type", 0), SPAN("mx"));

	r.of = slice_text(relay, "name", 0);
	if ((r.err = route_add_relay(routes, r.of, is_mx)) != OK)
		return r.err;
	slice_each(relay, "recipients", take_rcpt, &r);
	return r.err;
}

static enum err
read_routes(struct routes *routes, const struct slice *queue)
{
	struct reading r = { .routes = routes, .err = OK };
	struct span last = slice_text(queue, "relay", 0);
	unsigned cnt = slice_block_count(queue, "relay");

	for (unsigned i = 0; i < cnt; i++) {
		struct slice relay = slice_block(queue, "relay", i);

		if ((r.err = read_relay(routes, &relay)) != OK)
			return r.err;
	}
	slice_each(queue, "route", take_route, &r);
	if (r.err != OK)
		return r.err;
	if (r.is_second)
		return ERR_PEER;
	return last.len > 0 ? route_set_last(routes, last) : OK;
}

static void
read_policies(struct settings *out, const struct slice *queue)
{
	struct slice policies = slice_block(queue, "policies", 0);

	out->splits_rcpts = slice_flag(&policies, "recipient_split");
	out->splits_domains = slice_flag(&policies,
	    "recipient_domain_split");
}

enum err
settings_read(struct settings *out, struct span bytes)
{
	struct settings s = { .limits = { .reserve = RESERVE } };
	struct slice queue, process;
	enum err e;

	if ((e = slice_open(&queue, bytes)) != OK)
		return e;
	process = slice_process(&queue);
	if (!span_cstr(slice_text(&queue, "path", 0), s.path,
	    sizeof(s.path)) ||
	    !span_cstr(slice_text(&process, "hostname", 0), s.hostname,
	    sizeof(s.hostname)))
		return ERR_PEER;
	if ((e = read_retry(&s.retry, &queue)) != OK)
		return e;
	read_policies(&s, &queue);
	s.limits.max_bytes = slice_num(&queue, "max_bytes");
	s.limits.history_ms = (int64_t)slice_num(&queue, "history");
	s.limits.history_bytes = HISTORY_BYTES;
	if ((e = route_new(&s.routes)) != OK)
		return e;
	if ((e = read_routes(s.routes, &queue)) != OK ||
	    (e = route_set_home(s.routes, span_of(s.hostname))) != OK) {
		settings_fini(&s);
		return e;
	}
	*out = s;
	return OK;
}

void
settings_fini(struct settings *s)
{
	route_free(&s->routes);
}
