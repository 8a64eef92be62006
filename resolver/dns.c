/*
 * dns.c - the library's traps: bogus answers come with rcode 0 and records, so
 * `bogus' is looked at first; its caches are 1 MB unless told otherwise; a
 * dead server is noticed after 17 s, so we have our own timer; and names like
 * "test" are built in as empty zones, which hide a stub below them.
 */
#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>
#include <unbound.h>

#include "ask/dnsname.h"
#include "base/limits.h"
#include "base/log.h"
#include "resolver/dns.h"

#define CLASS_IN	1
#define RCODE_NOERROR	0
#define RCODE_NXDOMAIN	3

struct dns_query {
	LIST_ENTRY(dns_query) entry;
	struct dns	*dns;
	int		 async_no;	/* the library's name for it	*/
	bool		 is_running;	/* it has one			*/
	struct timer	 patience;
	resolve_answer_fn *fn;
	void		*arg;
};

struct dns {
	struct ev_loop	*loop;
	struct ub_ctx	*ub;
	struct ev	 ev;
	struct later	 end;		/* retired, and idle		*/
	bool		 retired;
	LIST_HEAD(, dns_query) queries;
};

static const struct {
	const char	*name, *value;
} options[] = {
	/*
	 * Three answers each (MX, AAAA, A) for 100,000 domains that are dead
	 * are remembered, and which of their servers do not answer.  It is the
	 * most that is used, not what is taken.
	 */
	{ "msg-cache-size:", "128m" },
	{ "rrset-cache-size:", "256m" },
	{ "infra-cache-numhosts:", "100000" },
	{ "key-cache-size:", "16m" },
	{ "neg-cache-size:", "16m" },
	{ "cache-max-negative-ttl:", "900" },
	/* Each that hangs has a socket; others must not wait for it. */
	{ "outgoing-range:", "2048" },
	{ "outgoing-num-tcp:", "64" },
	{ "num-queries-per-thread:", "4096" },
	{ "edns-buffer-size:", "1232" },
	{ "harden-glue:", "yes" },
	{ "harden-dnssec-stripped:", "yes" },
	{ "qname-minimisation:", "yes" },
};

static const struct resolve_answer failure = { .status = RESOLVED_FAILED };

/* Setting up. */

static enum err
complain(const char *what, int ub)
{
	struct log_line l;

	log_begin(&l, LOG_trouble);
	log_text(&l, LOG_KEY_why, ub_strerror(ub));
	log_text(&l, LOG_KEY_destination, what);
	log_end(&l);
	return ERR_SYS;
}

static enum err
set_options(struct ub_ctx *ub, const struct settings *s)
{
	int e;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if ((e = ub_ctx_set_option(ub, options[i].name,
		    options[i].value)) != 0)
			return complain(options[i].name, e);
	e = ub_ctx_set_option(ub, "do-not-query-localhost:",
	    settings_on_loopback(s) ? "no" : "yes");
	return e == 0 ? OK : complain("do-not-query-localhost:", e);
}

static enum err
set_servers(struct ub_ctx *ub, const struct settings *s)
{
	int e;

	for (unsigned i = 0; i < s->forward_cnt; i++)
		if ((e = ub_ctx_set_fwd(ub, s->forwards[i])) != 0)
			return complain(s->forwards[i], e);
	for (unsigned i = 0; i < s->stub_cnt; i++)
		if ((e = ub_ctx_set_stub(ub, s->stubs[i].zone,
		    s->stubs[i].address, 0)) != 0)
			return complain(s->stubs[i].zone, e);
	for (unsigned i = 0; s->anchors[i] != NULL; i++)
		if ((e = ub_ctx_add_ta(ub, s->anchors[i])) != 0)
			return complain(s->anchors[i], e);
	return OK;
}

/* Does an anchor stand at the zone, or between it and the root? */
static bool
has_anchor(const struct settings *s, struct span zone)
{
	for (unsigned i = 0; s->anchors[i] != NULL; i++) {
		struct span owner = span_of(s->anchors[i]);

		owner = span_head(owner, span_find(owner, ' '));
		if (owner.len > 1 && owner.ptr[owner.len - 1] == '.')
			owner.len--;
		if (owner.len <= zone.len && span_eq_nocase(owner,
		    span_tail(zone, zone.len - owner.len)))
			return true;
	}
	return false;
}

/*
 * The root knows nothing of a private zone, or says that it does not exist:
 * without an anchor of its own such a zone can only be believed.
 */
static enum err
believe_zones(struct ub_ctx *ub, const struct settings *s)
{
	int e;

	for (unsigned i = 0; i < s->stub_cnt; i++)
		if (!has_anchor(s, span_of(s->stubs[i].zone)) &&
		    (e = ub_ctx_set_option(ub, "domain-insecure:",
		    s->stubs[i].zone)) != 0)
			return complain(s->stubs[i].zone, e);
	return OK;
}

/* The zones that the library answers itself must not hide it. */
static enum err
open_zone(struct ub_ctx *ub, const char *zone)
{
	int e;

	for (const char *up = zone; up != NULL; up = strchr(up, '.')) {
		if (*up == '.')
			up++;
		if ((e = ub_ctx_zone_remove(ub, up)) != 0)
			return complain(up, e);
	}
	return OK;
}

/*
 * Options first: with the first zone the library makes itself ready, and says
 * what of them, and of the anchors, it does not take.
 */
static enum err
set_up(struct ub_ctx *ub, const struct settings *s, FILE *errors)
{
	enum err e;
	int ret;

	if ((ret = ub_ctx_debugout(ub, errors)) != 0 ||
	    (ret = ub_ctx_async(ub, 1)) != 0)
		return complain("libunbound", ret);
	if ((e = set_options(ub, s)) != OK ||
	    (e = set_servers(ub, s)) != OK ||
	    (e = believe_zones(ub, s)) != OK)
		return e;
	if ((ret = ub_ctx_zone_remove(ub, "postern.invalid")) != 0)
		return complain("the trust anchors", ret);
	for (unsigned i = 0; i < s->stub_cnt; i++)
		if ((e = open_zone(ub, s->stubs[i].zone)) != OK)
			return e;
	return OK;
}

/* Ending. */

static void
drop(struct dns_query *q)
{
	struct dns *d = q->dns;

	timer_stop(&q->patience);
	if (q->is_running)
		(void)ub_cancel(d->ub, q->async_no);
	LIST_REMOVE(q, entry);
	free(q);
	if (d->retired && LIST_EMPTY(&d->queries))
		later_call(&d->end);
}

void
dns_close(struct dns **dp)
{
	struct dns *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	while (!LIST_EMPTY(&d->queries))
		drop(LIST_FIRST(&d->queries));
	later_stop(&d->end);
	ev_fini(&d->ev);
	ub_ctx_delete(d->ub);
	free(d);
}

static void
close_idle(struct later *l, void *arg)
{
	struct dns *d = arg;

	dns_close(&d);
}

void
dns_retire(struct dns **dp)
{
	struct dns *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	d->retired = true;
	if (LIST_EMPTY(&d->queries))
		later_call(&d->end);
}

/* Answers. */

/* Those of an answer that is too large, in the order they are kept. */
struct choice {
	const struct ub_result *answer;
	unsigned	 cnt, start;
};

static unsigned
choice_at(const struct choice *c, unsigned no)
{
	return (no + c->start) % c->cnt;
}

/* The best hosts first, RFC 1035 3.3.9; all other records are equals. */
static unsigned
rank(const struct choice *c, unsigned no)
{
	unsigned at = choice_at(c, no);
	const uint8_t *rdata = (const uint8_t *)c->answer->data[at];

	if (c->answer->qtype != RESOLVE_MX || c->answer->len[at] < 2)
		return 0;
	return (unsigned)rdata[0] << 8 | rdata[1];
}

static int
compare_choice(const void *left, const void *right, void *arg)
{
	const unsigned *a = left, *b = right;
	unsigned of_a = rank(arg, *a), of_b = rank(arg, *b);

	if (of_a != of_b)
		return of_a < of_b ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

/*
 * As many as a frame holds, and others of equals each time.  A part of what
 * DNSSEC has found good is still good.
 */
static bool
put_some(struct wire_out *w, const struct ub_result *r)
{
	static unsigned turn;
	struct choice c = { r, 0, 0 };
	unsigned *order;

	while (r->data[c.cnt] != NULL)
		c.cnt++;
	if ((order = calloc(c.cnt, sizeof(*order))) == NULL)
		return false;
	for (unsigned i = 0; i < c.cnt; i++)
		order[i] = i;
	c.start = turn++ * 7919 % c.cnt;
	qsort_r(order, c.cnt, sizeof(*order), compare_choice, &c);
	*w = (struct wire_out){ w->buf, 0, w->cap, false };
	for (unsigned i = 0; i < c.cnt; i++) {
		unsigned at = choice_at(&c, order[i]);
		size_t len = (size_t)r->len[at];

		if (w->len + 2 + len > w->cap)
			break;
		wire_str(w, (struct span){ r->data[at], len }, UINT16_MAX);
	}
	free(order);
	return !w->bad && w->len > 0;
}

static bool
put_records(struct wire_out *w, const struct ub_result *r)
{
	for (int i = 0; r->data[i] != NULL; i++)
		wire_str(w, (struct span){ r->data[i], (size_t)r->len[i] },
		    UINT16_MAX);
	return !w->bad;
}

static enum resolve_status
status_of(const struct ub_result *r)
{
	if (r->bogus)
		return RESOLVED_FAILED;
	if (r->rcode == RCODE_NXDOMAIN)
		return RESOLVED_NXDOMAIN;
	if (r->rcode != RCODE_NOERROR)
		return RESOLVED_FAILED;
	return r->havedata ? RESOLVED : RESOLVED_NODATA;
}

static void
tell(struct dns_query *q, const struct resolve_answer *a)
{
	resolve_answer_fn *fn = q->fn;
	void *arg = q->arg;

	drop(q);
	fn(a, arg);
}

static void
tell_result(struct dns_query *q, const struct ub_result *r)
{
	static uint8_t records[BUS_BLOB_MAX];
	struct wire_out w = { records, 0, sizeof(records), false };
	struct resolve_answer a = {
		.status = status_of(r), .ttl_s = r->ttl > 0 ? r->ttl : 0,
		.trust = r->bogus ? TRUST_BOGUS :
		    r->secure ? TRUST_SECURE : TRUST_INSECURE,
	};
	const char *end = r->canonname != NULL ? r->canonname : r->qname;
	char name[DNSNAME_MAX + 1];

	if (a.status == RESOLVED && !put_records(&w, r) && !put_some(&w, r))
		a = failure;
	if (a.status == RESOLVED)
		a.records = (struct span){ (char *)records, w.len };
	if (a.status == RESOLVED && dnsname_fold(span_of(end), name))
		a.name = span_of(name);
	tell(q, &a);
}

static void
answered(void *arg, int ub, struct ub_result *r)
{
	struct dns_query *q = arg;

	q->is_running = false;		/* it is over for the library */
	if (ub != 0 || r == NULL)
		tell(q, &failure);
	else
		tell_result(q, r);
	ub_resolve_free(r);
}

static void
out_of_patience(struct timer *t, void *arg)
{
	tell(arg, &failure);
}

static void
ub_ready(struct ev *ev, unsigned what, void *arg)
{
	struct dns *d = arg;
	int e;

	if ((e = ub_process(d->ub)) != 0)
		(void)complain("libunbound", e);
}

/* The calls of dns.h. */

enum err
dns_open(struct dns **out, struct ev_loop *loop, const struct settings *s,
    FILE *errors)
{
	struct dns *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return ERR_SYS;
	d->loop = loop;
	LIST_INIT(&d->queries);
	later_init(&d->end, loop, close_idle, d);
	if ((d->ub = ub_ctx_create()) == NULL) {
		free(d);
		return complain("libunbound", UB_NOMEM);
	}
	if (set_up(d->ub, s, errors) != OK ||
	    ev_init(&d->ev, loop, ub_fd(d->ub), EV_READ, ub_ready, d) != OK) {
		dns_close(&d);
		return ERR_SYS;
	}
	*out = d;
	return OK;
}

struct dns_query *
dns_ask(struct dns *d, const char *name, uint16_t rrtype,
    resolve_answer_fn *fn, void *arg)
{
	struct dns_query *q = calloc(1, sizeof(*q));
	int e;

	if (q == NULL)
		return NULL;
	q->dns = d;
	q->fn = fn;
	q->arg = arg;
	LIST_INSERT_HEAD(&d->queries, q, entry);
	timer_init(&q->patience, d->loop, out_of_patience, q);
	e = ub_resolve_async(d->ub, name, rrtype, CLASS_IN, q, answered,
	    &q->async_no);
	if (e != 0) {
		(void)complain(name, e);
		drop(q);
		return NULL;
	}
	q->is_running = true;
	timer_set(&q->patience, DNS_PATIENCE_MS);
	return q;
}

void
dns_cancel(struct dns_query **qp)
{
	struct dns_query *q = *qp;

	*qp = NULL;
	if (q != NULL)
		drop(q);
}
