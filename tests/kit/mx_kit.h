/*
 * mx_kit - a relay of type mx in the test's own loop, with a resolver that
 * answers from a table and next hops on addresses of 127.0.0.0/8, all of them
 * on one port.  For test_relay_mx.c.
 */
#ifndef TESTS_MX_KIT_H
#define TESTS_MX_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf_memory.h"
#include "relay/relay_type.h"
#include "wire_records.h"

#define TEST_MS		8000	/* a test that takes longer hangs */
#define TEXT		"Subject: x\r\n\r\n"	/* of each message	*/
#define NAMES_MAX	300
#define HOPS_MAX	8
#define TALKS_MAX	16
#define DELIVERIES_MAX	200
#define RELAYS_MAX	100

/* The resolver. */

struct name {
	char		 name[64];
	uint16_t	 rrtype;
	enum resolve_status status;
	enum resolve_trust trust;
	struct wire_records records;
};

/* A next hop; what it says can be changed before somebody comes. */

struct hop;

struct talk {
	struct hop	*hop;
	int		 fd;		/* -1: free			*/
	struct ev	 ev;
	char		 in[4096];
	size_t		 in_len;
	bool		 in_text;
};

struct hop {
	struct world	*world;
	int		 fd;
	struct ev	 ev;
	const char	*greeting, *ehlo, *rcpt;
	unsigned	 connections, messages;
	char		 from[64];	/* address of the last client	*/
	struct talk	 talks[TALKS_MAX];
};

struct world {
	struct ev_loop	*loop;
	struct timer	 alarm;
	bool		 is_late;
	uint16_t	 port;		/* of all hops			*/
	int		 port_fd;	/* keeps it ours		*/
	struct hop	 hops[HOPS_MAX]; /* 127.0.0.2 and on		*/
	struct name	*names;
	unsigned	 name_cnt, question_cnt;
	bool		 is_mute;	/* questions are not answered	*/
	struct resolve	*resolve;
	struct link	*resolver;	/* the resolver's end		*/
	struct conf	*conf;
	struct relay_type_env	 env;
	const struct relay_type *kind;
	void		*relay;
	struct delivery	*deliveries[DELIVERIES_MAX];
	unsigned	 delivery_cnt, finished_cnt;
	struct msg_delivery_open wanted; /* fields of those to come, if set */
	const char	*user;		/* of their recipient; NULL: r	*/
	const char	*second;	/* recipient as well, or NULL	*/
	struct delivery	*back[DELIVERIES_MAX]; /* that came back untried */
	unsigned	 back_cnt, came_back_cnt;
	struct timer	 again;
	enum back	 last_back;
};

static struct world *world;	/* of the running test */
static void *relays[RELAYS_MAX]; /* of those that have run */
static unsigned relay_cnt;

static struct name *
name_row(const char *name, uint16_t rrtype)
{
	struct name *n;

	for (unsigned i = 0; i < world->name_cnt; i++)
		if (world->names[i].rrtype == rrtype &&
		    strcmp(world->names[i].name, name) == 0)
			return &world->names[i];
	assert_true(world->name_cnt < NAMES_MAX);
	n = &world->names[world->name_cnt++];
	snprintf(n->name, sizeof(n->name), "%s", name);
	n->rrtype = rrtype;
	wire_records_begin(&n->records);
	return n;
}

static void
dns_mx(const char *name, uint16_t preference, const char *target)
{
	wire_records_mx(&name_row(name, RESOLVE_MX)->records, preference,
	    target);
}

static void
dns_a(const char *name, const char *address)
{
	struct in_addr a;

	assert_int_equal(inet_pton(AF_INET, address, &a), 1);
	wire_records_add(&name_row(name, RESOLVE_A)->records, &a, 4);
}

static void
dns_aaaa(const char *name, const char *address)
{
	struct in6_addr a;

	assert_int_equal(inet_pton(AF_INET6, address, &a), 1);
	wire_records_add(&name_row(name, RESOLVE_AAAA)->records, &a, 16);
}

static void
dns_failure(const char *name, uint16_t rrtype, enum resolve_trust trust)
{
	struct name *n = name_row(name, rrtype);

	n->status = RESOLVED_FAILED;
	n->trust = trust;
}

/* A name that has other records has none of this type; else it is none. */
static enum err
take_question(struct link *l, unsigned type, const union msg *any,
    struct span piece, int fd, void *arg)
{
	const struct msg_resolve_ask *m = &any->resolve_ask;
	struct msg_resolve_answer a = { .request = m->request, .ttl_s = 300,
	    .status = RESOLVED_NXDOMAIN };

	world->question_cnt++;
	if (world->is_mute)
		return OK;
	for (unsigned i = 0; i < world->name_cnt; i++) {
		const struct name *n = &world->names[i];

		if (!span_eq(m->name, span_of(n->name)))
			continue;
		if (a.status == RESOLVED_NXDOMAIN)
			a.status = RESOLVED_NODATA;
		if (n->rrtype != m->rrtype)
			continue;
		a.status = (uint8_t)n->status;
		a.trust = (uint8_t)n->trust;
		a.records = wire_records_span(&n->records);
	}
	assert_int_equal(link_send_resolve_answer(l, &a), OK);
	return OK;
}

static void
question_end(struct link *l, enum err why, void *arg)
{
}

static void
open_resolver(struct world *w)
{
	static const struct link_peer resolver = { .role = ROLE_RESOLVER };
	static const struct link_peer relay = { .role = ROLE_RELAY };
	int ends[2];

	assert_int_equal(resolve_open(&w->resolve, w->loop, NULL, NULL), OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(link_open(&w->resolver, w->loop, ends[0],
	    ROLE_RESOLVER, &relay, take_question, question_end, w), OK);
	assert_int_equal(resolve_set_link(w->resolve, ends[1], ROLE_RELAY,
	    &resolver), OK);
}

/* Hops. */

static void
hang_up(struct talk *t)
{
	ev_fini(&t->ev);
	if (t->fd != -1)
		close(t->fd);
	t->fd = -1;
}

static void
say(struct talk *t, const char *line)
{
	char text[512];
	int len = snprintf(text, sizeof(text), "%s\r\n", line);

	(void)!send(t->fd, text, (size_t)len, MSG_NOSIGNAL);
}

static void
take_line(struct talk *t, const char *line)
{
	struct hop *h = t->hop;

	if (t->in_text && strcmp(line, ".") != 0)
		return;
	if (t->in_text) {
		t->in_text = false;
		h->messages++;
		say(t, "250 2.6.0 Taken");
	} else if (strncmp(line, "BDAT", 4) == 0) {
		h->messages++;
		say(t, "250 2.6.0 Taken");
	} else if (line[0] == '\0' || strncmp(line, TEXT, strlen(line)) == 0) {
		return;			/* of a chunk */
	} else if (strncmp(line, "EHLO", 4) == 0) {
		say(t, h->ehlo);
	} else if (strncmp(line, "RCPT", 4) == 0) {
		say(t, h->rcpt);
	} else if (strcmp(line, "DATA") == 0 && h->rcpt[0] == '2') {
		say(t, "354 Go on");
		t->in_text = true;
	} else if (strcmp(line, "DATA") == 0) {
		say(t, "503 5.5.1 No one");
	} else {
		say(t, "250 2.0.0 Fine");
	}
}

static void
read_talk(struct ev *ev, unsigned what, void *arg)
{
	struct talk *t = arg;
	ssize_t n = recv(t->fd, t->in + t->in_len,
	    sizeof(t->in) - t->in_len - 1, MSG_DONTWAIT);
	char *end, *at = t->in;

	if (n <= 0) {
		hang_up(t);
		return;
	}
	t->in_len += (size_t)n;
	t->in[t->in_len] = '\0';
	while ((end = strstr(at, "\r\n")) != NULL) {
		*end = '\0';
		take_line(t, at);
		at = end + 2;
	}
	t->in_len = strlen(at);
	memmove(t->in, at, t->in_len);
}

static void
take_client(struct ev *ev, unsigned what, void *arg)
{
	struct hop *h = arg;
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int fd = accept4(h->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK);

	assert_int_not_equal(fd, -1);
	assert_non_null(inet_ntop(AF_INET, &from.sin_addr, h->from,
	    sizeof(h->from)));
	h->connections++;
	for (unsigned i = 0; i < TALKS_MAX; i++) {
		struct talk *t = &h->talks[i];

		if (t->fd != -1)
			continue;
		t->fd = fd;
		t->hop = h;
		t->in_len = 0;
		t->in_text = false;
		assert_int_equal(ev_init(&t->ev, h->world->loop, fd, EV_READ,
		    read_talk, t), OK);
		if (h->greeting != NULL)	/* else it is mute */
			say(t, h->greeting);
		return;
	}
	fail_msg("too many connections");
}

static struct sockaddr_in
hop_address(unsigned no, uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK + no) };
}

/* Have the no-th hop, from 1, at 127.0.0.(no + 1), serve. */
static struct hop *
open_hop(unsigned no)
{
	struct sockaddr_in a = hop_address(no, world->port);
	struct hop *h = &world->hops[no];
	int on = 1;

	h->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)setsockopt(h->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(h->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(h->fd, 100), 0);
	assert_int_equal(ev_init(&h->ev, world->loop, h->fd, EV_READ,
	    take_client, h), OK);
	return h;
}

static void
init_hops(struct world *w)
{
	struct sockaddr_in a = hop_address(0, 0);
	socklen_t len = sizeof(a);

	w->port_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w->port_fd, (struct sockaddr *)&a, sizeof(a)),
	    0);
	assert_int_equal(getsockname(w->port_fd, (struct sockaddr *)&a, &len),
	    0);
	w->port = ntohs(a.sin_port);
	for (unsigned i = 0; i < HOPS_MAX; i++) {
		struct hop *h = &w->hops[i];

		h->world = w;
		h->fd = -1;
		h->greeting = "220 hop.example ESMTP";
		h->ehlo = "250-hop.example\r\n250 PIPELINING";
		h->rcpt = "250 2.1.5 Fine";
		for (unsigned k = 0; k < TALKS_MAX; k++)
			h->talks[k].fd = -1;
	}
}

/* The relay, from the configuration language on. */

static void
open_relay(const char *options, const char *edge)
{
	static char text[4096];
	static const struct memory_file files[] = {
		{ "/etc/conf", text }, { NULL, NULL } };
	static struct memory memory;
	struct world *w = world;
	struct conf_plan plan;
	struct slice process;

	memory = (struct memory){ .files = files };
	snprintf(text, sizeof(text),
	    "process { hostname us.example; run_dir run }\n"
	    "edge in { type smtp; queue main; rules { clients 127.0.0.0/8 }\n"
	    "%s }\n"
	    "queue main { type lmdb; path q; relay out }\n"
	    "relay out { type mx; port %u; tls { security off }\n"
	    "connect_timeout 2s; command_timeout 2s\n"
	    "%s\n%s\n%s }\n", edge, w->port, options,
	    strstr(options, "ipv") != NULL ? "" : "ipv4_only yes",
	    strstr(options, "private_targets") != NULL ? "" :
	    "private_targets yes");		/* hops are on loopback	*/
	if (memory_load(&memory, &w->conf, false) != OK)
		fail_msg("%s", memory.told);
	assert_int_equal(conf_plan(w->conf, &plan), OK);
	for (uint32_t i = 0; i < plan.head.process_cnt; i++)
		if (plan.processes[i].role == ROLE_RELAY)
			assert_int_equal(slice_open(&w->env.block,
			    plan.slices[i]), OK);
	process = slice_process(&w->env.block);
	w->env.loop = w->loop;
	w->env.resolve = w->resolve;
	w->env.hostname = slice_text(&process, "hostname", 0);
	w->kind = relay_type_find(SPAN("mx"), SPAN(""), ROLE_RELAY);
	assert_non_null(w->kind);
	assert_int_equal(w->kind->prepare(&w->relay, &w->env), OK);
	assert_int_equal(w->kind->open(&w->relay, &w->env), OK);
}

/* Deliveries. */

static void
pull_text(struct delivery *d, enum part part, uint32_t piece_no)
{
	assert_int_equal(delivery_add_piece(d, part, piece_no, PIECE_NEXT,
	    SPAN(TEXT)), OK);
}

static void
on_finished(struct delivery *d)
{
	if (++world->finished_cnt == world->delivery_cnt)
		ev_stop(world->loop);
}

/* What came back untried is given anew. */
static void
give_again(struct timer *t, void *arg)
{
	unsigned cnt = world->back_cnt;

	world->back_cnt = 0;
	for (unsigned i = 0; i < cnt; i++)
		world->kind->take(world->relay, world->back[i]);
}

static void
comes_back(struct delivery *d, enum back why)
{
	d->on_end = NULL;
	world->last_back = why;
	world->came_back_cnt++;
	world->back[world->back_cnt++] = d;
	if (world->again.fn == NULL)
		timer_init(&world->again, world->loop, give_again, NULL);
	timer_set(&world->again, 20);
}

static const struct delivery_calls delivery_calls = {
	.pull = pull_text, .finished = on_finished, .back = comes_back,
};

static struct delivery *
make_delivery(const char *destination)
{
	struct msg_delivery_open m = world->wanted;
	struct delivery *d;
	char rcpt[300];

	m.delivery = world->delivery_cnt;
	m.deadline_ms = BUS_NO_DEADLINE;
	m.header_len = sizeof(TEXT) - 1;
	m.rcpt_cnt = world->second != NULL ? 2 : 1;
	if (m.sender.len == 0)
		m.sender = SPAN("s@a.example");
	m.destination = span_of(destination);
	d = delivery_new(&m, &delivery_calls, NULL);
	assert_non_null(d);
	snprintf(rcpt, sizeof(rcpt), "%s@%s", world->user != NULL ?
	    world->user : "r", destination);
	assert_int_equal(delivery_add_rcpt(d, 1, span_of(rcpt)), OK);
	if (world->second != NULL)
		assert_int_equal(delivery_add_rcpt(d, 2,
		    span_of(world->second)), OK);
	assert_true(world->delivery_cnt < DELIVERIES_MAX);
	world->deliveries[world->delivery_cnt++] = d;
	return d;
}

static struct delivery *
take(const char *destination)
{
	struct delivery *d = make_delivery(destination);

	world->kind->take(world->relay, d);
	return d;
}

static void
too_late(struct timer *t, void *arg)
{
	struct world *w = arg;

	w->is_late = true;
	ev_stop(w->loop);
}

/* Until all deliveries are finished. */
static void
run(void)
{
	if (world->finished_cnt == world->delivery_cnt)
		return;
	timer_set(&world->alarm, TEST_MS);
	assert_int_equal(ev_run(world->loop), OK);
	timer_stop(&world->alarm);
	assert_false(world->is_late);
}

/* Take one, and see it through. */
static struct delivery *
deliver(const char *destination)
{
	struct delivery *d = take(destination);

	run();
	return d;
}

/* Let it run on for a while, whatever else stops the loop. */
static void
rest(int64_t ms)
{
	timer_set(&world->alarm, ms);
	while (!world->is_late)
		assert_int_equal(ev_run(world->loop), OK);
	world->is_late = false;
}

static void
want(const struct delivery *d, enum outcome_class class,
    enum outcome_scope scope, unsigned code, const char *dsn)
{
	const struct outcome *o = d->rcpts[0].outcome;
	char text[1100];

	assert_non_null(o);
	assert_true(span_cstr(o->verdict.text, text, sizeof(text)));
	if (o->verdict.code != code || strncmp(text, dsn, strlen(dsn)) != 0 ||
	    o->verdict.class != class || o->verdict.scope != scope)
		fail_msg("%s %s: %u %s", outcome_class_name(o->verdict.class),
		    outcome_scope_name(o->verdict.scope), o->verdict.code,
		    text);
}

static void
want_done(const struct delivery *d)
{
	want(d, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.6.0 ");
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	world = *state = w;
	w->names = calloc(NAMES_MAX, sizeof(*w->names));
	assert_non_null(w->names);
	assert_int_equal(ev_open(&w->loop), OK);
	timer_init(&w->alarm, w->loop, too_late, w);
	init_hops(w);
	open_resolver(w);
	return 0;
}

/* The relay lives as long as its process, so it stays: reachable, no leak. */
static int
tear_down(void **state)
{
	struct world *w = *state;

	assert_true(relay_cnt < RELAYS_MAX);
	relays[relay_cnt++] = w->relay;
	for (unsigned i = 0; i < HOPS_MAX; i++) {
		for (unsigned k = 0; k < TALKS_MAX; k++)
			hang_up(&w->hops[i].talks[k]);
		ev_fini(&w->hops[i].ev);
		if (w->hops[i].fd != -1)
			close(w->hops[i].fd);
	}
	if (w->kind != NULL) {
		w->kind->drain(w->relay);
		for (int i = 0; i < 100 && w->kind->is_busy(w->relay); i++)
			rest(50);
		assert_false(w->kind->is_busy(w->relay));
	}
	link_close(&w->resolver);
	resolve_close(&w->resolve);
	for (unsigned i = 0; i < w->delivery_cnt; i++)
		delivery_free(&w->deliveries[i]);
	conf_free(&w->conf);
	ev_close(&w->loop);
	close(w->port_fd);
	free(w->names);
	free(w);
	return 0;
}

#endif
