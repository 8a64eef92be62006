/*
 * settings.c - defaults are conf/options.def's; here are only limits.  Lists
 * may be long: their values are walked once.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/kinds.h"
#include "conf/slice/slice.h"
#include "queue/settings.h"

#define EDGE_SLACK_MS	30000	/* an edge may be late itself		*/
#define MEMORY_BYTES	(64ull << 20)	/* what a queue in memory has	*/
#define HISTORY_BYTES	(1ull << 30)	/* bytes of history kept	*/

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
	out->warn_ms = (int64_t)slice_num(&block, "warn_after");
	out->maximum = maximum >= RETRY_UNLIMITED ? RETRY_UNLIMITED :
	    (uint32_t)maximum;
	return OK;
}

/* A slice has the values of an option one behind the other. */
struct reading {
	struct routes	*routes;
	struct span	 of;		/* the relay, or the last pattern */
	uint64_t	 by;		/* of that pattern		*/
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

/* Pattern, what is done, pattern, what is done, ... */
static void
take_route(struct span text, uint64_t num, void *arg)
{
	struct reading *r = arg;

	if (!r->is_second) {
		r->of = text;
		r->by = num;
	} else if (r->err == OK) {
		r->err = num >= ROUTE_DOES__COUNT ||
		    r->by >= ROUTE_BY__COUNT ? ERR_PEER :
		    route_add(r->routes, (enum route_by)r->by, r->of,
		    (enum route_does)num, text);
	}
	r->is_second = !r->is_second;
}

static enum route_kind
kind_of(struct span type)
{
	static const enum route_kind by_reach[] = {
		[KIND_TO_ALL] = ROUTE_MX, [KIND_TO_HOP] = ROUTE_OUT,
		[KIND_TO_HERE] = ROUTE_LOCAL,
	};
	const struct kind_row *row = kinds_find(type);

	return row == NULL ? ROUTE_OUT : by_reach[row->reach];
}

static enum err
read_relay(struct routes *routes, const struct slice *relay)
{
	struct reading r = { .routes = routes, .err = OK };
	struct span type = slice_text(relay, "type", 0);
	struct span delimiter;
	unsigned no;

	r.of = slice_text(relay, "name", 0);
	if ((r.err = route_add_relay(routes, r.of, kind_of(type))) != OK)
		return r.err;
	if (kinds_has(type, KIND_ONE_HOP) &&
	    (r.err = route_set_one_hop(routes, r.of,
	    slice_num(relay, "ask_after") > 0)) != OK)
		return r.err;
	if (!kinds_has(type, KIND_TAKES_BINARY) &&
	    route_relay_no(routes, r.of, &no))
		route_set_binary(routes, no, false);
	if ((kinds_has(type, KIND_HAS_USERS) ||
	    kinds_role(kinds_find(type), slice_text(relay, "user", 0)) ==
	    ROLE_LOCAL) &&
	    (r.err = route_set_users(routes, r.of)) != OK)
		return r.err;
	slice_each(relay, "recipients", take_rcpt, &r);
	delimiter = slice_text(relay, "recipient_delimiter", 0);
	if (r.err == OK && delimiter.len > 0)
		r.err = route_set_delimiter(routes, r.of, delimiter.ptr[0]);
	return r.err;
}

/* The rules of a queue; the relays are known. */
static enum err
read_rules(struct routes *routes, const struct slice *queue)
{
	struct reading r = { .routes = routes, .err = OK };
	struct span last = slice_text(queue, "relay", 0);
	struct span bounces = slice_text(queue, "bounce_relay", 0);

	slice_each(queue, "route", take_route, &r);
	if (r.err == OK && r.is_second)
		r.err = ERR_PEER;
	if (r.err == OK && last.len > 0)
		r.err = route_set_last(routes, last);
	if (r.err == OK && bounces.len > 0)
		r.err = route_set_bounce_relay(routes, bounces);
	return r.err;
}

static void
take_home(struct span text, uint64_t num, void *arg)
{
	struct reading *r = arg;

	if (r->err == OK)
		r->err = route_add_home(r->routes, text);
}

static enum err
read_homes(struct routes *routes, const struct slice *queue)
{
	struct slice process = slice_process(queue);
	struct reading r = { .routes = routes };

	take_home(slice_text(&process, "hostname", 0), 0, &r);
	slice_each(&process, "domains", take_home, &r);
	return r.err;
}

/* Relays have the same numbers in all routes made of the same slice. */
static enum err
read_routes(struct routes **out, const struct slice *own,
    const struct slice *queue)
{
	unsigned cnt = slice_block_count(own, "relay");
	struct routes *routes = NULL;
	enum err e = route_new(&routes);

	for (unsigned i = 0; e == OK && i < cnt; i++) {
		struct slice relay = slice_block(own, "relay", i);

		e = read_relay(routes, &relay);
	}
	if (e == OK)
		e = read_rules(routes, queue);
	if (e == OK)
		e = read_homes(routes, own);
	if (e != OK)
		route_free(&routes);
	*out = routes;
	return e;
}

static enum err
read_all_routes(struct settings *out, const struct slice *queue)
{
	struct slice other = slice_block(queue, "queue", 0);
	struct routes *bounces;
	enum err e = read_routes(&out->routes, queue, queue);

	if (e != OK || slice_block_count(queue, "queue") == 0)
		return e;
	e = read_routes(&bounces, queue, &other);
	if (e == OK)
		route_set_bounce_routes(out->routes, bounces);
	return e == OK ? read_retry(&out->bounce_retry, &other) : e;
}

/* Key, words, key, words, ...: what is left out by one is by the others. */
struct aliases {
	struct alias_table *table;
	enum err	 err;
};

static void
take_alias(struct span text, uint64_t num, void *arg)
{
	struct aliases *a = arg;
	enum err e;

	if (a->err != OK)
		return;
	if (num >= ALIASES__COUNT)
		e = ERR_PEER;
	else if (num == ALIASES_KEY)
		e = alias_table_begin(a->table, text);
	else
		e = alias_table_add(a->table, (enum aliases_word)num, text);
	if (e != ERR_NONE)
		a->err = e;
}

static enum err
read_aliases(struct settings *out, const struct slice *queue)
{
	struct span delimiter = slice_text(queue, "recipient_delimiter", 0);
	struct aliases a;

	if (delimiter.len > 0)
		out->delimiter = delimiter.ptr[0];
	if (slice_count(queue, "aliases") == 0)
		return OK;
	if ((a.err = alias_table_new(&out->aliases)) != OK)
		return a.err;
	a.table = out->aliases;
	slice_each(queue, "aliases", take_alias, &a);
	return a.err;
}

static enum err
read_forward(struct settings *out, const struct slice *queue)
{
	struct slice policies = slice_block(queue, "policies", 0);

	return forward_new(&out->forward, &policies);
}

static void
raise_to(int64_t *longest, uint64_t ms)
{
	if (*longest < (int64_t)ms + EDGE_SLACK_MS)
		*longest = (int64_t)ms + EDGE_SLACK_MS;
}

/* What our edges may take for a message. */
static void
read_edges(struct settings *out, const struct slice *queue)
{
	unsigned cnt = slice_block_count(queue, "edge");

	for (unsigned i = 0; i < cnt; i++) {
		struct slice edge = slice_block(queue, "edge", i);

		raise_to(&out->silence_ms, slice_num(&edge, "timeout"));
		raise_to(&out->silence_ms, slice_num(&edge, "data_timeout"));
		raise_to(&out->session_ms,
		    slice_num(&edge, "session_timeout"));
	}
}

static enum err
read_slots(struct settings *out, const struct slice *queue)
{
	unsigned cnt = slice_block_count(queue, "relay");

	if ((out->relays = calloc(cnt + 1, sizeof(*out->relays))) == NULL)
		return ERR_SYS;
	out->relay_cnt = cnt;
	for (unsigned i = 0; i < cnt; i++) {
		struct slice relay = slice_block(queue, "relay", i);
		struct settings_relay *r = &out->relays[i];

		struct span type = slice_text(&relay, "type", 0);

		r->slots = (uint32_t)slice_num(&relay, "most slots");
		r->has_one_hop = kinds_has(type, KIND_ONE_HOP);
		r->answers_each = kinds_has(type, KIND_EACH);
		if (!span_cstr(slice_text(&relay, "name", 0), r->name,
		    sizeof(r->name)))
			return ERR_PEER;
	}
	return OK;
}

struct text {
	char		 bytes[NOTICE_MAX];
	size_t		 len;
	bool		 is_long;
};

static void
take_line(struct span line, uint64_t num, void *arg)
{
	struct text *t = arg;

	if (line.len + 1 > sizeof(t->bytes) - t->len) {
		t->is_long = true;
		return;
	}
	if (line.len > 0)
		memcpy(t->bytes + t->len, line.ptr, line.len);
	t->len += line.len;
	t->bytes[t->len++] = '\n';
}

/* It has been checked; what is no good all the same is not this slice. */
static enum err
read_notice(struct settings *out, const struct slice *queue)
{
	struct notice_error error;
	struct text *t;
	enum err e;

	if (slice_count(queue, "bounce_template") == 0)
		return OK;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return ERR_SYS;
	slice_each(queue, "bounce_template", take_line, t);
	out->notice_text = t->bytes;	/* its first member: free() takes it */
	e = t->is_long ? ERR_PEER : notice_read(&out->notice,
	    (struct span){ t->bytes, t->len }, &error);
	if (e != OK) {
		free(t);
		out->notice_text = NULL;
	}
	return e;
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
	struct settings s = { .limits = { .reserve = STORE_RESERVE } };
	struct slice queue, process;
	struct span type;
	enum err e;

	if ((e = slice_open(&queue, bytes)) != OK)
		return e;
	process = slice_process(&queue);
	if (!span_cstr(slice_text(&queue, "path", 0), s.path,
	    sizeof(s.path)) ||
	    !span_cstr(slice_text(&queue, "name", 0), s.name,
	    sizeof(s.name)) ||
	    !span_cstr(slice_text(&process, "hostname", 0), s.hostname,
	    sizeof(s.hostname)) ||
	    !span_cstr(slice_text(&process, slice_count(&process, "domains") >
	    0 ? "domains" : "hostname", 0), s.home, sizeof(s.home)) ||
	    !span_cstr(slice_text(&process, "postmaster", 0), s.postmaster,
	    sizeof(s.postmaster)))
		return ERR_PEER;
	s.node = (uint16_t)slice_num(&process, "node");
	if ((e = read_retry(&s.retry, &queue)) != OK)
		return e;
	read_policies(&s, &queue);
	read_edges(&s, &queue);
	type = slice_text(&queue, "type", 0);
	if ((s.engine = store_engine_find(type)) == NULL &&
	    !kinds_queue_has(type, QUEUE_KIND_PASSES))
		return ERR_PEER;
	s.limits.max_bytes = slice_num(&queue, "max_bytes");
	if (s.limits.max_bytes == 0 && s.engine != NULL &&
	    !store_engine_keeps(s.engine))
		s.limits.max_bytes = MEMORY_BYTES;
	s.limits.history_ms = (int64_t)slice_num(&queue, "history");
	s.limits.history_bytes = HISTORY_BYTES;
	s.bounce_retry = s.retry;
	if ((e = read_all_routes(&s, &queue)) != OK ||
	    (e = read_slots(&s, &queue)) != OK ||
	    (e = read_aliases(&s, &queue)) != OK ||
	    (e = read_forward(&s, &queue)) != OK ||
	    (e = read_notice(&s, &queue)) != OK) {
		settings_fini(&s);
		return e;
	}
	*out = s;
	return OK;
}

const struct retry *
settings_retry(const struct settings *s, const struct record_message *m)
{
	return record_is_bounce(m) ? &s->bounce_retry : &s->retry;
}

int64_t
settings_longest_ms(const struct settings *s)
{
	int64_t mail_ms = retry_longest_ms(&s->retry);
	int64_t bounce_ms = retry_longest_ms(&s->bounce_retry);

	return mail_ms > bounce_ms ? mail_ms : bounce_ms;
}

uint32_t
settings_slots(const struct settings *s, const char *relay)
{
	for (unsigned i = 0; i < s->relay_cnt; i++)
		if (strcmp(s->relays[i].name, relay) == 0)
			return s->relays[i].slots;
	return UINT32_MAX;	/* it is given nothing, see dispatch.c */
}

void
settings_fini(struct settings *s)
{
	free(s->relays);
	s->relays = NULL;
	s->relay_cnt = 0;
	free(s->notice_text);
	s->notice_text = NULL;
	route_free(&s->routes);
	alias_table_free(&s->aliases);
	forward_free(&s->forward);
}
