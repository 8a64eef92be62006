/*
 * dnsbl.c - a question a list, one deadline for all, and one question more for
 * the reason when it is known who says it.
 */
#include <stdlib.h>
#include <string.h>

#include "ask/dnsname.h"
#include "ask/resolve.h"
#include "edge/stage/dnsbl.h"

/* One list is asked. */
struct inquiry {
	struct dnsbl	*dnsbl;
	struct resolve_query *query;
	bool		 has_it;
};

struct dnsbl {
	const struct dnsbls *set;
	struct resolve	*resolve;
	struct client_address address;
	struct timer	 deadline;
	unsigned	 awaited;
	const struct dnsbl_list *worst;	/* whose reason is asked for	*/
	struct resolve_query *reason;
	dnsbl_fn	*fn;
	void		*arg;
	struct inquiry	 inquiries[];	/* one for each list		*/
};

/* Settings. */

enum err
dnsbl_add(struct dnsbls *set, struct span text)
{
	size_t star = span_find(text, '*');
	struct span weight = span_tail(text, star + 1);
	bool is_minus = span_begins(weight, SPAN("-"));
	struct dnsbl_list *lists;
	unsigned long long n = 1;

	if (star < text.len &&
	    !span_number(span_tail(weight, is_minus), 99, &n))
		return ERR_PEER;
	lists = reallocarray(set->lists, set->cnt + 1, sizeof(*lists));
	if (lists == NULL)
		return ERR_FULL;
	set->lists = lists;
	lists += set->cnt;
	lists->weight = is_minus ? -(int)n : (int)n;
	if ((lists->zone = strndup(text.ptr, star)) == NULL)
		return ERR_FULL;
	set->cnt++;
	return OK;
}

enum err
dnsbl_init(struct dnsbls *set, const struct slice *rules)
{
	enum err e;

	*set = (struct dnsbls){ .threshold =
	    (int)slice_num(rules, "dnsbl_threshold") };
	if (set->threshold < 1)
		set->threshold = 1;
	set->at_connect = span_eq(slice_text(rules, "dnsbl_at", 0),
	    SPAN("connect"));
	e = nets_init(&set->ignored, rules, "dnsbl_ignore");
	for (unsigned i = 0; e == OK && i < slice_count(rules, "dnsbl"); i++)
		e = dnsbl_add(set, slice_text(rules, "dnsbl", i));
	if (e != OK)
		dnsbl_fini(set);
	return e;
}

void
dnsbl_fini(struct dnsbls *set)
{
	for (unsigned i = 0; i < set->cnt; i++)
		free(set->lists[i].zone);
	free(set->lists);
	nets_fini(&set->ignored);
	*set = (struct dnsbls){ 0 };
}

bool
dnsbl_is_private(const struct client_address *a)
{
	const uint8_t *b = a->bytes;

	if (a->family == 4)
		return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
		    (b[0] == 192 && b[1] == 168) ||
		    (b[0] == 169 && b[1] == 254);
	return a->family != 6 || (b[0] & 0xfe) == 0xfc ||
	    (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}

/* Answers. */

static bool
counts(const struct dnsbls *set, struct span address)
{
	struct client_address a = { .family = 4 };

	if (address.len != 4 || address.ptr[0] != 127)
		return false;
	memcpy(a.bytes, address.ptr, 4);
	return !nets_has(&set->ignored, &a, 0);
}

static void
cancel_all(struct dnsbl *d)
{
	for (unsigned i = 0; i < d->set->cnt; i++)
		resolve_cancel(&d->inquiries[i].query);
	resolve_cancel(&d->reason);
	timer_stop(&d->deadline);
}

/* Tells, and is gone; the one told may do as it likes. */
static void
tell(struct dnsbl *d, const char *reason)
{
	const char *zone = d->worst != NULL ? d->worst->zone : NULL;
	dnsbl_fn *fn = d->fn;
	void *arg = d->arg;

	cancel_all(d);
	free(d);
	fn(zone, reason, arg);
}

/* The strings of a TXT record, as far as they go in a line. */
static void
read_txt(struct span rdata, char out[DNSBL_REASON_MAX])
{
	size_t len = 0, part;

	while (rdata.len > 0) {
		part = (uint8_t)rdata.ptr[0];
		rdata = span_tail(rdata, 1);
		for (size_t i = 0; i < part && i < rdata.len &&
		    len + 1 < DNSBL_REASON_MAX; i++)
			out[len++] = rdata.ptr[i] >= ' ' &&
			    rdata.ptr[i] <= '~' ? rdata.ptr[i] : '?';
		rdata = span_tail(rdata, part);
	}
	out[len] = '\0';
}

static void
on_reason(const struct resolve_answer *a, void *arg)
{
	struct span records = a->records, one;
	struct dnsbl *d = arg;
	char reason[DNSBL_REASON_MAX] = "";

	d->reason = NULL;
	if (resolve_record(&records, &one))
		read_txt(one, reason);
	tell(d, reason);
}

static struct resolve_query *
ask(struct dnsbl *d, const struct dnsbl_list *list, uint16_t rrtype,
    resolve_answer_fn *fn, void *arg)
{
	const struct client_address *a = &d->address;
	char name[DNSNAME_MAX + 1];

	if (!dnsname_reversed(name, a->bytes, a->family == 4 ? 4 : 16,
	    span_of(list->zone)))
		return NULL;
	return resolve_ask(d->resolve, rrtype, span_of(name), fn, arg);
}

/* All lists have spoken, or had their time. */
static void
judge(struct dnsbl *d)
{
	const struct dnsbl_list *worst = NULL, *list;
	int score = 0;

	timer_stop(&d->deadline);
	for (unsigned i = 0; i < d->set->cnt; i++) {
		list = &d->set->lists[i];
		resolve_cancel(&d->inquiries[i].query);
		if (!d->inquiries[i].has_it)
			continue;
		score += list->weight;
		if (worst == NULL || list->weight > worst->weight)
			worst = list;
	}
	if (score < d->set->threshold) {
		tell(d, "");
		return;
	}
	d->worst = worst;
	d->reason = ask(d, worst, RESOLVE_TXT, on_reason, d);
	if (d->reason == NULL)
		tell(d, "");
	else
		timer_set(&d->deadline, DNSBL_REASON_MS);
}

static void
on_answer(const struct resolve_answer *a, void *arg)
{
	struct span records = a->records, one;
	struct inquiry *q = arg;

	q->query = NULL;
	while (resolve_record(&records, &one))
		q->has_it |= counts(q->dnsbl->set, one);
	if (--q->dnsbl->awaited == 0)
		judge(q->dnsbl);
}

static void
too_late(struct timer *t, void *arg)
{
	struct dnsbl *d = arg;

	if (d->worst != NULL)
		tell(d, "");
	else
		judge(d);
}

struct dnsbl *
dnsbl_ask(const struct dnsbls *set, struct ev_loop *loop,
    struct resolve *resolve, const struct client_address *a, dnsbl_fn *fn,
    void *arg)
{
	struct dnsbl *d;
	struct inquiry *q;

	if (resolve == NULL || set->cnt == 0 || client_address_is_local(a) ||
	    (d = calloc(1, sizeof(*d) + set->cnt * sizeof(*q))) == NULL)
		return NULL;
	d->set = set;
	d->resolve = resolve;
	d->address = *a;
	d->fn = fn;
	d->arg = arg;
	timer_init(&d->deadline, loop, too_late, d);
	for (unsigned i = 0; i < set->cnt; i++) {
		q = &d->inquiries[i];
		q->dnsbl = d;
		q->query = ask(d, &set->lists[i], RESOLVE_A, on_answer, q);
		d->awaited += q->query != NULL;
	}
	timer_set(&d->deadline, d->awaited > 0 ? DNSBL_PATIENCE_MS : 0);
	return d;
}

void
dnsbl_cancel(struct dnsbl **dp)
{
	struct dnsbl *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	cancel_all(d);
	free(d);
}
