/*
 * A message with more recipients than one transaction takes: what a next hop
 * says of one transaction is about those it was for.
 *
 * room: relay
 */
#include "relay_kit.h"

#define CNT	230		/* transactions of 100, 100 and 30 */

/* Recipients r0 to r(cnt - 1). */
static struct delivery *
add_many(unsigned cnt)
{
	char rcpts[CNT * 20], *at = rcpts;

	for (unsigned i = 0; i < cnt; i++)
		at += sprintf(at, "%sr%u@b.example", i > 0 ? " " : "", i);
	return add_delivery(0, "s@a.example", rcpts);
}

static void
start_over(void **state, bool is_lmtp, bool is_piped)
{
	tear_down(state);
	set_up(state);
	bench->hop.is_lmtp = bench->target.is_lmtp = is_lmtp;
	if (!is_piped)
		bench->hop.ehlo = "250 hop";
}

/* Recipients from first to before end were all said this code. */
static void
want_run(const struct delivery *d, unsigned first, unsigned end, unsigned code)
{
	for (unsigned i = first; i < end; i++) {
		const struct outcome *o = d->rcpts[i].outcome;

		assert_non_null(o);
		if (o->verdict.code != code)
			fail_msg("recipient %u: %u, not %u", i,
			    o->verdict.code, code);
		assert_int_equal(o->verdict.class, code < 400 ? CLASS_DONE :
		    code < 500 ? CLASS_LATER : CLASS_NEVER);
	}
}

static unsigned
count_seen(const char *what)
{
	unsigned cnt = 0;

	for (const char *at = bench->hop.seen; (at = strstr(at, what)) != NULL;
	    at += strlen(what))
		cnt++;
	return cnt;
}

static void
a_refused_transaction_decides_its_own_recipients(void **state)
{
	static const char *const replies[] = {
		"451 4.3.0 Later", "554 5.7.1 Never",
	};
	static const char *const places[] = { "DATA", "." };

	for (unsigned i = 0; i < 2 * 2 * 3 * 2; i++) {
		const char *reply = replies[i % 2], *place = places[i / 2 % 2];
		unsigned nth = i / 4 % 3, is_piped = i / 12;
		unsigned code = (unsigned)atoi(reply);
		struct delivery *d;

		start_over(state, false, is_piped);
		d = add_many(CNT);
		bench->hop.rules[0] = (struct rule){ place, nth + 1, reply };
		connect_client(bench);
		run(bench);
		want_run(d, 0, 100, nth == 0 ? code : 250);
		want_run(d, 100, 200, nth == 1 ? code : 250);
		want_run(d, 200, CNT, nth == 2 ? code : 250);
		assert_int_equal(bench->hop.connections, 1);
	}
}

/* Who was put off to the next transaction was not refused in this one. */
static void
who_was_over_the_limit_is_in_another_transaction(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct delivery *d;

		start_over(state, i & 2, i & 1);
		d = add_many(40);
		bench->hop.rules[0] = (struct rule){ "RCPT TO:<r38", 1,
		    "452 4.5.3 Too many" };
		bench->hop.rules[1] = (struct rule){ "RCPT TO:<r39", 1,
		    "552 5.5.3 Too many" };
		bench->hop.rules[2] = (struct rule){ "DATA", 1,
		    "550 5.7.1 No" };
		connect_client(bench);
		run(bench);
		want_run(d, 0, 38, 550);
		want_run(d, 38, 40, 250);
	}
}

/* The second to say so in a row is believed of the whole message. */
static void
a_verdict_said_twice_is_believed_for_all(void **state)
{
	static const struct {
		const char	*first, *second;
		unsigned	 rest;
		unsigned	 data_cnt;
	} cases[] = {
		{ "552 5.3.4 Big, no 1", "552 5.3.4 Big, no 2", 552, 2 },
		{ "452 4.3.1 Full", "452 4.3.1 Full", 452, 2 },
		{ "554 5.7.1 r0 will not have it", "550 5.2.2 nor I", 250, 3 },
		{ "451 4.3.0 Later", "554 5.7.1 No", 250, 3 },
	};

	for (unsigned i = 0; i < 16; i++) {
		const char *place = i & 1 ? "DATA" : ".";
		unsigned no = i / 4;
		struct delivery *d;

		start_over(state, false, i & 2);
		d = add_many(CNT);
		bench->hop.rules[0] = (struct rule){ place, 1,
		    cases[no].first };
		bench->hop.rules[1] = (struct rule){ place, 1,
		    cases[no].second };
		connect_client(bench);
		run(bench);
		want_run(d, 0, 100, (unsigned)atoi(cases[no].first));
		want_run(d, 100, 200, (unsigned)atoi(cases[no].second));
		want_run(d, 200, CNT, cases[no].rest);
		assert_int_equal(count_seen("DATA\r\n"), cases[no].data_cnt);
	}
}

/* One that was taken in between shows that it is not about the message. */
static void
a_refusal_is_forgotten_when_the_next_is_taken(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_many(CNT);

	b->hop.rules[0] = (struct rule){ ".", 1, "550 5.7.1 No" };
	b->hop.rules[1] = (struct rule){ ".", 2, "550 5.7.1 No" };
	(void)add_delivery(0, "s@a.example", "last@b.example");
	connect_client(b);
	run(b);
	want_run(d, 0, 100, 550);
	want_run(d, 100, 200, 250);
	want_run(d, 200, CNT, 550);
	/* Nor is it remembered against the next message. */
	want_done(b->deliveries[1], 0);
}

static void
what_one_message_was_refused_is_not_held_against_the_next(void **state)
{
	struct bench *b = *state;
	struct delivery *d, *e;

	d = add_many(30);
	e = add_many(130);
	b->hop.rules[0] = (struct rule){ ".", 1, "550 5.7.1 No" };
	b->hop.rules[1] = (struct rule){ ".", 1, "550 5.7.1 No" };
	connect_client(b);
	run(b);
	want_run(d, 0, 30, 550);
	want_run(e, 0, 100, 550);
	want_run(e, 100, 130, 250);
}

static void
in_lmtp_too_data_refused_is_the_transactions(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned code = i & 1 ? 554 : 451;
		struct delivery *d;

		start_over(state, true, i & 2);
		d = add_many(CNT);
		bench->hop.rules[0] = (struct rule){ "DATA", 2,
		    i & 1 ? "554 5.7.1 No" : "451 4.3.0 Later" };
		connect_client(bench);
		run(bench);
		want_run(d, 0, 100, 250);
		want_run(d, 100, 200, code);
		want_run(d, 200, CNT, 250);
	}
}

/* What is lost with the connection was not said yet; what was said stands. */
static void
what_was_decided_outlives_the_connection(void **state)
{
	static const struct {
		const char	*at;
		unsigned	 nth;
		const char	*reply;
	} cases[] = {
		{ "MAIL", 2, NULL }, { "RCPT TO:<r150@", 1, NULL },
		{ "DATA", 2, NULL }, { ".", 2, NULL },
		{ ".", 2, "421 4.3.2 Bye" }, { "MAIL", 2, "421 4.3.2 Bye" },
	};

	for (unsigned i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned no = i / 2;
		struct delivery *d;

		start_over(state, false, i & 1);
		d = add_many(CNT);
		bench->hop.rules[0] = (struct rule){ cases[no].at,
		    cases[no].nth, cases[no].reply };
		connect_client(bench);
		run(bench);
		assert_int_equal(bench->back_cnt, 0);
		want_run(d, 0, 100, 250);
		want_run(d, 100, CNT, cases[no].reply == NULL ? 451 : 421);
	}
}

static void
a_sender_granted_once_is_not_refused_for_good(void **state)
{
	static const char *const replies[] = {
		"550 5.7.1 Too many messages", "452 4.5.3 Slow down",
		"503 5.5.1 Sender already specified",
	};

	for (unsigned i = 0; i < 6; i++) {
		struct delivery *d;

		start_over(state, false, i & 1);
		d = add_many(CNT);
		bench->hop.rules[0] = (struct rule){ "MAIL", 2,
		    replies[i / 2] };
		bench->hop.rules[1] = (struct rule){ "DATA", 2,
		    "503 5.5.1 No sender" };
		connect_client(bench);
		run(bench);
		want_run(d, 0, 100, 250);
		for (unsigned no = 100; no < CNT; no++)
			want_outcome(d, no, CLASS_LATER, SCOPE_MESSAGE,
			    STAGE_MAIL, (unsigned)atoi(replies[i / 2]));
	}
}

/* After RSET is refused nothing more is said on the connection. */
static void
a_refused_reset_harms_nobody_who_is_decided(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_many(CNT);

	b->hop.rules[0] = (struct rule){ "DATA", 1, "554 5.7.1 No" };
	b->hop.rules[1] = (struct rule){ "RSET", 1, "550 5.5.1 Never" };
	connect_client(b);
	run(b);
	want_run(d, 0, 100, 554);
	want_run(d, 100, CNT, 451);
}

/* Before the end of the text: the rest of them is not even tried. */
static void
a_refusal_in_the_middle_of_the_text_is_of_one_transaction(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		unsigned code = i == 0 ? 552 : 450;
		struct delivery *d;

		start_over(state, false, true);
		d = add_many(CNT);
		bench->hop.rules[0] = (struct rule){ "DATA", 2, i == 0 ?
		    "354 Go on\r\n552 5.3.4 Too big" :
		    "354 Go on\r\n450 4.7.1 Grey" };
		connect_client(bench);
		run(bench);
		want_run(d, 0, 100, 250);
		want_run(d, 100, 200, code);
		for (unsigned no = 200; no < CNT; no++)
			want_outcome(d, no, CLASS_LATER, SCOPE_MESSAGE,
			    STAGE_BODY, 451);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_refused_transaction_decides_its_own_recipients),
		TEST(who_was_over_the_limit_is_in_another_transaction),
		TEST(a_verdict_said_twice_is_believed_for_all),
		TEST(a_refusal_is_forgotten_when_the_next_is_taken),
		TEST(what_one_message_was_refused_is_not_held_against_the_next),
		TEST(in_lmtp_too_data_refused_is_the_transactions),
		TEST(what_was_decided_outlives_the_connection),
		TEST(a_sender_granted_once_is_not_refused_for_good),
		TEST(a_refused_reset_harms_nobody_who_is_decided),
		TEST(a_refusal_in_the_middle_of_the_text_is_of_one_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
