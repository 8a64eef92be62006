/*
 * dial.c - one address at a time, in the resolver's order.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/hop/dial.h"
#include "relay/mx/special.h"

union address {
	struct sockaddr	 any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t
fill_address(union address *p, const struct resolve_address *a, uint16_t port)
{
	memset(p, 0, sizeof(*p));
	if (a->family == 4) {
		p->v4.sin_family = AF_INET;
		p->v4.sin_port = htons(port);
		memcpy(&p->v4.sin_addr, a->bytes, 4);
		return sizeof(p->v4);
	}
	p->v6.sin6_family = AF_INET6;
	p->v6.sin6_port = htons(port);
	memcpy(&p->v6.sin6_addr, a->bytes, 16);
	return sizeof(p->v6);
}

enum dial_use
dial_use(const struct dial_target *t, const struct resolve_address *a)
{
	switch (special_of(a)) {
	case SPECIAL_NOBODY:
		return DIAL_NOBODY;
	case SPECIAL_PRIVATE:
		return t->private_too ? DIAL_USABLE : DIAL_PRIVATE;
	default:
		return DIAL_USABLE;
	}
}

bool
dial_is_usable(const struct dial_target *t, const struct resolve_found *found)
{
	for (unsigned i = 0; i < found->address_cnt; i++)
		if (dial_use(t, &found->addresses[i]) == DIAL_USABLE)
			return true;
	return false;
}

/* What the block can change tells more than what nobody can. */
static const char *
why_unusable(const struct dial_target *t, const struct resolve_found *found)
{
	static const char *const words[] = {
		[DIAL_NOBODY]	= "its address is one that no host can have",
		[DIAL_PRIVATE]	= "its address is one of a private network",
	};
	enum dial_use most = DIAL_USABLE, one;

	for (unsigned i = 0; i < found->address_cnt; i++)
		if ((one = dial_use(t, &found->addresses[i])) > most)
			most = one;
	if (most != DIAL_USABLE)
		return words[most];
	if (found->status == RESOLVED_NXDOMAIN)
		return "its name does not exist";
	return t->families == RESOLVE_BOTH ? "its name has no address" :
	    t->families == RESOLVE_IPV4 ? "its name has no IPv4 address" :
	    "its name has no IPv6 address";
}

void
dial_log_unusable(const struct dial_target *t, struct span host,
    const struct resolve_found *found)
{
	struct log_line l;

	log_begin(&l, LOG_passed_over);
	log_str(&l, LOG_KEY_hop, host);
	log_text(&l, LOG_KEY_why, why_unusable(t, found));
	log_end(&l);
}

static void
name_hop(struct dial *d, const struct resolve_address *a)
{
	char text[INET6_ADDRSTRLEN] = "";
	char host[DOMAIN_MAX + 1];

	if (!span_cstr(d->target->host, host, sizeof(host)))
		host[0] = '\0';
	if (a == NULL) {
		snprintf(d->hop, sizeof(d->hop), "%s:%u", host,
		    d->target->port);
		return;
	}
	(void)inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, text,
	    sizeof(text));
	snprintf(d->hop, sizeof(d->hop), "%s[%s]:%u", host, text,
	    d->target->port);
}

static void
hang_up(struct dial *d)
{
	ev_fini(&d->ev);
	timer_stop(&d->timer);
	if (d->fd != -1)
		close(d->fd);
	d->fd = -1;
}

static void
log_trouble(const struct dial *d)
{
	struct log_line l;

	if (!log_wants(LOG_DEBUG))
		return;
	log_begin(&l, LOG_unreachable);
	log_text(&l, LOG_KEY_hop, d->hop);
	log_str(&l, LOG_KEY_why, d->why.text);
	log_end(&l);
}

static void
go_on(struct dial *d)
{
	hang_up(d);
	log_trouble(d);
	later_call(&d->later);
}

/* We have run out of something: no fault of the next hop's. */
static bool
is_ours(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ||
	    error == ENOBUFS || error == ENOSPC;
}

/* This address is no good: remember why, go on. */
static void
give_up(struct dial *d, int error)
{
	if (is_ours(error)) {
		d->why = verdict_own(OWN_no_connection, STAGE_CONNECT);
		go_on(d);
		return;
	}
	d->why = verdict_own(error == ETIMEDOUT ? OWN_connect_late :
	    error == ECONNREFUSED ? OWN_connect_refused : OWN_connect_failed,
	    STAGE_CONNECT);
	go_on(d);
}

/* A host of which one address is ours is us. */
static void
end_loop(struct dial *d)
{
	d->next = d->found.address_cnt;
	d->why = verdict_own(OWN_loop, STAGE_CONNECT);
	go_on(d);
}

static void
give_up_source(struct dial *d, const struct resolve_address *source)
{
	char text[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(source->family == 4 ? AF_INET : AF_INET6,
	    source->bytes, text, sizeof(text));
	d->why = verdict_own_of(OWN_bad_source, STAGE_CONNECT, text,
	    d->why_bytes, sizeof(d->why_bytes));
	go_on(d);
}

static void
out_of_time(struct timer *t, void *arg)
{
	give_up(arg, ETIMEDOUT);
}

static void
arrive(struct dial *d)
{
	int fd = d->fd, on = 1;

	if (d->target->ourselves != NULL &&
	    ourselves_has_peer(d->target->ourselves, fd, d->target->port)) {
		end_loop(d);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	ev_fini(&d->ev);
	timer_stop(&d->timer);
	d->fd = -1;
	d->calls->connected(fd, span_of(d->hop), d->arg);
}

static void
on_answer(struct ev *ev, unsigned what, void *arg)
{
	struct dial *d = arg;
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0)
		give_up(d, error);
	else
		arrive(d);
}

/* The port is chosen with the connection, so that one suits several. */
static bool
bind_to(int fd, const struct resolve_address *source)
{
	union address p;
	socklen_t len = fill_address(&p, source, 0);
	int on = 1;

	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on));
	return bind(fd, &p.any, len) == 0;
}

static void
connect_now(struct dial *d, const struct resolve_address *a)
{
	const struct resolve_address *source;
	union address p;
	socklen_t len = fill_address(&p, a, d->target->port);

	source = sources_next(d->target->sources, a->family);
	d->fd = socket(p.any.sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd != -1 && source != NULL && !bind_to(d->fd, source)) {
		give_up_source(d, source);
		return;
	}
	if (d->fd == -1 ||
	    (connect(d->fd, &p.any, len) == -1 && errno != EINPROGRESS) ||
	    ev_init(&d->ev, d->loop, d->fd, EV_WRITE, on_answer, d) != OK) {
		give_up(d, errno);
		return;
	}
	timer_set(&d->timer, d->target->connect_ms);
}

static void
on_place(struct place *p, void *arg)
{
	struct dial *d = arg;

	connect_now(d, &d->found.addresses[d->next - 1]);
}

/* Addresses that do not answer may take long: others go first, if they wait. */
static enum err
take_place(struct dial *d)
{
	if (place_must_go(&d->place))
		place_leave(&d->place);
	return place_take(&d->place, d->target->places, d->number);
}

static void
connect_to(struct dial *d, const struct resolve_address *a)
{
	enum err e;

	name_hop(d, a);
	if (d->target->ourselves != NULL && ourselves_has_address(
	    d->target->ourselves, a, d->target->port)) {
		end_loop(d);
		return;
	}
	if ((e = take_place(d)) == OK)
		connect_now(d, a);
	else if (e != ERR_AGAIN)
		give_up(d, ENOMEM);
}

static void
try_next(struct later *l, void *arg)
{
	struct dial *d = arg;

	while (d->next < d->found.address_cnt) {
		const struct resolve_address *a =
		    &d->found.addresses[d->next++];

		if (dial_use(d->target, a) == DIAL_USABLE) {
			connect_to(d, a);
			return;
		}
	}
	d->calls->failed(&d->why, span_of(d->hop), d->arg);
}

static uint64_t
number_of(const struct dial *d)
{
	char host[DOMAIN_MAX + 1];

	if (!span_cstr(d->target->host, host, sizeof(host)))
		host[0] = '\0';
	return places_number(d->target->places, &d->found, host,
	    d->target->port);
}

static void
take_answer(const struct resolve_found *found, void *arg)
{
	struct dial *d = arg;
	enum own why = OWN_host_unanswered;

	d->query = NULL;
	d->found = *found;
	d->number = number_of(d);
	d->next = 0;
	if (found->status == RESOLVED)
		why = OWN_host_unusable;
	else if (found->status == RESOLVED_NXDOMAIN)
		why = OWN_host_unknown;
	else if (found->status == RESOLVED_NODATA)
		why = d->target->families == RESOLVE_BOTH ? OWN_host_bare :
		    OWN_host_unusable;
	d->why = verdict_own(why, STAGE_LOOKUP);
	if (found->status != RESOLVED) {
		d->found.address_cnt = 0;
		log_trouble(d);
	}
	if (why == OWN_host_unusable && !dial_is_usable(d->target, found))
		dial_log_unusable(d->target, d->target->host, found);
	try_next(NULL, d);
}

void
dial_init(struct dial *d, struct ev_loop *loop, struct resolve *resolve,
    const struct dial_target *target, const struct dial_calls *calls,
    void *arg)
{
	memset(d, 0, sizeof(*d));
	d->loop = loop;
	d->resolve = resolve;
	d->target = target;
	d->calls = calls;
	d->arg = arg;
	d->fd = -1;
	d->place.given = on_place;
	d->place.given_arg = d;
	timer_init(&d->timer, loop, out_of_time, d);
	later_init(&d->later, loop, try_next, d);
	name_hop(d, NULL);
}

void
dial_fini(struct dial *d)
{
	if (d->loop == NULL)
		return;
	hang_up(d);
	place_leave(&d->place);
	later_stop(&d->later);
	resolve_cancel(&d->query);
}

void
dial_start(struct dial *d)
{
	d->query = resolve_addresses(d->resolve, d->target->host,
	    d->target->families, take_answer, d);
	if (d->query != NULL)
		return;
	d->why = verdict_own(OWN_no_memory, STAGE_LOOKUP);
	later_call(&d->later);
}

void
dial_next(struct dial *d)
{
	later_call(&d->later);
}

void
dial_again(struct dial *d)
{
	if (d->next > 0)
		d->next--;
	later_call(&d->later);
}

bool
dial_has_more(const struct dial *d)
{
	for (unsigned i = d->next; i < d->found.address_cnt; i++)
		if (dial_use(d->target, &d->found.addresses[i]) ==
		    DIAL_USABLE)
			return true;
	return false;
}
