/*
 * What next hops can carry, and what can be promised of it: in EHLO, to a
 * recipient, for a bounce.
 * room: queue
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "queue/route/able.h"
#include "queue/route/route_utf8.h"

#define ANN	"ann@here.example"
#define BOB	"bob@b\xc3\xbc""cher.example"
#define JORG	"j\xc3\xb6rg@here.example"

static struct able able;
static struct routes *routes;

static void
hears(const char *relay, enum hop_utf8 utf8, const char *hop, enum err e)
{
	struct msg_relay_can m = { .utf8 = (uint8_t)utf8, .hop = span_of(hop) };

	assert_int_equal(able_take(&able, relay, &m), e);
}

static void
relay(const char *name, enum route_kind kind, bool has_one_hop)
{
	assert_int_equal(route_add_relay(routes, span_of(name), kind), OK);
	if (has_one_hop)
		assert_int_equal(route_set_one_hop(routes, span_of(name),
		    false), OK);
}

static void
leads(enum route_by by, const char *pattern, const char *name)
{
	assert_int_equal(route_add(routes, by, span_of(pattern),
	    ROUTE_DOES_RELAY, span_of(name)), OK);
}

/* mx for all, dovecot (lmtp) for us, smart (static) for those of its list. */
static int
set_up(void **state)
{
	assert_int_equal(route_new(&routes), OK);
	relay("internet", ROUTE_MX, false);
	relay("dovecot", ROUTE_LOCAL, true);
	relay("smart", ROUTE_OUT, true);
	leads(ROUTE_BY_RCPT, "@here.example", "dovecot");
	leads(ROUTE_BY_SENDER, "@list.example", "smart");
	assert_int_equal(route_set_last(routes, SPAN("internet")), OK);
	return 0;
}

static int
tear_down(void **state)
{
	able_fini(&able);
	route_free(&routes);
	return 0;
}

/* What can be offered, and which relay takes none ("": each does). */
static void
promises(enum queue_utf8 want, const char *relay_name)
{
	int lacks;

	able_tell(&able, routes);
	assert_int_equal(route_utf8(routes, &lacks), want);
	assert_string_equal(lacks == -1 ? "" : route_relay(routes,
	    (unsigned)lacks), relay_name);
}

static void
a_hop_is_known_by_its_last_ehlo_and_until_it_is_another(void **state)
{
	promises(QUEUE_UTF8_SOME, "dovecot");
	hears("dovecot", HOP_UTF8, "/run/lmtp", OK);
	promises(QUEUE_UTF8_SOME, "smart");
	hears("smart", HOP_UTF8, "mail.example:25", OK);
	promises(QUEUE_UTF8, "");
	/* Another process of the relay has not asked it yet. */
	hears("smart", HOP_UNKNOWN, "mail.example:25", OK);
	promises(QUEUE_UTF8, "");
	hears("smart", HOP_UNKNOWN, "mail.example:26", OK);
	promises(QUEUE_UTF8_SOME, "smart");
	assert_int_equal(able_hop(&able, "smart"), HOP_UNKNOWN);
	hears("smart", HOP_ASCII, "mail.example:26", OK);
	promises(QUEUE_UTF8_SOME, "smart");
	assert_int_equal(able_hop(&able, "smart"), HOP_ASCII);
}

static void
what_makes_no_sense_changes_nothing(void **state)
{
	char hop[1000];

	memset(hop, 'h', sizeof(hop) - 1);
	hop[sizeof(hop) - 1] = '\0';
	hears("smart", HOP_UTF8, "h:25", OK);
	hears("smart", HOP_UTF8__COUNT, "h:25", ERR_PEER);
	hears("smart", HOP_ASCII, hop, ERR_PEER);
	assert_int_equal(able_hop(&able, "smart"), HOP_UTF8);
	hears("nobody", HOP_UTF8, "h:25", OK);	/* a relay of before	*/
	promises(QUEUE_UTF8_SOME, "dovecot");
}

/* Relays for bounces alone make no promise to those who send mail. */
static void
nothing_is_promised_where_mail_that_comes_in_has_no_way(void **state)
{
	route_free(&routes);
	assert_int_equal(route_new(&routes), OK);
	relay("dovecot", ROUTE_LOCAL, true);
	relay("internet", ROUTE_MX, false);
	assert_int_equal(route_set_last(routes, SPAN("dovecot")), OK);
	assert_int_equal(route_set_bounce_relay(routes, SPAN("internet")), OK);
	promises(QUEUE_ASCII, "dovecot");
	hears("dovecot", HOP_UTF8, "/run/lmtp", OK);
	promises(QUEUE_UTF8, "");
}

static void
hears_binary(const char *relay, enum hop_utf8 utf8, bool binary, bool takes)
{
	struct msg_relay_can m = { .utf8 = (uint8_t)utf8, .binary = binary,
	    .hop = SPAN("h:25") };
	unsigned no;

	assert_int_equal(able_take(&able, relay, &m), OK);
	able_tell(&able, routes);
	assert_true(route_relay_no(routes, span_of(relay), &no));
	assert_true(route_takes_binary(routes, no) == takes);
	assert_true(route_all_take_binary(routes) == takes);
}

/* A proxy offers what is known of its hop, and nothing else. */
static void
what_a_hop_has_said_is_kept_as_it_is(void **state)
{
	struct msg_relay_can m = { .utf8 = HOP_ASCII, .binary = 1, .dsn = 1,
	    .size = 9000, .hop = SPAN("h:25") }, got;
	struct msg_relay_can odd = { .dsn = 2, .hop = SPAN("h:25") };

	assert_false(able_says(&able, "smarthost", &got));
	assert_int_equal(got.binary + got.dsn + got.size, 0);
	assert_int_equal(got.eightbit, 1);
	assert_int_equal(able_take(&able, "smarthost", &m), OK);
	assert_true(able_says(&able, "smarthost", &got));
	assert_true(got.utf8 == HOP_ASCII && got.binary == 1 && got.dsn == 1 &&
	    got.size == 9000 && got.eightbit == 0);
	m.eightbit = 1;
	assert_int_equal(able_take(&able, "smarthost", &m), OK);
	assert_true(able_says(&able, "smarthost", &got) && got.eightbit == 1);
	m = (struct msg_relay_can){ .utf8 = HOP_UNKNOWN, .hop = SPAN("h:26") };
	assert_int_equal(able_take(&able, "smarthost", &m), OK);
	assert_false(able_says(&able, "smarthost", &got));
	assert_true(got.eightbit == 1);
	assert_int_equal(able_take(&able, "smarthost", &odd), ERR_PEER);
	odd = (struct msg_relay_can){ .eightbit = 2, .hop = SPAN("h:25") };
	assert_int_equal(able_take(&able, "smarthost", &odd), ERR_PEER);
}

/* RFC 3030 3: refused where it is known, and what is not known may be. */
static void
binary_text_is_refused_of_hops_that_were_heard_to_lack_it(void **state)
{
	struct msg_relay_can odd = { .binary = 2, .hop = SPAN("h:25") };

	able_tell(&able, routes);
	assert_true(route_all_take_binary(routes));
	hears_binary("smart", HOP_UNKNOWN, false, true);
	hears_binary("smart", HOP_ASCII, false, false);
	hears_binary("smart", HOP_UNKNOWN, false, false);
	hears_binary("smart", HOP_UTF8, true, true);
	assert_int_equal(able_take(&able, "smart", &odd), ERR_PEER);
}

static unsigned	judged(const char *sender, const char *rcpt, bool wants_bounce);

/* Who is refused for good gives up, and a second later it is known. */
static void
what_is_still_to_be_asked_is_no_lasting_no(void **state)
{
	route_free(&routes);
	assert_int_equal(route_new(&routes), OK);
	relay("dovecot", ROUTE_LOCAL, false);
	assert_int_equal(route_set_one_hop(routes, SPAN("dovecot"), true), OK);
	assert_int_equal(route_set_last(routes, SPAN("dovecot")), OK);
	promises(QUEUE_UTF8_SOME, "dovecot");
	assert_int_equal(judged(ANN, ANN, true), 0);
	assert_int_equal(judged(ANN, JORG, true), 451);
	assert_int_equal(judged(JORG, ANN, true), 451);
	hears("dovecot", HOP_UNKNOWN, "/run/lmtp", OK);
	assert_int_equal(judged(ANN, JORG, true), 451);
	hears("dovecot", HOP_ASCII, "/run/lmtp", OK);
	promises(QUEUE_ASCII, "dovecot");
	assert_int_equal(judged(ANN, JORG, true), 553);
	hears("dovecot", HOP_UTF8, "/run/lmtp", OK);
	promises(QUEUE_UTF8, "");
	assert_int_equal(judged(ANN, JORG, true), 0);
}

/* RFC 6531 3.5: the reply to RCPT; 0: he is taken. */
static unsigned
judged(const char *sender, const char *rcpt, bool wants_bounce)
{
	struct route_ask ask = { .rcpt = span_of(rcpt),
		.sender = span_of(sender) };
	struct route_reply reply = { .code = 0 };
	struct route r;

	able_tell(&able, routes);
	assert_int_equal(route_find(routes, &ask, &r), ROUTE_FOUND);
	if (!route_utf8_is_lost(routes, &r, &ask, wants_bounce, &reply))
		return 0;
	assert_string_equal(reply.dsn, reply.code == 451 ? "4.6.7" : "5.6.7");
	return reply.code;
}

static void
a_recipient_is_refused_whose_relay_cannot_carry_it(void **state)
{
	assert_int_equal(judged(ANN, ANN, true), 0);
	assert_int_equal(judged(ANN, BOB, true), 0);
	assert_int_equal(judged(ANN, JORG, true), 553);
	assert_int_equal(judged(ANN, "\xc3\xa4@there.example", true), 0);
	/* A sender is everybody's, and ours has his bounces at dovecot. */
	assert_int_equal(judged(JORG, ANN, false), 553);
	assert_int_equal(judged(JORG, BOB, false), 0);
	assert_int_equal(judged(JORG, BOB, true), 553);
	assert_int_equal(judged("\xc3\xa4@there.example", BOB, true), 0);
	assert_int_equal(judged("\xc3\xa4@list.example", BOB, true), 553);
	hears("dovecot", HOP_UTF8, "/run/lmtp", OK);
	assert_int_equal(judged(ANN, JORG, true), 0);
	assert_int_equal(judged(JORG, BOB, true), 0);
	assert_int_equal(judged("\xc3\xa4@list.example", BOB, true), 553);
	/* His domain has a form in ASCII. */
	assert_int_equal(judged("a@\xc3\xa4.example", ANN, true), 0);
}

static const char *
bounce_goes_by(const char *to)
{
	struct route_ask ask = { .rcpt = span_of(to), .is_bounce = true };
	struct route r;

	able_tell(&able, routes);
	assert_int_equal(route_find(routes, &ask, &r), ROUTE_FOUND);
	return r.relay;
}

static void
a_bounce_goes_by_the_relay_that_carries_it(void **state)
{
	assert_int_equal(route_set_last(routes, SPAN("smart")), OK);
	assert_int_equal(route_set_bounce_relay(routes, SPAN("internet")), OK);
	assert_string_equal(bounce_goes_by("\xc3\xa4@x.example"), "internet");
	assert_string_equal(bounce_goes_by("a@\xc3\xa4.example"), "smart");
	/* Another way to his own domain would lead back to us. */
	assert_string_equal(bounce_goes_by(JORG), "dovecot");
	hears("smart", HOP_UTF8, "mail.example:25", OK);
	assert_string_equal(bounce_goes_by("\xc3\xa4@x.example"), "smart");
	hears("smart", HOP_ASCII, "mail.example:25", OK);
	assert_string_equal(bounce_goes_by("\xc3\xa4@x.example"), "internet");
	leads(ROUTE_BY_SENDER, "<>", "smart");
	assert_string_equal(bounce_goes_by("\xc3\xa4@x.example"), "internet");
	assert_string_equal(bounce_goes_by("a@x.example"), "smart");
}

/* Nobody named it for bounces: but it reaches all, and they would be lost. */
static void
where_no_other_carries_it_a_bounce_goes_by_mx(void **state)
{
	assert_int_equal(route_set_last(routes, SPAN("smart")), OK);
	hears("smart", HOP_ASCII, "mail.example:25", OK);
	assert_string_equal(bounce_goes_by("\xc3\xa4@x.example"), "internet");
	assert_string_equal(bounce_goes_by("a@\xc3\xa4.example"), "smart");
	assert_string_equal(bounce_goes_by(JORG), "dovecot");
	assert_int_equal(route_set_bounce_relay(routes, SPAN("smart")), OK);
	assert_string_equal(bounce_goes_by("\xc3\xa4@x.example"), "internet");
	hears("smart", HOP_UTF8, "mail.example:25", OK);
	assert_string_equal(bounce_goes_by("\xc3\xa4@x.example"), "smart");
}

#define T(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_hop_is_known_by_its_last_ehlo_and_until_it_is_another),
		T(what_makes_no_sense_changes_nothing),
		T(nothing_is_promised_where_mail_that_comes_in_has_no_way),
		T(what_is_still_to_be_asked_is_no_lasting_no),
		T(a_recipient_is_refused_whose_relay_cannot_carry_it),
		T(what_a_hop_has_said_is_kept_as_it_is),
		T(binary_text_is_refused_of_hops_that_were_heard_to_lack_it),
		T(a_bounce_goes_by_the_relay_that_carries_it),
		T(where_no_other_carries_it_a_bounce_goes_by_mx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
