/*
 * An edge asks the resolver: what it hears, and what a lost link costs.
 *
 * room: edge
 */
#include "edge_dns.h"

static struct {
	unsigned	 cnt;
	enum resolve_status status;
	char		 record[64];
	size_t		 record_len;
} heard;

static void
hear(const struct resolve_answer *a, void *arg)
{
	struct span records = a->records, one = { NULL, 0 };

	heard.cnt++;
	heard.status = a->status;
	if (resolve_record(&records, &one)) {
		assert_true(one.len < sizeof(heard.record));
		memcpy(heard.record, one.ptr, one.len);
		heard.record_len = one.len;
	}
}

static int
setup(void **state)
{
	memset(&heard, 0, sizeof(heard));
	dns_start();
	dns_know("a.example", RESOLVE_A, RESOLVED, "\300\0\2\1", 4);
	return 0;
}

static int
teardown(void **state)
{
	dns_stop();
	return 0;
}

static void
ask(const char *name)
{
	assert_non_null(resolve_ask(kit.edge->resolve, RESOLVE_A,
	    span_of(name), hear, NULL));
	kit_turn(KIT_TURNS);
}

static void
what_the_resolver_knows_is_heard(void **state)
{
	ask("a.example");
	assert_int_equal(heard.cnt, 1);
	assert_int_equal(heard.status, RESOLVED);
	assert_memory_equal(heard.record, "\300\0\2\1", 4);
	ask("b.example");
	assert_int_equal(heard.cnt, 2);
	assert_int_equal(heard.status, RESOLVED_NXDOMAIN);
}

static void
a_lost_link_is_told_and_asked_again_on_the_next(void **state)
{
	dns.is_mute = true;
	ask("a.example");
	assert_int_equal(dns.asked_cnt, 1);
	link_close(&dns.link);
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.lost_cnt, 1);
	assert_int_equal(heard.cnt, 0);
	dns.is_mute = false;
	dns_link();
	assert_int_equal(dns.asked_cnt, 2);
	assert_int_equal(heard.cnt, 1);
	assert_int_equal(heard.status, RESOLVED);
}

static void
nonsense_costs_the_resolver_its_link_and_nothing_else(void **state)
{
	dns.is_mute = true;
	ask("a.example");
	(void)link_send_resolve_answer(dns.link,
	    &(struct msg_resolve_answer){ .request = dns.held[0].request,
	    .status = RESOLVED });			/* without a record */
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.lost_cnt, 1);
	assert_int_equal(heard.cnt, 0);
	kit_ready();					/* mail goes on */
	dns.is_mute = false;
	dns_link();
	assert_int_equal(heard.cnt, 1);
}

static void
an_edge_that_ends_forgets_its_questions(void **state)
{
	dns.is_mute = true;
	ask("a.example");
	edge_free(&kit.edge);
	dns_speak();
	assert_int_equal(heard.cnt, 0);
}

int
main(void)
{
#define CLAIM(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CLAIM(what_the_resolver_knows_is_heard),
		CLAIM(a_lost_link_is_told_and_asked_again_on_the_next),
		CLAIM(nonsense_costs_the_resolver_its_link_and_nothing_else),
		CLAIM(an_edge_that_ends_forgets_its_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
