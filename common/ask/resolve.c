/*
 * resolve.c - queries: one question or the pair of AAAA and A, put together.
 *
 * A query does everything from its own deferred call: it is put off once to
 * begin, and once more when it has heard all.  So the caller's function never
 * runs inside a call of ours, nor inside the link's, and may close, cancel and
 * ask as it likes.
 */
#include <arpa/inet.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ask/queries.h"
#include "ask/dnsname.h"

static const struct resolve_address loopback4 = { 4, { 127, 0, 0, 1 } };
static const struct resolve_address loopback6 = { 6, { [15] = 1 } };

struct resolve {
	struct ev_loop	*loop;
	struct queries	*queries;
	unsigned	 turn;		/* shifts where a list begins	*/
	uint32_t	 chance;	/* the same of one that is cut	*/
	LIST_HEAD(, resolve_query) waiting;
};

/* What one type of record came to. */
struct side {
	struct waiter	 waiter;
	struct resolve_query *query;
	uint16_t	 rrtype;
	enum resolve_status status;
	enum resolve_trust trust;
	uint32_t	 ttl_s;
	unsigned	 address_cnt;
	bool		 left_out;	/* there were more		*/
	struct resolve_address addresses[RESOLVE_ADDRESSES_MAX];
};

struct resolve_query {
	LIST_ENTRY(resolve_query) entry;
	struct resolve	*r;
	struct later	 later;
	bool		 begun;
	char		 name[DNSNAME_MAX + 1];	/* empty: nothing to ask */
	unsigned	 side_cnt, awaited;
	struct side	 sides[2];		/* AAAA before A	*/
	resolve_fn	*fn;			/* one of the two	*/
	resolve_answer_fn *answer_fn;
	void		*arg;
	struct resolve_answer answer;		/* for answer_fn	*/
	char		*bytes;			/* its name and records	*/
};

/* Taking answers. */

static unsigned
count_of(struct span records, size_t len)
{
	unsigned cnt = 0;
	struct span one;

	while (resolve_record(&records, &one))
		cnt += one.len == len;
	return cnt;
}

/* Numerical Recipes' generator: nobody gains who guesses it. */
static uint32_t
next_begin(struct resolve *r)
{
	r->chance = r->chance * 1664525 + 1013904223;
	return r->chance >> 8;
}

/* Of many those whose turn it is. */
static void
take_addresses(struct side *p, struct span records)
{
	uint8_t family = p->rrtype == RESOLVE_A ? 4 : 6;
	size_t len = family == 4 ? 4 : 16;
	unsigned cnt = count_of(records, len), no = 0, begin, row;
	struct span one;

	begin = cnt > RESOLVE_ADDRESSES_MAX ? next_begin(p->query->r) % cnt :
	    0;
	p->left_out = cnt > RESOLVE_ADDRESSES_MAX;
	while (resolve_record(&records, &one)) {
		if (one.len != len)
			continue;
		row = (no++ + cnt - begin) % cnt;
		if (row >= RESOLVE_ADDRESSES_MAX)
			continue;
		p->addresses[row].family = family;
		memcpy(p->addresses[row].bytes, one.ptr, one.len);
		p->address_cnt++;
	}
	if (p->address_cnt == 0 && p->status == RESOLVED)
		p->status = RESOLVED_NODATA;
}

static void
take_answer(struct resolve_query *q, const struct resolve_answer *a)
{
	q->answer = *a;
	q->answer.name = q->answer.records = (struct span){ NULL, 0 };
	if (a->name.len + a->records.len == 0)
		return;
	if ((q->bytes = malloc(a->name.len + a->records.len)) == NULL) {
		q->answer.status = RESOLVED_FAILED;
		return;
	}
	if (a->name.len > 0)
		memcpy(q->bytes, a->name.ptr, a->name.len);
	if (a->records.len > 0)
		memcpy(q->bytes + a->name.len, a->records.ptr, a->records.len);
	q->answer.name = (struct span){ q->bytes, a->name.len };
	q->answer.records = (struct span){ q->bytes + a->name.len,
	    a->records.len };
}

static void
hear(const struct resolve_answer *a, void *arg)
{
	struct side *p = arg;
	struct resolve_query *q = p->query;

	p->status = a->status;
	p->trust = a->trust;
	p->ttl_s = a->ttl_s;
	if (q->fn != NULL)
		take_addresses(p, a->records);
	else
		take_answer(q, a);
	if (--q->awaited == 0)
		later_call(&q->later);
}

/* Putting together. */

/* Bogus is weaker than insecure, which is weaker than secure. */
static enum resolve_trust
weaker(enum resolve_trust a, enum resolve_trust b)
{
	if (a == TRUST_BOGUS || b == TRUST_BOGUS)
		return TRUST_BOGUS;
	return a == TRUST_SECURE ? b : a;
}

/* A failure hides what might be; else the name exists if one says so. */
static enum resolve_status
both(enum resolve_status a, enum resolve_status b)
{
	if (a == RESOLVED_FAILED || b == RESOLVED_FAILED)
		return RESOLVED_FAILED;
	return a < b ? a : b;
}

static void
weigh(struct resolve_found *f, const struct resolve_query *q)
{
	f->status = q->sides[0].status;
	f->trust = q->sides[0].trust;
	f->ttl_s = q->sides[0].ttl_s;
	for (unsigned i = 1; i < q->side_cnt; i++) {
		f->status = both(f->status, q->sides[i].status);
		f->trust = weaker(f->trust, q->sides[i].trust);
		if (q->sides[i].ttl_s < f->ttl_s)
			f->ttl_s = q->sides[i].ttl_s;
	}
	/* Half an answer is of no use for DANE, but it is an answer. */
	if (f->status == RESOLVED_FAILED)
		f->trust = f->trust == TRUST_SECURE ? TRUST_INSECURE :
		    f->trust;
}

/* The families in turn; each list begins elsewhere every time. */
static void
mix(struct resolve_found *f, struct resolve_query *q)
{
	unsigned turn = q->r->turn++;

	for (unsigned i = 0; i < RESOLVE_ADDRESSES_MAX; i++)
		for (unsigned no = 0; no < q->side_cnt; no++) {
			const struct side *p = &q->sides[no];

			f->left_out = f->left_out || p->left_out;
			if (i < p->address_cnt &&
			    f->address_cnt < RESOLVE_ADDRESSES_MAX)
				f->addresses[f->address_cnt++] = p->addresses[
				    (i + turn) % p->address_cnt];
		}
	if (f->address_cnt > 0)
		f->status = RESOLVED;
}

static void
free_query(struct resolve_query *q)
{
	for (unsigned i = 0; i < q->side_cnt; i++)
		queries_leave(&q->sides[i].waiter);
	later_stop(&q->later);
	LIST_REMOVE(q, entry);
	free(q->bytes);
	free(q);
}

static void
deliver_found(struct resolve_query *q)
{
	struct resolve_found f = { 0 };
	resolve_fn *fn = q->fn;
	void *arg = q->arg;

	weigh(&f, q);
	mix(&f, q);
	free_query(q);
	fn(&f, arg);
}

static void
deliver_answer(struct resolve_query *q)
{
	struct resolve_answer answer = q->answer;
	resolve_answer_fn *fn = q->answer_fn;
	char *bytes = q->bytes;
	void *arg = q->arg;

	q->bytes = NULL;
	free_query(q);
	fn(&answer, arg);
	free(bytes);
}

/* Beginning. */

static void
begin(struct resolve_query *q)
{
	q->begun = true;
	if (q->name[0] == '\0') {
		later_call(&q->later);
		return;
	}
	q->awaited = q->side_cnt;
	for (unsigned i = 0; i < q->side_cnt; i++)
		queries_join(q->r->queries, q->name, q->sides[i].rrtype,
		    &q->sides[i].waiter);
}

static void
query_turn(struct later *l, void *arg)
{
	struct resolve_query *q = arg;

	if (!q->begun)
		begin(q);
	else if (q->fn != NULL)
		deliver_found(q);
	else
		deliver_answer(q);
}

static struct resolve_query *
new_query(struct resolve *r, struct span name, void *arg)
{
	struct resolve_query *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->r = r;
	q->arg = arg;
	(void)dnsname_fold(name, q->name);	/* else it stays empty */
	LIST_INSERT_HEAD(&r->waiting, q, entry);
	later_init(&q->later, r->loop, query_turn, q);
	later_call(&q->later);
	return q;
}

static struct side *
add_side(struct resolve_query *q, uint16_t rrtype)
{
	struct side *p = &q->sides[q->side_cnt++];

	p->query = q;
	p->rrtype = rrtype;
	p->waiter = (struct waiter){ .fn = hear, .arg = p };
	p->status = RESOLVED_NXDOMAIN;		/* if it cannot be asked */
	return p;
}

/* An address that nobody need be asked for. */
static void
add_known(struct resolve_query *q, const struct resolve_address *a,
    unsigned families)
{
	struct side *p = add_side(q, 0);

	q->name[0] = '\0';
	p->ttl_s = UINT32_MAX;
	p->status = RESOLVED_NODATA;
	if ((resolve_family(a) & families) != 0)
		p->addresses[p->address_cnt++] = *a;
}

/* name is folded. */
static bool
is_localhost(const char *name)
{
	const char *dot = strrchr(name, '.');

	return strcmp(dot == NULL ? name : dot + 1, "localhost") == 0;
}

/* The calls of resolve.h. */

enum err
resolve_open(struct resolve **out, struct ev_loop *loop,
    helper_lost_fn *lost, void *arg)
{
	struct resolve *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ERR_SYS;
	if (queries_open(&r->queries, loop, lost, arg) != OK) {
		free(r);
		return ERR_SYS;
	}
	r->loop = loop;
	LIST_INIT(&r->waiting);
	*out = r;
	return OK;
}

void
resolve_close(struct resolve **rp)
{
	struct resolve *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	while (!LIST_EMPTY(&r->waiting))
		free_query(LIST_FIRST(&r->waiting));
	queries_close(&r->queries);
	free(r);
}

enum err
resolve_set_link(struct resolve *r, int fd, enum role mine,
    const struct link_peer *peer)
{
	return queries_set_link(r->queries, fd, mine, peer);
}

struct resolve_query *
resolve_addresses(struct resolve *r, struct span host, unsigned families,
    resolve_fn *fn, void *arg)
{
	struct resolve_address literal;
	struct resolve_query *q;

	assert((families & RESOLVE_BOTH) != 0);
	if ((q = new_query(r, host, arg)) == NULL)
		return NULL;
	q->fn = fn;
	if (resolve_literal(host, &literal)) {
		add_known(q, &literal, families);
	} else if (is_localhost(q->name)) {
		add_known(q, &loopback6, families);
		add_known(q, &loopback4, families);
	} else {
		if ((families & RESOLVE_IPV6) != 0)
			add_side(q, RESOLVE_AAAA);
		if ((families & RESOLVE_IPV4) != 0)
			add_side(q, RESOLVE_A);
	}
	return q;
}

struct resolve_query *
resolve_ask(struct resolve *r, uint16_t rrtype, struct span name,
    resolve_answer_fn *fn, void *arg)
{
	struct resolve_query *q = new_query(r, name, arg);

	if (q == NULL)
		return NULL;
	q->answer_fn = fn;
	q->answer.status = RESOLVED_NXDOMAIN;
	add_side(q, rrtype);
	return q;
}

void
resolve_cancel(struct resolve_query **qp)
{
	struct resolve_query *q = *qp;

	*qp = NULL;
	if (q != NULL)
		free_query(q);
}

bool
resolve_record(struct span *records, struct span *out)
{
	struct wire_in in = { (const uint8_t *)records->ptr, NULL, false };
	struct span one;

	if (records->len == 0)
		return false;
	in.end = in.pos + records->len;
	one = wire_get_str(&in, UINT16_MAX);
	if (in.bad) {
		*records = (struct span){ NULL, 0 };
		return false;
	}
	*records = span_tail(*records, one.len + 2);
	*out = one;
	return true;
}

unsigned
resolve_family(const struct resolve_address *a)
{
	return a->family == 4 ? RESOLVE_IPV4 : RESOLVE_IPV6;
}

bool
resolve_literal(struct span host, struct resolve_address *out)
{
	struct resolve_address a = { .family = 6 };
	char text[INET6_ADDRSTRLEN];
	bool bracketed = host.len > 2 && host.ptr[0] == '[' &&
	    host.ptr[host.len - 1] == ']';

	if (bracketed)
		host = span_head(span_tail(host, 1), host.len - 2);
	if (!span_cstr(host, text, sizeof(text)))
		return false;
	if (inet_pton(AF_INET6, text, a.bytes) != 1) {
		a.family = 4;
		if (inet_pton(AF_INET, text, a.bytes) != 1)
			return false;
	}
	*out = a;
	return true;
}
