/*
 * test_resolver_client - a relay's questions through the resolver's end of
 * the link, with hosts(5) before a name server of ours.
 *
 * room: resolver
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "resolver/client.h"
#include "resolver/complaint.h"
#include "resolver_nsd.h"

static struct nsd nsd;
static const char *const anchors[] = { SIGNED_ANCHOR, NULL };

static const char hosts_text[] =
    "# a comment\n"
    "127.0.0.1\tlocalhost\n"
    "192.0.2.50  MX.Plain.example smarthost # another\n"
    "192.0.2.51 smarthost\r\n"
    "2001:db8::50 six\n"
    "not-an-address six\n"
    "[192.0.2.9] six\n"
    "\n"
    "192.0.2.52 bad..name good\n"
    "192.0.2.53 last";

struct world {
	struct ev_loop	*loop;
	struct link	*relay;
	struct client	*client;
	struct client_sources sources;
	unsigned	 gone;
	enum err	 why;
	unsigned	 cnt, wanted, failed;
	struct msg_resolve_answer answer;	/* the last; spans copied */
	char		 name[256], records[512];
};

static enum err
relay_msg(struct link *l, unsigned type, const union msg *any,
    struct span piece, int fd, void *arg)
{
	const struct msg_resolve_answer *m = &any->resolve_answer;
	struct world *w = arg;

	assert_int_equal(type, MSG_resolve_answer);
	w->answer = *m;
	assert_true(span_cstr(m->name, w->name, sizeof(w->name)));
	assert_true(m->records.len <= sizeof(w->records));
	if (m->records.len > 0)
		memcpy(w->records, m->records.ptr, m->records.len);
	w->failed += m->status == RESOLVED_FAILED;
	if (++w->cnt == w->wanted)
		ev_stop(w->loop);
	return OK;
}

static void
relay_gone(struct link *l, enum err why, void *arg)
{
	struct world *w = arg;

	link_close(&w->relay);
}

static void
client_gone(struct client *c, enum err why, void *arg)
{
	struct world *w = arg;

	assert_int_equal(client_peer(c)->no, 42);
	w->gone++;
	w->why = why;
	client_close(&w->client);
}

static void
end_now(struct timer *t, void *arg)
{
	struct world *w = arg;

	ev_stop(w->loop);
}

static void
run(struct world *w, unsigned wanted, int64_t ms)
{
	struct timer t;

	w->wanted = w->cnt + wanted;
	timer_init(&t, w->loop, end_now, w);
	timer_set(&t, ms);
	assert_int_equal(ev_run(w->loop), OK);
	timer_stop(&t);
}

static void
open_world_of(struct world *w, const char *server)
{
	static const struct link_peer resolver = { .role = ROLE_RESOLVER };
	static const struct link_peer relay = { .role = ROLE_RELAY, .no = 42 };
	static struct settings s;
	int ends[2];

	*w = (struct world){ 0 };
	memset(&s, 0, sizeof(s));
	s.anchors = anchors;
	strlcpy(s.forwards[0], server, sizeof(s.forwards[0]));
	s.forward_cnt = 1;
	assert_int_equal(ev_open(&w->loop), OK);
	assert_int_equal(dns_open(&w->sources.dns, w->loop, &s, stderr), OK);
	assert_int_equal(hosts_parse(&w->sources.hosts, SPAN(hosts_text)), OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(link_open(&w->relay, w->loop, ends[0], ROLE_RELAY,
	    &resolver, relay_msg, relay_gone, w), OK);
	assert_int_equal(client_open(&w->client, w->loop, ends[1], &relay,
	    &w->sources, client_gone, w), OK);
}

static void
open_world(struct world *w)
{
	open_world_of(w, nsd.address);
}

static void
close_world(struct world *w)
{
	client_close(&w->client);
	assert_int_equal(w->sources.under_way, 0);
	link_close(&w->relay);
	dns_close(&w->sources.dns);
	hosts_close(&w->sources.hosts);
	ev_close(&w->loop);
}

static void
ask(struct world *w, uint64_t request, uint16_t rrtype, const char *name)
{
	assert_int_equal(link_send_resolve_ask(w->relay,
	    &(struct msg_resolve_ask){ request, rrtype, span_of(name) }), OK);
}

static void
answers_name_their_request(void **state)
{
	struct world w;

	open_world(&w);
	ask(&w, 77, RESOLVE_AAAA, "MX.signed.example.");
	run(&w, 1, 20000);
	assert_int_equal(w.answer.request, 77);
	assert_int_equal(w.answer.status, RESOLVED);
	assert_int_equal(w.answer.trust, TRUST_SECURE);
	assert_string_equal(w.name, "mx.signed.example");
	assert_int_equal(w.answer.records.len, 18);
	assert_memory_equal(w.records, "\x10\0\x20\x01", 4);
	close_world(&w);
}

static void
forged_answers_fail_and_say_bogus(void **state)
{
	struct world w;

	open_world(&w);
	ask(&w, 1, RESOLVE_A, "forged.signed.example");
	run(&w, 1, 20000);
	assert_int_equal(w.answer.status, RESOLVED_FAILED);
	assert_int_equal(w.answer.trust, TRUST_BOGUS);
	assert_int_equal(w.answer.records.len, 0);
	close_world(&w);
}

static void
hosts_come_before_dns_for_addresses(void **state)
{
	struct world w;

	open_world(&w);
	ask(&w, 1, RESOLVE_A, "mx.plain.example");
	run(&w, 1, 20000);
	assert_int_equal(w.answer.status, RESOLVED);
	assert_int_equal(w.answer.records.len, 6);
	assert_memory_equal(w.records, "\4\0\xc0\0\2\x32", 6);
	/* Its AAAA in DNS does not count, though DNS has one. */
	ask(&w, 2, RESOLVE_AAAA, "mx.plain.example");
	run(&w, 1, 20000);
	assert_int_equal(w.answer.status, RESOLVED_NODATA);
	ask(&w, 3, RESOLVE_A, "smarthost");
	run(&w, 1, 20000);
	assert_int_equal(w.answer.records.len, 12);
	close_world(&w);
}

static void
other_types_of_a_host_come_from_dns(void **state)
{
	struct world w;

	open_world(&w);
	hosts_close(&w.sources.hosts);
	assert_int_equal(hosts_parse(&w.sources.hosts,
	    SPAN("192.0.2.1 plain.example\n")), OK);
	ask(&w, 1, RESOLVE_MX, "plain.example");
	run(&w, 1, 20000);
	assert_int_equal(w.answer.status, RESOLVED);
	close_world(&w);
}

/* The server is a socket that nobody reads. */
static void
a_thousand_are_under_way_and_more_fail(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char server[32];
	struct world w;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	snprintf(server, sizeof(server), "127.0.0.1@%d", ntohs(sin.sin_port));
	open_world_of(&w, server);
	for (unsigned i = 0; i < CLIENT_QUESTIONS_MAX + 100; i++) {
		char name[64];

		snprintf(name, sizeof(name), "n%u.plain.example", i);
		ask(&w, i, RESOLVE_A, name);
	}
	run(&w, 100, 60000);
	run(&w, 1, 500);
	assert_int_equal(w.cnt, 100);
	assert_int_equal(w.failed, 100);
	assert_int_equal(w.sources.under_way, CLIENT_QUESTIONS_MAX);
	assert_int_equal(w.gone, 0);
	close_world(&w);
	close(fd);
}

static void
nonsense_costs_the_link_and_no_more(void **state)
{
	static const struct {
		uint16_t	 rrtype;
		const char	*name;
	} cases[] = {
		{ RESOLVE_A, "" }, { RESOLVE_A, "." }, { RESOLVE_A, "a..b" },
		{ RESOLVE_A, "a b" }, { RESOLVE_A, "a\\032b" },
		{ RESOLVE_A, "a\nb" }, { 0, "a" }, { 41, "a" }, { 252, "a" },
		{ 255, "a" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w;

		open_world(&w);
		ask(&w, 1, cases[i].rrtype, cases[i].name);
		run(&w, 1, 20);
		assert_int_equal(w.cnt, 0);
		assert_int_equal(w.gone, 1);
		assert_int_equal(w.why, ERR_PEER);
		close_world(&w);
	}
}

static void
a_relay_that_dies_leaves_nothing(void **state)
{
	struct world w;

	open_world(&w);
	for (unsigned i = 0; i < 50; i++)
		ask(&w, i, RESOLVE_A, "four.plain.example");
	link_flush(w.relay);
	link_close(&w.relay);
	run(&w, 1, 50);
	assert_int_equal(w.gone, 1);
	assert_int_equal(w.why, ERR_CLOSED);
	assert_int_equal(w.sources.under_way, 0);
	close_world(&w);
}

/* hosts.h alone. */

static void
find(const struct hosts *h, const char *name, uint8_t family, bool known,
    unsigned want)
{
	struct resolve_address found[4];
	unsigned cnt = 99;

	assert_int_equal(hosts_find(h, name, family, found, 4, &cnt), known);
	assert_int_equal(cnt, want);
}

static void
hosts_lines_mean_what_they_say(void **state)
{
	struct hosts *h;

	assert_int_equal(hosts_parse(&h, SPAN(hosts_text)), OK);
	find(h, "localhost", 4, true, 1);
	find(h, "localhost", 6, true, 0);
	find(h, "smarthost", 4, true, 2);
	find(h, "six", 6, true, 1);
	find(h, "six", 4, true, 0);
	find(h, "good", 4, true, 1);
	find(h, "last", 4, true, 1);
	find(h, "another", 4, false, 0);
	find(h, "comment", 4, false, 0);
	find(h, "not-an-address", 4, false, 0);
	hosts_close(&h);
	find(NULL, "localhost", 4, false, 0);
	assert_int_equal(hosts_parse(&h, SPAN("")), OK);
	find(h, "localhost", 4, false, 0);
	hosts_close(&h);
}

static void
a_file_that_is_missing_or_huge_is_told(void **state)
{
	char path[128], block[4096];
	struct hosts *h = NULL;
	FILE *f;

	assert_int_equal(hosts_open(&h, "/nonexistent/hosts"), ERR_NONE);
	snprintf(path, sizeof(path), "%s/hosts", nsd.dir);
	assert_non_null(f = fopen(path, "w"));
	fputs("192.0.2.1 a\n", f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(hosts_open(&h, path), OK);
	find(h, "a", 4, true, 1);
	hosts_close(&h);
	memset(block, '#', sizeof(block));
	assert_non_null(f = fopen(path, "w"));
	for (unsigned i = 0; i <= HOSTS_FILE_MAX / sizeof(block); i++)
		fwrite(block, sizeof(block), 1, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(hosts_open(&h, path), ERR_FULL);
	assert_null(h);
}

/* complaint.h alone. */

static unsigned lines;
static char line[LOG_LINE_MAX + 1];

static void
sink(enum log_level level, const char *text, size_t len)
{
	lines++;
	memcpy(line, text, len);
	line[len] = '\0';
}

static void
complaints_become_log_lines_and_not_too_many(void **state)
{
	struct world w = { 0 };
	struct complaint *c;

	assert_int_equal(ev_open(&w.loop), OK);
	assert_int_equal(complaint_open(&c, w.loop), OK);
	log_setup("test", sink, false);
	fputs("something ", complaint_file(c));
	fputs("is wrong\n", complaint_file(c));
	run(&w, 1, 20);
	assert_int_equal(lines, 1);
	assert_non_null(strstr(line, "event=trouble"));
	assert_non_null(strstr(line, "something is wrong"));
	for (unsigned i = 0; i < 100; i++)
		fprintf(complaint_file(c), "again\n");
	run(&w, 1, 20);
	assert_int_equal(lines, COMPLAINTS_MAX);
	complaint_close(&c);
	log_setup("test", NULL, false);
	ev_close(&w.loop);
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
		cmocka_unit_test(answers_name_their_request),
		cmocka_unit_test(forged_answers_fail_and_say_bogus),
		cmocka_unit_test(hosts_come_before_dns_for_addresses),
		cmocka_unit_test(other_types_of_a_host_come_from_dns),
		cmocka_unit_test(a_thousand_are_under_way_and_more_fail),
		cmocka_unit_test(nonsense_costs_the_link_and_no_more),
		cmocka_unit_test(a_relay_that_dies_leaves_nothing),
		cmocka_unit_test(hosts_lines_mean_what_they_say),
		cmocka_unit_test(a_file_that_is_missing_or_huge_is_told),
		cmocka_unit_test(complaints_become_log_lines_and_not_too_many),
	};

	return cmocka_run_group_tests_name("resolver client", tests, start,
	    stop);
}
