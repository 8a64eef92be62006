/*
 * test_resolver_dns - libunbound behind dns.h, against a name server of ours.
 *
 * room: resolver
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "resolver/dns.h"
#include "sys/clock.h"
#include "resolver_nsd.h"

#define MANY		40000	/* names, more than fit by default	*/
#define MANY_AT_ONCE	500

static struct nsd nsd;
static int64_t ahead_ms;	/* of the true time */
static const char *const anchors[] = { SIGNED_ANCHOR, NULL };

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

struct heard {
	struct ev_loop	*loop;
	unsigned	 cnt;		/* answers so far	*/
	unsigned	 wanted;	/* stop after so many	*/
	struct resolve_answer answer;	/* the last		*/
	char		 name[256];
	unsigned	 record_cnt;
	char		 records[8][64];
	size_t		 lens[8];
};

static void
hear(const struct resolve_answer *a, void *arg)
{
	struct span records = a->records, one;
	struct heard *h = arg;

	h->answer = *a;
	h->record_cnt = 0;
	assert_true(span_cstr(a->name, h->name, sizeof(h->name)));
	while (resolve_record(&records, &one)) {
		assert_true(one.len <= 64);
		if (h->record_cnt < 8) {
			memcpy(h->records[h->record_cnt], one.ptr, one.len);
			h->lens[h->record_cnt] = one.len;
		}
		h->record_cnt++;
	}
	if (++h->cnt >= h->wanted)
		ev_stop(h->loop);
}

static void
hear_none(const struct resolve_answer *a, void *arg)
{
	struct heard *h = arg;

	assert_int_equal(a->status, RESOLVED_NXDOMAIN);
	if (++h->cnt >= h->wanted)
		ev_stop(h->loop);
}

static void
too_late(struct timer *t, void *arg)
{
	fail_msg("no answer came");
}

static void
wait_for(struct heard *h, int64_t patience_ms)
{
	struct timer t;

	timer_init(&t, h->loop, too_late, NULL);
	timer_set(&t, patience_ms);
	assert_int_equal(ev_run(h->loop), OK);
	timer_stop(&t);
}

static void
set_stub(struct settings *s, unsigned i, const char *zone)
{
	strlcpy(s->stubs[i].zone, zone, sizeof(s->stubs[i].zone));
	strlcpy(s->stubs[i].address, nsd.address, sizeof(s->stubs[i].address));
	s->stub_cnt = i + 1;
}

static struct dns *
open_stubs(struct ev_loop *loop)
{
	static struct settings s;
	struct dns *d;

	memset(&s, 0, sizeof(s));
	s.anchors = anchors;
	set_stub(&s, 0, "plain.example");
	set_stub(&s, 1, "signed.example");
	assert_int_equal(dns_open(&d, loop, &s, stderr), OK);
	return d;
}

/* One question by a context of its own. */
static struct heard
ask(const char *name, uint16_t rrtype)
{
	struct heard h = { .wanted = 1 };
	struct dns *d;

	assert_int_equal(ev_open(&h.loop), OK);
	d = open_stubs(h.loop);
	assert_non_null(dns_ask(d, name, rrtype, hear, &h));
	assert_int_equal(h.cnt, 0);
	wait_for(&h, 20000);
	dns_close(&d);
	ev_close(&h.loop);
	return h;
}

static void
addresses_come_with_their_ttl(void **state)
{
	struct heard h = ask("mx.plain.example", RESOLVE_A);

	assert_int_equal(h.answer.status, RESOLVED);
	assert_int_equal(h.answer.trust, TRUST_INSECURE);
	assert_in_range(h.answer.ttl_s, 85, 90);
	assert_int_equal(h.record_cnt, 2);
	assert_int_equal(h.lens[0], 4);
	assert_memory_equal(h.records[0], "\xc0\0\2", 3);
	assert_int_equal((h.records[0][3] ^ h.records[1][3]) & 0xff, 1 ^ 2);
}

static void
ipv6_addresses_come_too(void **state)
{
	struct heard h = ask("mx.plain.example", RESOLVE_AAAA);

	assert_int_equal(h.answer.status, RESOLVED);
	assert_int_equal(h.record_cnt, 1);
	assert_int_equal(h.lens[0], 16);
	assert_memory_equal(h.records[0], "\x20\x01\x0d\xb8", 4);
}

/* More than a frame holds: as many as go in. */
static void
a_thousand_addresses_are_cut_not_refused(void **state)
{
	struct heard h = ask("huge.plain.example", RESOLVE_AAAA);

	assert_int_equal(h.answer.status, RESOLVED);
	assert_in_range(h.record_cnt, 900, 1000);
	assert_int_equal(h.lens[0], 16);
}

static void
of_a_thousand_hosts_the_best_are_kept(void **state)
{
	struct heard h = ask("huge.plain.example", RESOLVE_MX);

	assert_int_equal(h.answer.status, RESOLVED);
	assert_in_range(h.record_cnt, 100, 1000);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal((uint8_t)h.records[i][0] << 8 |
		    (uint8_t)h.records[i][1], i + 1);
}

static void
an_alias_is_followed_and_its_end_named(void **state)
{
	struct heard h = ask("alias.plain.example", RESOLVE_A);

	assert_int_equal(h.answer.status, RESOLVED);
	assert_string_equal(h.name, "mx.plain.example");
	assert_int_equal(h.record_cnt, 2);
}

static void
names_in_records_are_not_compressed(void **state)
{
	struct heard h = ask("plain.example", RESOLVE_MX);

	assert_int_equal(h.answer.status, RESOLVED);
	assert_int_equal(h.record_cnt, 2);
	for (unsigned i = 0; i < 2; i++) {
		const char *end = h.records[i][1] == 10 ?
		    "\2mx\5plain\7example" : "\4four\5plain\7example";

		assert_int_equal(h.lens[i], 2 + strlen(end) + 1);
		assert_memory_equal(h.records[i] + 2, end, strlen(end) + 1);
	}
}

static void
no_such_type_and_no_such_name_differ(void **state)
{
	struct heard h = ask("four.plain.example", RESOLVE_AAAA);

	assert_int_equal(h.answer.status, RESOLVED_NODATA);
	assert_int_equal(h.record_cnt, 0);
	h = ask("none.plain.example", RESOLVE_A);
	assert_int_equal(h.answer.status, RESOLVED_NXDOMAIN);
	assert_in_range(h.answer.ttl_s, 1, 900);
}

static void
what_validates_is_secure(void **state)
{
	struct heard h = ask("mx.signed.example", RESOLVE_AAAA);

	assert_int_equal(h.answer.status, RESOLVED);
	assert_int_equal(h.answer.trust, TRUST_SECURE);
	h = ask("_25._tcp.mx.signed.example", RESOLVE_TLSA);
	assert_int_equal(h.answer.status, RESOLVED);
	assert_int_equal(h.answer.trust, TRUST_SECURE);
	assert_int_equal(h.lens[0], 35);
	h = ask("none.signed.example", RESOLVE_A);
	assert_int_equal(h.answer.status, RESOLVED_NXDOMAIN);
	assert_int_equal(h.answer.trust, TRUST_SECURE);
}

static void
what_was_forged_is_not_shown(void **state)
{
	struct heard h = ask("forged.signed.example", RESOLVE_A);

	assert_int_equal(h.answer.status, RESOLVED_FAILED);
	assert_int_equal(h.answer.trust, TRUST_BOGUS);
	assert_int_equal(h.record_cnt, 0);
}

static void
localhost_needs_no_server(void **state)
{
	struct heard h = ask("localhost", RESOLVE_A);

	assert_int_equal(h.answer.status, RESOLVED);
	assert_int_equal(h.record_cnt, 1);
	assert_memory_equal(h.records[0], "\x7f\0\0\1", 4);
}

static void
a_forwarder_is_asked_everything(void **state)
{
	static struct settings s;
	struct heard h = { .wanted = 1 };
	struct dns *d;

	memset(&s, 0, sizeof(s));
	s.anchors = anchors;
	strlcpy(s.forwards[0], nsd.address, sizeof(s.forwards[0]));
	s.forward_cnt = 1;
	assert_int_equal(ev_open(&h.loop), OK);
	assert_int_equal(dns_open(&d, h.loop, &s, stderr), OK);
	assert_non_null(dns_ask(d, "four.plain.example", RESOLVE_A, hear, &h));
	wait_for(&h, 20000);
	assert_int_equal(h.answer.status, RESOLVED);
	dns_close(&d);
	ev_close(&h.loop);
}

/* The library answers "test" itself, unless a stub wants it. */
static void
a_stub_below_a_built_in_zone_is_asked(void **state)
{
	static struct settings s;
	struct heard h = { .wanted = 1 };
	struct dns *d;

	memset(&s, 0, sizeof(s));
	s.anchors = anchors;
	set_stub(&s, 0, "mail.test");
	assert_int_equal(ev_open(&h.loop), OK);
	assert_int_equal(dns_open(&d, h.loop, &s, stderr), OK);
	assert_non_null(dns_ask(d, "mx.mail.test", RESOLVE_A, hear, &h));
	wait_for(&h, 20000);
	/* The server does not serve it: it refuses, which is no NXDOMAIN. */
	assert_int_equal(h.answer.status, RESOLVED_FAILED);
	dns_close(&d);
	ev_close(&h.loop);
}

/* Two of them, for the library takes no more options after the first zone. */
static void
private_zones_need_no_anchor(void **state)
{
	static const char *const names[] = {
		"mx.plain.example", "mx.signed.example" };
	static const char *const none[] = { NULL };
	static struct settings s;
	struct heard h = { 0 };
	struct dns *d;

	memset(&s, 0, sizeof(s));
	s.anchors = none;
	set_stub(&s, 0, "plain.example");
	set_stub(&s, 1, "signed.example");
	assert_int_equal(ev_open(&h.loop), OK);
	assert_int_equal(dns_open(&d, h.loop, &s, stderr), OK);
	for (unsigned i = 0; i < 2; i++) {
		h.wanted = i + 1;
		assert_non_null(dns_ask(d, names[i], RESOLVE_A, hear, &h));
		wait_for(&h, 20000);
		assert_int_equal(h.answer.status, RESOLVED);
		assert_int_equal(h.answer.trust, TRUST_INSECURE);
	}
	dns_close(&d);
	ev_close(&h.loop);
}

/* It would say so only at the first question, and answer none. */
static void
an_anchor_that_is_none_is_told_when_opening(void **state)
{
	static const char *const bad[] = {
		"signed.example. IN DS 63187 13 2 30a1491c8368f",
		NULL };
	static struct settings s;
	FILE *quiet = fopen("/dev/null", "w");
	struct ev_loop *loop;
	struct dns *d;

	memset(&s, 0, sizeof(s));
	s.anchors = bad;
	assert_non_null(quiet);
	assert_int_equal(ev_open(&loop), OK);
	assert_int_equal(dns_open(&d, loop, &s, quiet), ERR_SYS);
	s.anchors = anchors;
	assert_int_equal(dns_open(&d, loop, &s, quiet), OK);
	dns_close(&d);
	ev_close(&loop);
	fclose(quiet);
}

/* Another key than the one it is signed with. */
static void
a_zone_that_its_anchor_does_not_sign_is_bogus(void **state)
{
	static const char *const other[] = { "signed.example. IN DS 63187 13 2 "
	    "00a1491c8368f304815678b60f645eabad993d3ac36d8be0787cf082ddec1502",
	    NULL };
	static struct settings s;
	struct heard h = { .wanted = 1 };
	struct dns *d;

	memset(&s, 0, sizeof(s));
	s.anchors = other;
	set_stub(&s, 0, "signed.example");
	assert_int_equal(ev_open(&h.loop), OK);
	assert_int_equal(dns_open(&d, h.loop, &s, stderr), OK);
	assert_non_null(dns_ask(d, "signed.example", RESOLVE_MX, hear, &h));
	wait_for(&h, 20000);
	assert_int_equal(h.answer.status, RESOLVED_FAILED);
	assert_int_equal(h.answer.trust, TRUST_BOGUS);
	assert_int_equal(h.record_cnt, 0);
	dns_close(&d);
	ev_close(&h.loop);
}

static void
a_thousand_questions_are_all_answered(void **state)
{
	struct heard h = { .wanted = 1000 };
	struct dns *d;

	assert_int_equal(ev_open(&h.loop), OK);
	d = open_stubs(h.loop);
	for (unsigned i = 0; i < h.wanted; i++) {
		char name[64];

		snprintf(name, sizeof(name), "n%u.plain.example", i);
		assert_non_null(dns_ask(d, name, RESOLVE_A, hear, &h));
	}
	wait_for(&h, 20000);
	assert_int_equal(h.cnt, 1000);
	assert_int_equal(h.answer.status, RESOLVED_NXDOMAIN);
	dns_close(&d);
	ev_close(&h.loop);
}

static void
what_was_cancelled_is_not_answered(void **state)
{
	struct heard silent = { .wanted = 1 }, h = { .wanted = 1 };
	struct dns_query *q;
	struct dns *d;

	assert_int_equal(ev_open(&h.loop), OK);
	silent.loop = h.loop;
	d = open_stubs(h.loop);
	q = dns_ask(d, "mx.plain.example", RESOLVE_A, hear, &silent);
	assert_non_null(q);
	assert_non_null(dns_ask(d, "four.plain.example", RESOLVE_A, hear, &h));
	dns_cancel(&q);
	assert_null(q);
	wait_for(&h, 20000);
	assert_int_equal(silent.cnt, 0);
	dns_close(&d);
	ev_close(&h.loop);
}

static void
a_retired_resolver_still_answers(void **state)
{
	struct heard h = { .wanted = 1 };
	struct dns *d;

	assert_int_equal(ev_open(&h.loop), OK);
	d = open_stubs(h.loop);
	assert_non_null(dns_ask(d, "mx.plain.example", RESOLVE_A, hear, &h));
	dns_retire(&d);
	assert_null(d);
	wait_for(&h, 20000);
	assert_int_equal(h.answer.status, RESOLVED);
	/* It closes itself at the end of that turn: the leak check sees it. */
	ev_close(&h.loop);
}

static void
jump(struct timer *t, void *arg)
{
	struct heard *h = arg;

	assert_int_equal(h->cnt, 0);
	ahead_ms += DNS_PATIENCE_MS - 1000;
}

static void
a_silent_server_is_given_up_in_time(void **state)
{
	static struct settings s;
	struct heard h = { .wanted = 1 };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timer soon;
	struct dns *d;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	memset(&s, 0, sizeof(s));
	s.anchors = anchors;
	snprintf(s.forwards[0], sizeof(s.forwards[0]), "127.0.0.1@%d",
	    ntohs(sin.sin_port));
	s.forward_cnt = 1;
	assert_int_equal(ev_open(&h.loop), OK);
	assert_int_equal(dns_open(&d, h.loop, &s, stderr), OK);
	timer_init(&soon, h.loop, jump, &h);
	timer_set(&soon, 200);
	assert_non_null(dns_ask(d, "mx.plain.example", RESOLVE_A, hear, &h));
	wait_for(&h, DNS_PATIENCE_MS + 3000);
	assert_int_equal(h.answer.status, RESOLVED_FAILED);
	dns_close(&d);
	ev_close(&h.loop);
	close(fd);
}

/* Names beneath plain.example that do not exist, some of them at a time. */
static void
ask_many(struct dns *d, struct heard *h, unsigned from, unsigned to)
{
	char name[32];

	for (unsigned i = from; i < to; i += MANY_AT_ONCE) {
		h->cnt = 0;
		h->wanted = MANY_AT_ONCE;
		for (unsigned j = i; j < i + MANY_AT_ONCE; j++) {
			snprintf(name, sizeof(name), "d%u.plain.example", j);
			assert_non_null(dns_ask(d, name, RESOLVE_MX, hear_none,
			    h));
		}
		wait_for(h, 60000);
	}
}

/* The first are known when the last have come, and the server is gone. */
static void
the_answers_of_many_domains_are_remembered(void **state)
{
	static struct settings s;
	static struct nsd other;
	struct heard h = { 0 };
	struct dns *d;

	nsd_start(&other);
	memset(&s, 0, sizeof(s));
	s.anchors = anchors;
	strlcpy(s.forwards[0], other.address, sizeof(s.forwards[0]));
	s.forward_cnt = 1;
	assert_int_equal(ev_open(&h.loop), OK);
	assert_int_equal(dns_open(&d, h.loop, &s, stderr), OK);
	ask_many(d, &h, 0, MANY);
	nsd_stop(&other);
	ask_many(d, &h, 0, MANY / 10);
	dns_close(&d);
	ev_close(&h.loop);
}

static int
start(void **state)
{
	nsd_start(&nsd);
	return 0;
}

static int
stop(void **state)
{
	nsd_stop(&nsd);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_come_with_their_ttl),
		cmocka_unit_test(ipv6_addresses_come_too),
		cmocka_unit_test(a_thousand_addresses_are_cut_not_refused),
		cmocka_unit_test(of_a_thousand_hosts_the_best_are_kept),
		cmocka_unit_test(an_alias_is_followed_and_its_end_named),
		cmocka_unit_test(names_in_records_are_not_compressed),
		cmocka_unit_test(no_such_type_and_no_such_name_differ),
		cmocka_unit_test(what_validates_is_secure),
		cmocka_unit_test(what_was_forged_is_not_shown),
		cmocka_unit_test(localhost_needs_no_server),
		cmocka_unit_test(a_forwarder_is_asked_everything),
		cmocka_unit_test(a_stub_below_a_built_in_zone_is_asked),
		cmocka_unit_test(private_zones_need_no_anchor),
		cmocka_unit_test(an_anchor_that_is_none_is_told_when_opening),
		cmocka_unit_test(
		    a_zone_that_its_anchor_does_not_sign_is_bogus),
		cmocka_unit_test(a_thousand_questions_are_all_answered),
		cmocka_unit_test(what_was_cancelled_is_not_answered),
		cmocka_unit_test(a_retired_resolver_still_answers),
		cmocka_unit_test(the_answers_of_many_domains_are_remembered),
		cmocka_unit_test(a_silent_server_is_given_up_in_time),
	};

	return cmocka_run_group_tests_name("resolver dns", tests, start, stop);
}
