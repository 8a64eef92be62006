/*
 * Waiting, at every stage of the dialogue, for a check of the test's own: its
 * yes, its no, its lateness and its loss; the client that leaves, a drain, and
 * what the client says meanwhile.
 *
 * room: edge
 */
#include "edge_kit.h"

#define ANN	"AUTH PLAIN AGFubgBzZWNyZXQ=\r\n"
#define AWAY	"451 4.7.1 The oracle is away"

static struct {
	struct check	 check;
	struct session	*session;	/* that has asked last	*/
	unsigned	 asked, cancelled;
} oracle;

static enum answer
judge(struct session *s, struct reply *no)
{
	oracle.session = s;
	oracle.asked++;
	return ANSWER_LATER;
}

static void
cancel(struct session *s)
{
	assert_ptr_equal(s, oracle.session);
	oracle.cancelled++;
}

/*
 * How a stage is reached and left: what is said before, what begins it, what is
 * heard when it is passed, and when a NOOP was sent behind it.
 */
static const struct row {
	enum stage_at	 at;
	unsigned	 place;		/* of the check in its stage */
	const char	*before, *say, *yes, *with_noop;
	bool		 is_between;	/* no transaction after it */
} rows[] = {
	{ AT_CONNECT, 0, NULL, "", "220 ", "220 250 ", true },
	{ AT_EHLO, 0, "", "EHLO x\r\n", "250 ", "250 250 ", true },
	{ AT_STARTTLS, 0, "EHLO x\r\n", "STARTTLS\r\n", "220 ", "220 ",
	    false },
	{ AT_AUTH, 1, "EHLO x\r\n", ANN, "235 ", "235 250 ", true },
	{ AT_MAIL, 0, "EHLO x\r\n", "MAIL FROM:<>\r\n", "250 ", "250 250 ",
	    false },
	{ AT_RCPT, 2, "EHLO x\r\nMAIL FROM:<>\r\n",
	    "RCPT TO:<v@x.example>\r\n", "250 ", "250 250 ", false },
	{ AT_DATA, 0, "EHLO x\r\n" KIT_ENVELOPE, "DATA\r\n", "354 ", "354 ",
	    false },
	{ AT_END, 1, "EHLO x\r\n" KIT_ENVELOPE "DATA\r\n", "A: b\r\n\r\n.\r\n",
	    "250 ", "250 250 ", true },
};

#define ROWS	(sizeof(rows) / sizeof(rows[0]))

/* An edge whose oracle is asked at this stage, and a client that waits. */
static void
begin(const struct row *r, int64_t patience_ms)
{
	memset(&oracle, 0, sizeof(oracle));
	oracle.check = (struct check){ .name = "oracle", .asks = "oracle",
	    .judge = judge, .cancel = cancel, .patience_ms = patience_ms,
	    .away = { 451, "4.7.1", "The oracle is away", false } };
	kit_start();
	kit_users();
	kit.edge->set.has_tls = kit.edge->can_tls = true;
	assert_int_equal(stage_add(&kit.edge->stages, r->at, r->place,
	    &oracle.check), OK);
}

static void
ask(const struct row *r)
{
	kit_connect();
	if (r->before != NULL) {
		kit_hear();
		kit_say(r->before);
		kit_hear();
	}
	kit_want(r->say, "");
	if (r->at == AT_AUTH)
		kit_vault_says(LOGIN_GOOD);
	assert_int_equal(oracle.asked, 1);
	assert_int_equal(oracle.session->state, ST_PENDING);
}

static void
say_no(bool close)
{
	session_resume(oracle.session, &(struct reply){ 550, "5.7.9",
	    "The oracle frowns", close });
}

static void
a_yes_goes_on_and_what_was_said_behind_it_follows(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		begin(&rows[i], 0);
		ask(&rows[i]);
		session_resume(oracle.session, NULL);
		assert_string_equal(kit_codes(kit_hear()), rows[i].yes);
		kit_stop();

		begin(&rows[i], 0);
		ask(&rows[i]);
		kit_want("NOOP\r\n", "");
		session_resume(oracle.session, NULL);
		assert_string_equal(kit_codes(kit_hear()), rows[i].with_noop);
		assert_int_equal(oracle.asked, 1);
		assert_int_equal(oracle.cancelled, 0);
		kit_stop();
	}
}

/* In one piece: the rest is kept while somebody thinks. */
static void
a_pipeline_is_worked_through_in_order(void **state)
{
	for (size_t i = 4; i < ROWS; i++) {
		begin(&rows[i], 0);
		kit_connect();
		kit_hear();
		kit_say("EHLO x\r\n" KIT_ENVELOPE "DATA\r\nA: b\r\n\r\n.\r\n"
		    KIT_ENVELOPE "DATA\r\nA: b\r\n\r\n.\r\nQUIT\r\n");
		for (unsigned n = 1; n <= 2; n++) {
			kit_turn(KIT_TURNS);
			assert_int_equal(oracle.asked, n);
			session_resume(oracle.session, NULL);
		}
		assert_string_equal(kit_codes(kit_hear()),
		    "250 250 250 354 250 250 250 354 250 221 ");
		assert_int_equal(kit.mail_cnt, 2);
		assert_true(kit.mails[1].is_committed);
		kit_stop();
	}
}

static void
a_no_is_said_and_the_dialogue_stays_where_it_was(void **state)
{
	static const char *const after[ROWS] = {
		/* what the client then hears to EHLO, MAIL, RCPT and DATA */
		"503 503 503 503 ", "550 503 503 503 ", "250 250 250 354 ",
		"250 250 250 354 ", "250 550 503 503 ", "250 250 550 554 ",
		"250 250 250 550 ", "250 250 250 354 ",
	};
	static const char *const lines[] = { "EHLO x\r\n",
		"MAIL FROM:<>\r\n", "RCPT TO:<v@x.example>\r\n", "DATA\r\n" };
	char codes[100];

	for (size_t i = 0; i < ROWS; i++) {
		begin(&rows[i], 0);
		ask(&rows[i]);
		say_no(false);
		kit_want("", "550 5.7.9 The oracle frowns\r\n");
		codes[0] = '\0';
		for (size_t k = 0; k < 4; k++) {
			oracle.asked = 0;
			kit_say(lines[k]);
			kit_turn(KIT_TURNS);
			if (oracle.asked > 0)
				say_no(false);
			strcat(codes, kit_codes(kit_hear()));
		}
		assert_string_equal(codes, after[i]);
		assert_int_equal(oracle.cancelled, 0);
		kit_stop();
	}
}

static void
a_no_may_be_the_last_word(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		begin(&rows[i], 0);
		ask(&rows[i]);
		kit_say("NOOP\r\n");
		say_no(true);
		kit_want("", "550 5.7.9 The oracle frowns\r\n");
		assert_true(kit.is_closed);
		assert_false(kit.was_reset);
		assert_true(kit.mail_cnt == 0 || kit_last()->is_aborted);
		kit_stop();
	}
}

static void
who_is_late_or_lost_is_away(void **state)
{
	for (size_t i = 0; i < ROWS; i++)
		for (int is_late = 0; is_late < 2; is_late++) {
			begin(&rows[i], is_late ? 30 : 0);
			ask(&rows[i]);
			if (is_late)
				kit_wait(60);
			else
				session_away(oracle.session);
			kit_want("", AWAY "\r\n");
			assert_int_equal(oracle.cancelled, 1);
			kit_stop();
		}
}

static void
who_is_away_may_be_passed_over(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		begin(&rows[i], 30);
		oracle.check.away.code = 0;
		ask(&rows[i]);
		kit_wait(60);
		assert_string_equal(kit_codes(kit_hear()), rows[i].yes);
		assert_int_equal(oracle.cancelled, 1);
		kit_stop();
	}
}

static void
no_time_of_the_clients_runs_out_meanwhile(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		begin(&rows[i], 0);
		kit.edge->set.timeout_ms = 40;
		kit.edge->set.data_timeout_ms = 40;
		kit.edge->set.session_timeout_ms = 40;
		ask(&rows[i]);
		kit_wait(120);
		kit_want("", "");
		assert_int_equal(kit.edge->client_cnt, 1);
		/* Nor now: this machine may be busy. */
		kit.edge->set.timeout_ms = 60000;
		kit.edge->set.data_timeout_ms = 60000;
		kit.edge->set.session_timeout_ms = 60000;
		session_resume(oracle.session, NULL);
		assert_string_equal(kit_codes(kit_hear()), rows[i].yes);
		kit_stop();
	}
}

static void
who_leaves_is_not_waited_for(void **state)
{
	for (size_t i = 0; i < ROWS; i++)
		for (int is_late = 0; is_late < 2; is_late++) {
			begin(&rows[i], is_late ? 30 : 0);
			ask(&rows[i]);
			kit_hang_up();
			kit_turn(KIT_TURNS);
			assert_int_equal(kit.edge->client_cnt, 0);
			kit_wait(is_late ? 60 : 0);
			assert_int_equal(oracle.cancelled, 1);
			kit_stop();
		}
}

static void
a_drain_waits_for_the_answer(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		char want[32];

		begin(&rows[i], 0);
		ask(&rows[i]);
		edge_drain(kit.edge, 10000);
		kit_want("", "");
		session_resume(oracle.session, NULL);
		snprintf(want, sizeof(want), "%s%s", rows[i].yes,
		    rows[i].is_between ? "421 " : "");
		assert_string_equal(kit_codes(kit_hear()), want);
		kit_stop();
	}
}

static void
the_end_of_a_drain_does_not(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		begin(&rows[i], 0);
		ask(&rows[i]);
		edge_drain(kit.edge, 20);
		kit_wait(40);
		kit_want("", "421 4.3.2 Service shutting down\r\n");
		assert_true(kit.is_closed);
		assert_int_equal(oracle.cancelled, 1);
		kit_stop();
	}
}

static void
the_end_of_the_process_does_not_either(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		begin(&rows[i], 30);
		ask(&rows[i]);
		kit_stop();
		assert_int_equal(oracle.cancelled, 1);
	}
}

static void
a_queue_that_goes_meanwhile_is_a_no_for_now(void **state)
{
	for (size_t i = 4; i < ROWS; i++) {
		begin(&rows[i], 0);
		kit_asks(true);
		kit_asks(false);
		ask(&rows[i]);
		from_queue_close(kit.edge);
		kit_want("", "");
		session_resume(oracle.session, NULL);
		kit_want("", "451 4.3.0 Queue not available, try again "
		    "later\r\n");
		assert_int_equal(oracle.cancelled, 0);
		kit_stop();
	}
}

static void
one_check_after_the_other_is_waited_for(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		begin(&rows[i], 0);
		assert_int_equal(stage_add(&kit.edge->stages, rows[i].at,
		    rows[i].place, &oracle.check), OK);
		ask(&rows[i]);
		session_resume(oracle.session, NULL);
		assert_int_equal(oracle.asked, 2);
		kit_want("", "");
		session_away(oracle.session);
		kit_want("", AWAY "\r\n");
		assert_int_equal(oracle.cancelled, 1);
		kit_stop();
	}
}

static void
a_stage_has_room_for_some_checks_and_no_more(void **state)
{
	struct stages stages;
	unsigned cnt = 0, own;

	stage_init(&stages);
	own = stages.of[AT_RCPT].cnt;
	while (stage_add(&stages, AT_RCPT, 0, &oracle.check) == OK)
		cnt++;
	assert_int_equal(cnt, STAGE_CHECKS_MAX - own);
	assert_ptr_equal(stages.of[AT_RCPT].checks[cnt], &check_rules_rcpt);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_yes_goes_on_and_what_was_said_behind_it_follows),
		cmocka_unit_test(a_pipeline_is_worked_through_in_order),
		cmocka_unit_test(
		    a_no_is_said_and_the_dialogue_stays_where_it_was),
		cmocka_unit_test(a_no_may_be_the_last_word),
		cmocka_unit_test(who_is_late_or_lost_is_away),
		cmocka_unit_test(who_is_away_may_be_passed_over),
		cmocka_unit_test(no_time_of_the_clients_runs_out_meanwhile),
		cmocka_unit_test(who_leaves_is_not_waited_for),
		cmocka_unit_test(a_drain_waits_for_the_answer),
		cmocka_unit_test(the_end_of_a_drain_does_not),
		cmocka_unit_test(the_end_of_the_process_does_not_either),
		cmocka_unit_test(a_queue_that_goes_meanwhile_is_a_no_for_now),
		cmocka_unit_test(one_check_after_the_other_is_waited_for),
		cmocka_unit_test(a_stage_has_room_for_some_checks_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
