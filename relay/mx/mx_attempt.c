/*
 * mx_attempt.c - lookup, choice, hosts in turn: each thing that is asked is a
 * step, and what follows from its answer stands in the table of steps.
 *
 * A delivery knows its attempt by on_end_arg from the beginning to the end,
 * wherever it is meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/domain.h"
#include "relay/mx/mx_attempt.h"
#include "relay/mx/mx_choose.h"
#include "relay/mx/mx_number.h"

#define FAILED_MS	500	/* until the queue has heard, which lets a
				 * second pass before it has it tried again */

/* What the answer that is waited for is about. */
enum step {
	STEP_MX,		/* of the domain			*/
	STEP_ADDRESSES,		/* of the domain, as a host		*/
	STEP_OTHERS,		/* likewise, those we do not use	*/
	STEP_HOST		/* addresses of the host whose turn it is */
};

struct mx_attempt {
	LIST_ENTRY(mx_attempt) entry;
	struct mx_attempts *home;
	struct delivery	*delivery;
	struct resolve_query *query;	/* NULL: none under way		*/
	enum step	 step;		/* the last that was asked	*/
	char		 domain[DOMAIN_KEY_MAX]; /* the destination	*/
	struct mx_hosts	 hosts;
	unsigned	 next;		/* of them to try		*/
	uint16_t	 port;
	struct mx_place	*place;		/* where the delivery is, or NULL */
	uint64_t	 failed[MX_CHOOSE_MAX];	/* numbers of hosts in vain */
	unsigned	 failed_cnt;
	unsigned	 void_cnt;	/* hosts that there are none behind */
	bool		 is_forced;	/* the host is the block's to name */
	bool		 has_unable;	/* a host lacks what it needs	*/
	struct mx_host	 unable;	/* and this is the first	*/
	bool		 has_why;	/* a host was tried in vain	*/
	struct verdict	 why;		/* and this came of the last	*/
	char		 text[REPLY_TEXT_MAX];
	char		 hop[DIAL_HOP_MAX];
};

/* The end. */

static void
leave_place(struct mx_attempt *a)
{
	if (a->place == NULL)
		return;
	mx_pools_leave(a->place);
	a->delivery->room = mx_pools_room(a->place);
	a->place = NULL;
}

/* Those of a host are noted when it has been left: mx_attempt_go_on(). */
static void
note_late(struct mx_attempt *a)
{
	const struct delivery *d = a->delivery;
	int64_t now_ms = ev_now_ms(a->home->loop);

	slow_note(&a->home->slow, slow_delivery(d->id, d->delivery), d->late,
	    now_ms, SLOW_DELIVERY_MS);
	if (a->place != NULL)
		slow_note(&a->home->slow, mx_pools_number(a->place), d->late,
		    now_ms, SLOW_HOST_MS);
}

static void
on_ended(struct delivery *d, void *arg)
{
	struct mx_attempt *a = arg;

	resolve_cancel(&a->query);
	note_late(a);
	leave_place(a);
	LIST_REMOVE(a, entry);
	free(a);
}

/* One of ours, about the domain. */
static void
end(struct mx_attempt *a, enum own own)
{
	struct verdict v = verdict_own(own, STAGE_LOOKUP);

	a->delivery->host = 0;
	delivery_end(a->delivery, &v, a->delivery->destination);
}

/* What is asked comes back as one of the two. */
struct answer {
	enum resolve_status status;
	enum resolve_trust trust;
	struct span	 records;		/* of STEP_MX		*/
	const struct resolve_found *found;	/* of all others	*/
};

static void	ask(struct mx_attempt *, enum step);

/* Hosts. */

/* A host of two names has failed once. */
static void
note_failed(struct mx_attempt *a, uint64_t number)
{
	for (unsigned i = 0; i < a->failed_cnt; i++)
		if (a->failed[i] == number)
			return;
	if (a->failed_cnt < MX_CHOOSE_MAX)
		a->failed[a->failed_cnt++] = number;
}

/* As one number, in whatever order they were tried. */
static uint64_t
failed_number(const struct mx_attempt *a)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < a->failed_cnt; i++)
		all ^= a->failed[i];
	return all;
}

static void	try_next(struct mx_attempt *);

/* No host has all that the message needs: the best of them says what it is. */
static void
go_back_to_unable(struct mx_attempt *a)
{
	a->has_unable = false;
	a->hosts.hosts[0] = a->unable;
	a->hosts.cnt = 1;
	a->next = 0;
	try_next(a);
}

/*
 * No host is left: none was one, or what came of the last that was, or all had
 * just failed others.
 */
static void
end_untaken(struct mx_attempt *a)
{
	if (a->has_unable) {
		go_back_to_unable(a);
		return;
	}
	if (a->void_cnt > 0 && !a->has_why && a->failed_cnt == 0) {
		end(a, a->hosts.left_out ? OWN_hosts_unusable :
		    OWN_mx_no_address);
		return;
	}
	a->delivery->host = failed_number(a);
	if (!a->has_why) {
		delivery_give_back(a->delivery, BACK_DOWN);
		return;
	}
	if (a->why.scope != SCOPE_OURS)
		a->why.scope = SCOPE_DESTINATION;
	delivery_end(a->delivery, &a->why, span_of(a->hop));
}

/* The stages at which the host is worth a longer wait to this delivery. */
static unsigned
patience_for(const struct mx_attempt *a, uint64_t host)
{
	const struct delivery *d = a->delivery;
	const struct slow *slow = &a->home->slow;
	int64_t now_ms = ev_now_ms(a->home->loop);
	unsigned stages = slow_stages(slow, slow_delivery(d->id, d->delivery),
	    now_ms);

	if (a->next == a->hosts.cnt)
		stages |= slow_stages(slow, host, now_ms);
	return stages;
}

static void	on_unable(struct delivery *, void *);

/* While another host may have what this one lacks, it decides nothing by it. */
static void
say_whether_last(struct mx_attempt *a)
{
	bool is_last = a->next == a->hosts.cnt && !a->has_unable;

	a->delivery->on_unable = is_last ? NULL : on_unable;
	a->delivery->on_unable_arg = a;
	a->delivery->is_half_asked = a->has_why || a->failed_cnt > 0 ||
	    a->hosts.left_out;
}

static void
give_to(struct mx_attempt *a, struct mx_place *p)
{
	say_whether_last(a);
	a->delivery->host = mx_pools_number(p);
	mx_pools_wait(p, patience_for(a, a->delivery->host));
	if (mx_pools_give(p, a->delivery) == OK)
		a->place = p;
	else
		delivery_give_back(a->delivery, BACK_BUSY);
}

/* The host whose turn it is. */
static struct mx_where
where(const struct mx_attempt *a)
{
	return (struct mx_where){ span_of(a->hosts.hosts[a->next - 1].name),
	    a->port, a->is_forced };
}

/* The pool of the host, whose site has this number. */
static void
go_in(struct mx_attempt *a, uint64_t number)
{
	struct mx_where w = where(a);
	struct mx_place *p;
	enum err e = mx_pools_make(&p, a->home->pools, &w, number);

	if (e == OK) {
		give_to(a, p);
		return;
	}
	a->delivery->host = number;
	if (e == ERR_FULL)
		delivery_give_back(a->delivery, BACK_BUSY);
	else
		end(a, OWN_no_memory);
}

/*
 * Is there no host behind the name, for all that the DNS knows?  What the block
 * names is its administrator's to mend, and waits.
 */
static bool
is_void(const struct mx_attempt *a, const struct resolve_found *found)
{
	if (a->is_forced || mx_pools_is_usable(a->home->pools, found))
		return false;
	return found->status == RESOLVED ||
	    found->status == RESOLVED_NXDOMAIN ||
	    found->status == RESOLVED_NODATA;
}

/* The addresses of the host: has another domain just found it down? */
static void
take_host(struct mx_attempt *a, const struct answer *answer)
{
	const struct resolve_found *found = answer->found;
	struct mx_attempts *home = a->home;
	uint64_t number = mx_number(found, a->hosts.hosts[a->next - 1].name,
	    a->port, home->number_seed);

	if (is_void(a, found)) {
		mx_pools_log_unusable(home->pools, where(a).host, found);
		a->void_cnt++;
	} else if (mx_down_has(&home->failed, number,
	    ev_now_ms(home->loop))) {
		note_failed(a, number);
	} else {
		go_in(a, number);
		return;
	}
	try_next(a);
}

static void
try_next(struct mx_attempt *a)
{
	struct mx_place *p;
	struct mx_where w;

	if (a->next == a->hosts.cnt) {
		end_untaken(a);
		return;
	}
	if (!delivery_can_go_on(a->delivery)) {
		end(a, OWN_no_text);
		return;
	}
	a->next++;
	w = where(a);
	p = mx_pools_find(a->home->pools, &w);
	if (p != NULL)
		give_to(a, p);
	else
		ask(a, STEP_HOST);
}

static void
on_unable(struct delivery *d, void *arg)
{
	struct mx_attempt *a = arg;

	leave_place(a);
	if (a->home->is_draining) {
		end(a, OWN_stopping);
		return;
	}
	if (!a->has_unable)
		a->unable = a->hosts.hosts[a->next - 1];
	a->has_unable = true;
	try_next(a);
}

/* What is about the next hop tells more than what is about us. */
static void
keep_why(struct mx_attempt *a, const struct verdict *why, struct span hop)
{
	if (a->has_why && why->scope == SCOPE_OURS)
		return;
	a->has_why = true;
	a->why = *why;
	a->why.text = span_head(why->text, sizeof(a->text));
	if (a->why.text.len > 0)
		memcpy(a->text, why->text.ptr, a->why.text.len);
	a->why.text.ptr = a->text;
	if (!span_cstr(hop, a->hop, sizeof(a->hop)))
		a->hop[0] = '\0';
}

/*
 * The host was ourselves: those that are no better are none for us (RFC 5321
 * 5.1).  A better one that is down keeps the mail waiting, else it goes round.
 */
static void
stop_at_ourselves(struct mx_attempt *a)
{
	struct mx_host *hosts = a->hosts.hosts;
	uint16_t own = hosts[a->next - 1].preference;
	unsigned left = a->next;
	bool has_better = false;

	for (unsigned i = 0; i < a->hosts.cnt; i++) {
		if (hosts[i].preference >= own)
			continue;
		has_better = true;
		if (i >= a->next && left++ != i)
			hosts[left - 1] = hosts[i];
	}
	a->hosts.cnt = left;
	if (has_better)
		try_next(a);
	else
		end(a, OWN_loop);
}

void
mx_attempt_go_on(struct delivery *d, const struct verdict *why,
    struct span hop, void *attempts)
{
	struct mx_attempt *a = d->on_end_arg;
	int64_t now_ms = ev_now_ms(a->home->loop);
	uint64_t number = mx_pools_number(a->place);

	leave_place(a);
	if (a->home->is_draining) {
		delivery_end(d, why, hop);
	} else if (why->class == CLASS_NEVER && why->stage == STAGE_CONNECT) {
		stop_at_ourselves(a);
	} else {
		keep_why(a, why, hop);
		note_failed(a, number);
		if (why->scope != SCOPE_OURS) {
			mx_down_note(&a->home->down, mx_down_number(
			    a->hosts.hosts[a->next - 1].name, a->port),
			    now_ms + MX_DOWN_MS);
			mx_down_note(&a->home->failed, number,
			    now_ms + FAILED_MS);
			slow_note(&a->home->slow, number, why->is_late ?
			    SLOW_BIT(why->stage) : 0, now_ms, SLOW_HOST_MS);
		}
		try_next(a);
	}
}

/* One host, whose name or address is known. */
static void
go_to(struct mx_attempt *a, struct span host, uint16_t port)
{
	a->hosts.cnt = 1;
	a->hosts.left_out = false;
	a->hosts.hosts[0].preference = 0;
	a->port = port;
	if (span_cstr(host, a->hosts.hosts[0].name,
	    sizeof(a->hosts.hosts[0].name)))
		try_next(a);
	else
		end(a, OWN_domain_invalid);
}

/* Names. */

static bool
is_ours(struct span name, const void *arg)
{
	return ourselves_has_name(arg, name);
}

static void
end_unanswered(struct mx_attempt *a, const struct answer *answer)
{
	end(a, answer->trust == TRUST_BOGUS ? OWN_domain_forged :
	    OWN_domain_unanswered);
}

/* It is a host, but none for us. */
static void
end_for_others(struct mx_attempt *a, const struct answer *answer)
{
	struct resolve_found none = { .status = RESOLVED_NODATA };

	mx_pools_log_unusable(a->home->pools, a->delivery->destination, &none);
	end(a, OWN_mx_no_address);
}

/* Neither MX nor address; or one, of a family that the block leaves out. */
static void
try_others(struct mx_attempt *a, const struct answer *answer)
{
	if (a->home->families == RESOLVE_BOTH)
		end(a, OWN_domain_bare);
	else
		ask(a, STEP_OTHERS);
}

/* No MX: is the domain itself a host?  RFC 5321 5.1, implicit MX. */
static void
try_domain(struct mx_attempt *a, const struct answer *answer)
{
	if (ourselves_has_name(a->home->ourselves, span_of(a->domain)))
		end(a, OWN_loop);
	else
		ask(a, STEP_ADDRESSES);
}

static void
go_to_domain(struct mx_attempt *a, const struct answer *answer)
{
	go_to(a, span_of(a->domain), a->home->port);
}

static void
take_records(struct mx_attempt *a, const struct answer *answer)
{
	switch (mx_choose(&a->hosts, answer->records, is_ours,
	    a->home->ourselves, &a->home->seed)) {
	case MX_HOSTS:
		mx_down_sort(&a->home->down, &a->hosts, a->port,
		    ev_now_ms(a->home->loop));
		try_next(a);
		break;
	case MX_NULL:
		end(a, OWN_mx_null);
		break;
	case MX_OURSELVES:
		end(a, OWN_loop);
		break;
	case MX_UNUSABLE:
		end(a, OWN_mx_no_host);
		break;
	}
}

/* The table of steps. */

#define GO(call)	{ .go = call }
#define END(why)	{ .own = OWN_##why }

static const struct {
	struct {
		void	(*go)(struct mx_attempt *, const struct answer *);
		enum own own;		/* the end, where there is no call */
	} on[RESOLVE__COUNT];
} steps[] = {
	[STEP_MX] = { {
		[RESOLVED] =		GO(take_records),
		[RESOLVED_NODATA] =	GO(try_domain),
		[RESOLVED_NXDOMAIN] =	END(domain_unknown),
		[RESOLVED_FAILED] =	GO(end_unanswered),
	} },
	[STEP_ADDRESSES] = { {
		[RESOLVED] =		GO(go_to_domain),
		[RESOLVED_NODATA] =	GO(try_others),
		[RESOLVED_NXDOMAIN] =	END(domain_unknown),
		[RESOLVED_FAILED] =	GO(end_unanswered),
	} },
	[STEP_OTHERS] = { {
		[RESOLVED] =		GO(end_for_others),
		[RESOLVED_NODATA] =	END(domain_bare),
		[RESOLVED_NXDOMAIN] =	GO(end_for_others),
		[RESOLVED_FAILED] =	GO(end_for_others),
	} },
	[STEP_HOST] = { {
		[RESOLVED ... RESOLVED_FAILED] = GO(take_host),
	} },
};

#undef GO
#undef END

static void
take(struct mx_attempt *a, const struct answer *answer)
{
	a->query = NULL;
	if (steps[a->step].on[answer->status].go != NULL)
		steps[a->step].on[answer->status].go(a, answer);
	else
		end(a, steps[a->step].on[answer->status].own);
}

static void
take_answer(const struct resolve_answer *r, void *arg)
{
	take(arg, &(struct answer){ .status = r->status, .trust = r->trust,
	    .records = r->records });
}

static void
take_found(const struct resolve_found *f, void *arg)
{
	take(arg, &(struct answer){ .status = f->status, .trust = f->trust,
	    .found = f });
}

/* Nothing is begun while names are looked up. */
static void
leave_lookup(struct delivery *d, void *arg)
{
}

/* The one place where anything is asked. */
static void
ask(struct mx_attempt *a, enum step step)
{
	struct span name = step == STEP_HOST ? where(a).host :
	    span_of(a->domain);

	a->step = step;
	a->delivery->on_leave = leave_lookup;
	a->query = step == STEP_MX ?
	    resolve_ask(a->home->resolve, RESOLVE_MX, name, take_answer, a) :
	    resolve_addresses(a->home->resolve, name, step == STEP_OTHERS ?
	    RESOLVE_BOTH : a->home->families, take_found, a);
	if (a->query == NULL)
		end(a, OWN_no_memory);
}

/* [192.0.2.1] or [IPv6:2001:db8::1], RFC 5321 4.1.3. */
static bool
read_literal(struct span domain, char *out, size_t cap)
{
	struct resolve_address a;
	struct span inner;

	if (domain.len < 3 || domain.ptr[0] != '[' ||
	    domain.ptr[domain.len - 1] != ']')
		return false;
	inner = span_head(span_tail(domain, 1), domain.len - 2);
	if (span_begins_nocase(inner, SPAN("IPv6:")))
		inner = span_tail(inner, 5);
	return resolve_literal(inner, &a) && span_cstr(inner, out, cap);
}

static const struct mx_force *
find_force(const struct mx_attempts *home, struct span domain)
{
	for (unsigned i = 0; i < home->force_cnt; i++)
		if (span_eq(home->forces[i].domain, domain))
			return &home->forces[i];
	return NULL;
}

/* An old queue may hold a destination that is none yet. */
static void
look_up(struct mx_attempt *a)
{
	struct mx_attempts *home = a->home;
	struct span domain = { a->domain, domain_key(
	    a->delivery->destination, a->domain) };
	const struct mx_force *force = find_force(home, domain);
	char address[DNSNAME_MAX + 1], name[DNSNAME_MAX + 1];

	a->is_forced = force != NULL;
	if (force != NULL) {
		go_to(a, force->host, force->port);
	} else if (read_literal(domain, address, sizeof(address))) {
		go_to(a, span_of(address), home->port);
	} else if (!dnsname_fold(domain, name)) {
		end(a, OWN_domain_invalid);
	} else {
		ask(a, STEP_MX);
	}
}

void
mx_attempt_begin(struct mx_attempts *home, struct delivery *d)
{
	struct verdict v = verdict_own(OWN_no_memory, STAGE_LOOKUP);
	struct mx_attempt *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		delivery_end(d, &v, SPAN(""));
		return;
	}
	a->home = home;
	a->delivery = d;
	a->port = home->port;
	d->on_end = on_ended;
	d->on_end_arg = a;
	d->on_leave = leave_lookup;
	LIST_INSERT_HEAD(&home->under_way, a, entry);
	look_up(a);
}

void
mx_attempt_drain(struct mx_attempts *home)
{
	struct mx_attempt *a, *next;

	home->is_draining = true;
	LIST_FOREACH_SAFE(a, &home->under_way, entry, next)
		if (a->query != NULL)
			end(a, OWN_stopping);
}
