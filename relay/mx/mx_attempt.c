/*
 * mx_attempt.c - the hosts of a domain in turn; mx_lookup.c says which.
 *
 * A delivery knows its attempt by on_end_arg from the beginning to the end,
 * wherever it is meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/mx/mx_attempt.h"
#include "relay/mx/mx_lookup.h"
#include "relay/mx/mx_number.h"

#define FAILED_MS	500	/* until the queue has heard, which lets a
				 * second pass before it has it tried again */

struct mx_attempt {
	LIST_ENTRY(mx_attempt) entry;
	struct mx_attempts *home;
	struct delivery	*delivery;
	struct mx_lookup lookup;	/* which hosts there are	*/
	struct resolve_query *query;	/* for addresses of one, or NULL */
	unsigned	 next;		/* of them to try		*/
	struct mx_place	*place;		/* where the delivery is, or NULL */
	uint64_t	 failed[MX_CHOOSE_MAX];	/* numbers of hosts in vain */
	unsigned	 failed_cnt;
	unsigned	 void_cnt;	/* hosts that there are none behind */
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

	mx_lookup_cancel(&a->lookup);
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

/* Nothing is begun while names are looked up. */
static void
leave_lookup(struct delivery *d, void *arg)
{
}

static void	try_next(struct mx_attempt *);

/* No host has all that the message needs: the best of them says what it is. */
static void
go_back_to_unable(struct mx_attempt *a)
{
	a->has_unable = false;
	a->lookup.hosts.hosts[0] = a->unable;
	a->lookup.hosts.cnt = 1;
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
		end(a, a->lookup.hosts.left_out ? OWN_hosts_unusable :
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

	if (a->next == a->lookup.hosts.cnt)
		stages |= slow_stages(slow, host, now_ms);
	return stages;
}

static void	on_unable(struct delivery *, void *);

/* While another host may have what this one lacks, it decides nothing by it. */
static void
say_whether_last(struct mx_attempt *a)
{
	bool is_last = a->next == a->lookup.hosts.cnt && !a->has_unable;

	a->delivery->on_unable = is_last ? NULL : on_unable;
	a->delivery->on_unable_arg = a;
	a->delivery->is_half_asked = a->has_why || a->failed_cnt > 0 ||
	    a->lookup.hosts.left_out;
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
static const char *
host_name(const struct mx_attempt *a)
{
	return a->lookup.hosts.hosts[a->next - 1].name;
}

static struct mx_where
where(const struct mx_attempt *a)
{
	return (struct mx_where){ span_of(host_name(a)), a->lookup.port,
	    a->lookup.is_forced };
}

/* The pool of the host, whose site has this number. */
static void
go_in(struct mx_attempt *a, uint64_t number)
{
	struct mx_where w = where(a);
	struct mx_place *p;
	enum err e = mx_pools_make(&p, a->home->lookups.pools, &w, number);

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
	if (a->lookup.is_forced ||
	    mx_pools_is_usable(a->home->lookups.pools, found))
		return false;
	return found->status == RESOLVED ||
	    found->status == RESOLVED_NXDOMAIN ||
	    found->status == RESOLVED_NODATA;
}

/* The addresses of the host: has another domain just found it down? */
static void
take_host(const struct resolve_found *found, void *arg)
{
	struct mx_attempt *a = arg;
	struct mx_attempts *home = a->home;
	uint64_t number = mx_number(found, host_name(a), a->lookup.port,
	    home->number_seed);

	a->query = NULL;
	if (is_void(a, found)) {
		mx_pools_log_unusable(home->lookups.pools, where(a).host,
		    found);
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
ask_host(struct mx_attempt *a, struct span host)
{
	a->delivery->on_leave = leave_lookup;
	a->query = resolve_addresses(a->home->lookups.resolve, host,
	    a->home->lookups.families, take_host, a);
	if (a->query == NULL)
		end(a, OWN_no_memory);
}

static void
try_next(struct mx_attempt *a)
{
	struct mx_place *p;
	struct mx_where w;

	if (a->next == a->lookup.hosts.cnt) {
		end_untaken(a);
		return;
	}
	if (!delivery_can_go_on(a->delivery)) {
		end(a, OWN_no_text);
		return;
	}
	a->next++;
	w = where(a);
	p = mx_pools_find(a->home->lookups.pools, &w);
	if (p != NULL)
		give_to(a, p);
	else
		ask_host(a, w.host);
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
		a->unable = a->lookup.hosts.hosts[a->next - 1];
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
	struct mx_host *hosts = a->lookup.hosts.hosts;
	uint16_t own = hosts[a->next - 1].preference;
	unsigned left = a->next;
	bool has_better = false;

	for (unsigned i = 0; i < a->lookup.hosts.cnt; i++) {
		if (hosts[i].preference >= own)
			continue;
		has_better = true;
		if (i >= a->next && left++ != i)
			hosts[left - 1] = hosts[i];
	}
	a->lookup.hosts.cnt = left;
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
			    host_name(a), a->lookup.port),
			    now_ms + MX_DOWN_MS);
			mx_down_note(&a->home->failed, number,
			    now_ms + FAILED_MS);
			slow_note(&a->home->slow, number, why->is_late ?
			    SLOW_BIT(why->stage) : 0, now_ms, SLOW_HOST_MS);
		}
		try_next(a);
	}
}

static void
take_hosts(void *arg)
{
	struct mx_attempt *a = arg;

	mx_down_sort(&a->home->down, &a->lookup.hosts, a->lookup.port,
	    ev_now_ms(a->home->loop));
	try_next(a);
}

static void
on_none(enum own why, void *arg)
{
	end(arg, why);
}

static const struct mx_lookup_calls lookup_calls = { take_hosts, on_none };

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
	d->on_end = on_ended;
	d->on_end_arg = a;
	d->on_leave = leave_lookup;
	LIST_INSERT_HEAD(&home->under_way, a, entry);
	mx_lookup_begin(&a->lookup, &home->lookups, d->destination,
	    &lookup_calls, a);
}

void
mx_attempt_drain(struct mx_attempts *home)
{
	struct mx_attempt *a, *next;

	home->is_draining = true;
	LIST_FOREACH_SAFE(a, &home->under_way, entry, next)
		if (a->query != NULL || a->lookup.query != NULL)
			end(a, OWN_stopping);
}
