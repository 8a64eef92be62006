/*
 * test_resolve - the client of the resolver, against a resolver of the test's
 * own at the other end of a socket pair.
 */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "ask/dnsname.h"
#include "ask/cache.h"
#include "ask/resolve.h"
#include "sys/clock.h"

static int64_t ahead_ms;	/* of the true time */

/* In place of sys/clock.c: a clock that can be put forward. */
int64_t
clock_mono_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ahead_ms + now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_wall_ms(void)
{
	return clock_mono_ms();
}

/* A resolver that answers from what the test has put down. */
struct world {
	struct ev_loop	*loop;
	struct resolve	*resolve;
	struct link	*server;
	bool		 mute;		/* takes questions, says nothing */
	unsigned	 asked;		/* questions that came		*/
	uint64_t	 requests[64];	/* their numbers		*/
	struct msg_resolve_answer a, aaaa, mx;
	unsigned	 lost;
	enum err	 why;

	unsigned	 cnt;		/* answers heard		*/
	struct resolve_found found;	/* the last			*/
	struct resolve_answer answer;
	char		 records[256];
};

static const char v4_records[] = "\4\0\xc0\0\2\1\4\0\xc0\0\2\2";
static const char v6_records[] = "\x10\0" "\x20\x01\x0d\xb8"
    "\0\0\0\0\0\0\0\0\0\0\0\1";

static void
answer(struct world *w, uint64_t request, uint16_t rrtype)
{
	struct msg_resolve_answer m = rrtype == RESOLVE_A ? w->a :
	    rrtype == RESOLVE_AAAA ? w->aaaa : w->mx;

	m.request = request;
	assert_int_equal(link_send_resolve_answer(w->server, &m), OK);
}

static enum err
server_msg(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct world *w = arg;

	assert_int_equal(type, MSG_resolve_ask);
	w->requests[w->asked++ % 64] = m->resolve_ask.request;
	if (!w->mute)
		answer(w, m->resolve_ask.request, m->resolve_ask.rrtype);
	return OK;
}

static void
server_gone(struct link *l, enum err why, void *arg)
{
	struct world *w = arg;

	link_close(&w->server);
}

static void
lost(const struct link_peer *p, enum err why, void *arg)
{
	struct world *w = arg;

	assert_int_equal(p->role, ROLE_RESOLVER);
	w->lost++;
	w->why = why;
}

static void
relink(struct world *w)
{
	static const struct link_peer relay = { .role = ROLE_RELAY };
	static const struct link_peer resolver = { .role = ROLE_RESOLVER };
	int ends[2];

	link_close(&w->server);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(link_open(&w->server, w->loop, ends[0],
	    ROLE_RESOLVER, &relay, server_msg, server_gone, w), OK);
	assert_int_equal(resolve_set_link(w->resolve, ends[1], ROLE_RELAY,
	    &resolver), OK);
}

static void
stop(struct timer *t, void *arg)
{
	struct world *w = arg;

	ev_stop(w->loop);
}

static void
run(struct world *w, int64_t ms)
{
	struct timer t;

	timer_init(&t, w->loop, stop, w);
	timer_set(&t, ms);
	assert_int_equal(ev_run(w->loop), OK);
	timer_stop(&t);
}

static void
open_world(struct world *w)
{
	*w = (struct world){
		.a = { .status = RESOLVED, .trust = TRUST_SECURE,
		    .ttl_s = 100, .name = SPAN("mx.example"),
		    .records = SPAN(v4_records) },
		.aaaa = { .status = RESOLVED, .trust = TRUST_INSECURE,
		    .ttl_s = 50, .name = SPAN("mx.example"),
		    .records = SPAN(v6_records) },
	};
	w->mx = (struct msg_resolve_answer){ .status = RESOLVED, .ttl_s = 9,
	    .name = SPAN("example"), .records = SPAN("\3\0\0\5\0") };
	assert_int_equal(ev_open(&w->loop), OK);
	assert_int_equal(resolve_open(&w->resolve, w->loop, lost, w), OK);
}

static void
close_world(struct world *w)
{
	resolve_close(&w->resolve);
	link_close(&w->server);
	ev_close(&w->loop);
}

static void
hear_found(const struct resolve_found *f, void *arg)
{
	struct world *w = arg;

	w->found = *f;
	w->cnt++;
	ev_stop(w->loop);
}

static void
hear_answer(const struct resolve_answer *a, void *arg)
{
	struct world *w = arg;

	w->answer = *a;
	assert_true(a->records.len <= sizeof(w->records));
	if (a->records.len > 0)
		memcpy(w->records, a->records.ptr, a->records.len);
	w->cnt++;
	ev_stop(w->loop);
}

static void
want_addresses(struct world *w, const char *host, unsigned families)
{
	unsigned before = w->cnt;

	assert_non_null(resolve_addresses(w->resolve, span_of(host),
	    families, hear_found, w));
	assert_int_equal(w->cnt, before);	/* never at once */
	run(w, 2000);
	assert_int_equal(w->cnt, before + 1);
}

static void
numeric_text_needs_no_resolver(void **state)
{
	static const struct {
		const char	*text;
		uint8_t		 family, first;
	} cases[] = {
		{ "192.0.2.7", 4, 192 }, { "[192.0.2.7]", 4, 192 },
		{ "2001:db8::7", 6, 0x20 }, { "[2001:db8::7]", 6, 0x20 },
		{ "::1", 6, 0 },
	};
	struct world w;

	open_world(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		want_addresses(&w, cases[i].text, RESOLVE_BOTH);
		assert_int_equal(w.found.status, RESOLVED);
		assert_int_equal(w.found.address_cnt, 1);
		assert_int_equal(w.found.addresses[0].family, cases[i].family);
		assert_int_equal(w.found.addresses[0].bytes[0],
		    cases[i].first);
	}
	want_addresses(&w, "2001:db8::7", RESOLVE_IPV4);
	assert_int_equal(w.found.status, RESOLVED_NODATA);
	want_addresses(&w, "192.0.2.7", RESOLVE_IPV6);
	assert_int_equal(w.found.status, RESOLVED_NODATA);
	assert_int_equal(w.asked, 0);
	close_world(&w);
}

static void
what_is_no_name_does_not_exist(void **state)
{
	static const char *const names[] = {
		"", ".", "a..b", ".a", "a b", "a\\.b", "[::1",
		"[]", "*.example", "x@example", "caf\xc3\xa9.example",
		("sixty-four-bytes-make-a-label-that-is-one-too-long-for-"
		    "the-rules.example"),
	};
	struct world w;

	open_world(&w);
	relink(&w);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		want_addresses(&w, names[i], RESOLVE_BOTH);
		assert_int_equal(w.found.status, RESOLVED_NXDOMAIN);
		assert_int_equal(w.found.address_cnt, 0);
	}
	assert_int_equal(w.asked, 0);
	close_world(&w);
}

static void
both_families_are_one_answer(void **state)
{
	struct world w;

	open_world(&w);
	relink(&w);
	want_addresses(&w, "MX.Example.", RESOLVE_BOTH);
	assert_int_equal(w.asked, 2);
	assert_int_equal(w.found.status, RESOLVED);
	assert_int_equal(w.found.trust, TRUST_INSECURE);
	assert_int_equal(w.found.ttl_s, 50);
	assert_int_equal(w.found.address_cnt, 3);
	assert_int_equal(w.found.addresses[0].family, 6);
	assert_int_equal(w.found.addresses[1].family, 4);
	assert_int_equal(w.found.addresses[2].family, 4);
	assert_int_not_equal(w.found.addresses[1].bytes[3],
	    w.found.addresses[2].bytes[3]);
	close_world(&w);
}

static void
trust_is_that_of_the_weaker(void **state)
{
	static const struct {
		enum resolve_trust v6, v4, both;
	} cases[] = {
		{ TRUST_SECURE, TRUST_SECURE, TRUST_SECURE },
		{ TRUST_SECURE, TRUST_INSECURE, TRUST_INSECURE },
		{ TRUST_INSECURE, TRUST_SECURE, TRUST_INSECURE },
		{ TRUST_BOGUS, TRUST_SECURE, TRUST_BOGUS },
		{ TRUST_INSECURE, TRUST_BOGUS, TRUST_BOGUS },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w;

		open_world(&w);
		relink(&w);
		w.aaaa.trust = (uint8_t)cases[i].v6;
		w.a.trust = (uint8_t)cases[i].v4;
		want_addresses(&w, "mx.example", RESOLVE_BOTH);
		assert_int_equal(w.found.trust, cases[i].both);
		close_world(&w);
	}
}

/* RFC 6761 6.3. */
static void
localhost_is_both_loopback_addresses(void **state)
{
	static const char *const names[] = { "localhost", "LocalHost.",
	    "mail.localhost" };
	struct world w;

	open_world(&w);
	relink(&w);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		want_addresses(&w, names[i], RESOLVE_BOTH);
		assert_int_equal(w.found.status, RESOLVED);
		assert_int_equal(w.found.address_cnt, 2);
		assert_int_equal(w.found.addresses[0].family, 6);
		assert_int_equal(w.found.addresses[0].bytes[0], 0);
		assert_int_equal(w.found.addresses[0].bytes[15], 1);
		assert_int_equal(w.found.addresses[1].family, 4);
		assert_memory_equal(w.found.addresses[1].bytes, "\x7f\0\0\1",
		    4);
		want_addresses(&w, names[i], RESOLVE_IPV4);
		assert_int_equal(w.found.address_cnt, 1);
		assert_int_equal(w.found.addresses[0].family, 4);
	}
	assert_int_equal(w.asked, 0);
	want_addresses(&w, "localhost.example", RESOLVE_BOTH);
	assert_int_equal(w.asked, 2);
	close_world(&w);
}

static void
one_family_is_asked_for_once(void **state)
{
	struct world w;

	open_world(&w);
	relink(&w);
	want_addresses(&w, "mx.example", RESOLVE_IPV4);
	assert_int_equal(w.asked, 1);
	assert_int_equal(w.found.address_cnt, 2);
	assert_int_equal(w.found.trust, TRUST_SECURE);
	assert_int_equal(w.found.ttl_s, 100);
	want_addresses(&w, "mx.example", RESOLVE_IPV6);
	assert_int_equal(w.asked, 2);
	assert_int_equal(w.found.address_cnt, 1);
	close_world(&w);
}

static void
a_family_that_fails_leaves_the_other(void **state)
{
	struct world w;

	open_world(&w);
	relink(&w);
	w.aaaa = (struct msg_resolve_answer){ .status = RESOLVED_FAILED,
	    .trust = TRUST_SECURE };
	want_addresses(&w, "mx.example", RESOLVE_BOTH);
	assert_int_equal(w.found.status, RESOLVED);
	assert_int_equal(w.found.address_cnt, 2);
	assert_int_equal(w.found.trust, TRUST_INSECURE);
	close_world(&w);
}

static void
without_addresses_a_failure_counts(void **state)
{
	static const struct {
		enum resolve_status v6, v4, both;
	} cases[] = {
		{ RESOLVED_FAILED, RESOLVED_NODATA, RESOLVED_FAILED },
		{ RESOLVED_NODATA, RESOLVED_FAILED, RESOLVED_FAILED },
		{ RESOLVED_NODATA, RESOLVED_NODATA, RESOLVED_NODATA },
		{ RESOLVED_NXDOMAIN, RESOLVED_NXDOMAIN, RESOLVED_NXDOMAIN },
		{ RESOLVED_NXDOMAIN, RESOLVED_NODATA, RESOLVED_NODATA },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w;

		open_world(&w);
		relink(&w);
		w.aaaa = (struct msg_resolve_answer){
		    .status = (uint8_t)cases[i].v6, .trust = TRUST_BOGUS };
		w.a = (struct msg_resolve_answer){
		    .status = (uint8_t)cases[i].v4 };
		want_addresses(&w, "mx.example", RESOLVE_BOTH);
		assert_int_equal(w.found.status, cases[i].both);
		assert_int_equal(w.found.trust, TRUST_BOGUS);
		close_world(&w);
	}
}

static void
many_addresses_are_cut_fairly(void **state)
{
	char v4[30 * 6], v6[30 * 18];
	unsigned fours = 0;
	struct world w;

	open_world(&w);
	relink(&w);
	memset(v4, 7, sizeof(v4));
	memset(v6, 7, sizeof(v6));
	for (unsigned i = 0; i < 30; i++) {
		memcpy(v4 + i * 6, "\4\0", 2);
		memcpy(v6 + i * 18, "\x10\0", 2);
	}
	w.a.records = (struct span){ v4, sizeof(v4) };
	w.aaaa.records = (struct span){ v6, sizeof(v6) };
	want_addresses(&w, "mx.example", RESOLVE_BOTH);
	assert_int_equal(w.found.address_cnt, RESOLVE_ADDRESSES_MAX);
	for (unsigned i = 0; i < w.found.address_cnt; i++)
		fours += w.found.addresses[i].family == 4;
	assert_int_equal(fours, RESOLVE_ADDRESSES_MAX / 2);
	close_world(&w);
}

/* Each of 1,001 has its turn; none of them stands in a list twice. */
static void
of_a_thousand_addresses_others_come_each_time(void **state)
{
	static char v4[1001 * 6];
	bool seen[1001] = { false };
	unsigned cnt = 0;
	struct world w;

	open_world(&w);
	relink(&w);
	for (unsigned i = 0; i < 1001; i++) {
		memcpy(v4 + i * 6, "\4\0\1\1", 4);
		v4[i * 6 + 4] = (char)(i >> 8);
		v4[i * 6 + 5] = (char)i;
	}
	w.a.records = (struct span){ v4, sizeof(v4) };
	for (unsigned turn = 0; turn < 500; turn++) {
		want_addresses(&w, "mx.example", true);
		assert_int_equal(w.found.address_cnt, RESOLVE_ADDRESSES_MAX);
		assert_true(w.found.left_out);
		for (unsigned i = 0; i < w.found.address_cnt; i++) {
			const uint8_t *b = w.found.addresses[i].bytes;
			unsigned no = (unsigned)b[2] << 8 | b[3];

			assert_true(no < 1001);
			cnt += !seen[no];
			seen[no] = true;
		}
	}
	assert_true(cnt > 950);
	close_world(&w);
}

static void
answers_are_kept_to_their_ttl(void **state)
{
	struct world w;

	open_world(&w);
	relink(&w);
	want_addresses(&w, "mx.example", true);
	ahead_ms += 99 * 1000;
	run(&w, 1);
	want_addresses(&w, "mx.example", true);
	assert_int_equal(w.asked, 1);
	assert_in_range(w.found.ttl_s, 0, 1);
	ahead_ms += 1100;
	run(&w, 1);
	want_addresses(&w, "mx.example", true);
	assert_int_equal(w.asked, 2);
	close_world(&w);
}

static void
no_is_believed_for_a_minute_at_most(void **state)
{
	struct world w;

	open_world(&w);
	relink(&w);
	w.a = (struct msg_resolve_answer){ .status = RESOLVED_NXDOMAIN,
	    .ttl_s = 86400 };
	want_addresses(&w, "mx.example", true);
	want_addresses(&w, "mx.example", true);
	assert_int_equal(w.asked, 1);
	ahead_ms += RESOLVE_NEGATIVE_S * 1000 + 10;
	run(&w, 1);
	want_addresses(&w, "mx.example", true);
	assert_int_equal(w.asked, 2);
	close_world(&w);
}

static void
a_failure_is_not_remembered(void **state)
{
	struct world w;

	open_world(&w);
	relink(&w);
	w.a = (struct msg_resolve_answer){ .status = RESOLVED_FAILED,
	    .ttl_s = 100 };
	want_addresses(&w, "mx.example", true);
	want_addresses(&w, "mx.example", true);
	assert_int_equal(w.asked, 2);
	close_world(&w);
}

static void
the_same_question_goes_out_once(void **state)
{
	struct world w;

	open_world(&w);
	relink(&w);
	w.mute = true;
	for (unsigned i = 0; i < 5; i++)
		assert_non_null(resolve_addresses(w.resolve,
		    SPAN("mx.example"), RESOLVE_BOTH, hear_found, &w));
	run(&w, 20);
	assert_int_equal(w.asked, 2);
	answer(&w, w.requests[0], RESOLVE_AAAA);
	answer(&w, w.requests[1], RESOLVE_A);
	for (unsigned i = 0; i < 5; i++)
		run(&w, 20);
	assert_int_equal(w.cnt, 5);
	close_world(&w);
}

static void
a_dead_resolver_costs_patience_and_no_more(void **state)
{
	struct world w;

	open_world(&w);
	assert_non_null(resolve_addresses(w.resolve, SPAN("mx.example"),
	    RESOLVE_BOTH, hear_found, &w));
	run(&w, 10);
	ahead_ms += RESOLVE_PATIENCE_MS - 1000;
	run(&w, 10);
	assert_int_equal(w.cnt, 0);
	ahead_ms += 1100;
	run(&w, 100);
	assert_int_equal(w.cnt, 1);
	assert_int_equal(w.found.status, RESOLVED_FAILED);
	close_world(&w);
}

static void
a_new_link_is_asked_again(void **state)
{
	struct world w;

	open_world(&w);
	relink(&w);
	w.mute = true;
	assert_non_null(resolve_addresses(w.resolve, SPAN("mx.example"),
	    RESOLVE_IPV4, hear_found, &w));
	run(&w, 20);
	assert_int_equal(w.asked, 1);
	link_close(&w.server);
	run(&w, 20);
	assert_int_equal(w.lost, 1);
	assert_int_equal(w.why, ERR_CLOSED);
	w.mute = false;
	relink(&w);
	run(&w, 1000);
	assert_int_equal(w.asked, 2);
	assert_int_equal(w.requests[0], w.requests[1]);
	assert_int_equal(w.cnt, 1);
	assert_int_equal(w.found.status, RESOLVED);
	close_world(&w);
}

static void
a_cancelled_query_stays_silent(void **state)
{
	struct resolve_query *q;
	struct world w;

	open_world(&w);
	relink(&w);
	q = resolve_addresses(w.resolve, SPAN("mx.example"), RESOLVE_BOTH,
	    hear_found, &w);
	resolve_cancel(&q);
	assert_null(q);
	resolve_cancel(&q);
	w.mute = true;
	q = resolve_addresses(w.resolve, SPAN("mx.example"), RESOLVE_BOTH,
	    hear_found, &w);
	run(&w, 20);
	resolve_cancel(&q);
	answer(&w, w.requests[0], RESOLVE_AAAA);
	answer(&w, w.requests[1], RESOLVE_A);
	run(&w, 20);
	assert_int_equal(w.cnt, 0);
	assert_int_equal(w.lost, 0);
	/* What came anyway is remembered. */
	want_addresses(&w, "mx.example", RESOLVE_BOTH);
	assert_int_equal(w.asked, 2);
	close_world(&w);
}

static void
any_type_can_be_asked(void **state)
{
	struct span records, one;
	struct world w;

	open_world(&w);
	relink(&w);
	assert_non_null(resolve_ask(w.resolve, RESOLVE_MX, SPAN("Example"),
	    hear_answer, &w));
	run(&w, 1000);
	assert_int_equal(w.cnt, 1);
	assert_int_equal(w.answer.status, RESOLVED);
	records = (struct span){ w.records, w.answer.records.len };
	assert_true(resolve_record(&records, &one));
	assert_int_equal(one.len, 3);
	assert_false(resolve_record(&records, &one));
	assert_non_null(resolve_ask(w.resolve, RESOLVE_MX, SPAN("a..b"),
	    hear_answer, &w));
	run(&w, 1000);
	assert_int_equal(w.answer.status, RESOLVED_NXDOMAIN);
	close_world(&w);
}

static void
nonsense_costs_the_link(void **state)
{
	static const struct msg_resolve_answer bad[] = {
		{ .request = 1000, .status = RESOLVED_FAILED },
		{ .status = RESOLVE__COUNT },
		{ .trust = TRUST__COUNT, .status = RESOLVED_FAILED },
		{ .status = RESOLVED },			/* no records */
		{ .status = RESOLVED_NODATA,
		    .records = { "\1\0x", 3 } },
		{ .status = RESOLVED, .records = { "\5\0x", 3 } },
		{ .status = RESOLVED, .records = { "\1\0x", 3 },
		    .name = { "a b", 3 } },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct msg_resolve_answer m = bad[i];
		struct world w;

		open_world(&w);
		relink(&w);
		w.mute = true;
		assert_non_null(resolve_addresses(w.resolve, SPAN("x.example"),
		    RESOLVE_IPV4, hear_found, &w));
		run(&w, 20);
		assert_int_equal(w.lost, 0);
		m.request += w.requests[0];
		assert_int_equal(link_send_resolve_answer(w.server, &m), OK);
		run(&w, 20);
		assert_int_equal(w.lost, 1);
		assert_int_equal(w.why, ERR_PEER);
		assert_int_equal(w.cnt, 0);
		close_world(&w);
	}
}

static void
records_that_lie_about_their_length_end(void **state)
{
	struct span all = { "\2\0ab\7\0abc", 9 }, one;

	assert_true(resolve_record(&all, &one));
	assert_int_equal(one.len, 2);
	assert_false(resolve_record(&all, &one));
	assert_int_equal(all.len, 0);
}

/* Closes the world it is called in. */
static void
hear_and_close(const struct resolve_found *f, void *arg)
{
	struct world *w = arg;

	w->cnt++;
	resolve_close(&w->resolve);
}

static void
a_callback_may_close_everything(void **state)
{
	struct world w;

	open_world(&w);
	relink(&w);
	for (unsigned i = 0; i < 3; i++)
		assert_non_null(resolve_addresses(w.resolve,
		    SPAN("mx.example"), RESOLVE_BOTH, hear_and_close, &w));
	run(&w, 50);
	assert_int_equal(w.cnt, 1);
	assert_null(w.resolve);
	close_world(&w);
}

static void
the_least_used_answer_makes_room(void **state)
{
	struct resolve_answer a = { .status = RESOLVED, .ttl_s = 10,
	    .records = SPAN("\1\0x") }, out;
	struct cache *k = cache_new(2);

	assert_non_null(k);
	cache_keep(k, "a", 1, &a, 0);
	cache_keep(k, "b", 1, &a, 0);
	assert_true(cache_find(k, "a", 1, 0, &out));
	cache_keep(k, "c", 1, &a, 0);
	assert_int_equal(cache_count(k), 2);
	assert_true(cache_find(k, "a", 1, 0, &out));
	assert_false(cache_find(k, "b", 1, 0, &out));
	assert_false(cache_find(k, "a", 28, 0, &out));
	assert_true(cache_find(k, "c", 1, 9999, &out));
	assert_int_equal(out.ttl_s, 1);
	assert_false(cache_find(k, "c", 1, 10000, &out));
	a.ttl_s = 0;
	cache_keep(k, "a", 1, &a, 0);
	assert_false(cache_find(k, "a", 1, 0, &out));
	cache_free(&k);
	assert_null(k);
}

static void
names_are_held_to_the_limits(void **state)
{
	char name[260], out[DNSNAME_MAX + 1];

	memset(name, 'a', sizeof(name));
	for (size_t i = 63; i < sizeof(name); i += 64)
		name[i] = '.';
	assert_true(dnsname_fold((struct span){ name, 253 }, out));
	assert_false(dnsname_fold((struct span){ name, 254 }, out));
	assert_true(dnsname_fold((struct span){ name, 63 }, out));
	name[63] = 'a';
	assert_false(dnsname_fold((struct span){ name, 64 }, out));
	assert_true(dnsname_fold(SPAN("_25._TCP.Mx-1.Example."), out));
	assert_string_equal(out, "_25._tcp.mx-1.example");
	assert_false(dnsname_fold(SPAN("a.."), out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numeric_text_needs_no_resolver),
		cmocka_unit_test(what_is_no_name_does_not_exist),
		cmocka_unit_test(both_families_are_one_answer),
		cmocka_unit_test(trust_is_that_of_the_weaker),
		cmocka_unit_test(localhost_is_both_loopback_addresses),
		cmocka_unit_test(one_family_is_asked_for_once),
		cmocka_unit_test(a_family_that_fails_leaves_the_other),
		cmocka_unit_test(without_addresses_a_failure_counts),
		cmocka_unit_test(many_addresses_are_cut_fairly),
		cmocka_unit_test(of_a_thousand_addresses_others_come_each_time),
		cmocka_unit_test(answers_are_kept_to_their_ttl),
		cmocka_unit_test(no_is_believed_for_a_minute_at_most),
		cmocka_unit_test(a_failure_is_not_remembered),
		cmocka_unit_test(the_same_question_goes_out_once),
		cmocka_unit_test(a_dead_resolver_costs_patience_and_no_more),
		cmocka_unit_test(a_new_link_is_asked_again),
		cmocka_unit_test(a_cancelled_query_stays_silent),
		cmocka_unit_test(any_type_can_be_asked),
		cmocka_unit_test(nonsense_costs_the_link),
		cmocka_unit_test(records_that_lie_about_their_length_end),
		cmocka_unit_test(a_callback_may_close_everything),
		cmocka_unit_test(the_least_used_answer_makes_room),
		cmocka_unit_test(names_are_held_to_the_limits),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
