/*
 * A queue that wants to hear of each recipient: what the client hears, what
 * becomes of those refused, and what a late or senseless answer does.
 *
 * room: edge
 */
#include "edge_kit.h"

#define MAIL	"MAIL FROM:<a@other.example>\r\n"
#define RCPT(s)	"RCPT TO:<" s "@test.example>\r\n"
#define OK_OF(s) "250 2.1.5 <" s "@test.example> Ok\r\n"

static int
setup(void **state)
{
	kit_start();
	kit_asks(true);
	kit_ready();
	kit_want(MAIL, "250 2.1.0 <a@other.example> Ok\r\n");
	return 0;
}

static void
a_recipient_is_taken_when_the_queue_says_so(void **state)
{
	kit_want(RCPT("v"), "");
	assert_string_equal(kit.asked, "v@test.example,");
	kit_judge(250, "", "");
	kit_want("", OK_OF("v"));
	kit_say("DATA\r\n\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "354 250 ");
	assert_string_equal(kit_last()->rcpts, "v@test.example,");
}

static void
the_queue_knows_of_a_mail_from_mail_on(void **state)
{
	assert_int_equal(kit.mail_cnt, 1);
	assert_string_equal(kit_last()->sender, "a@other.example");
	kit_want("RSET\r\n", "250 2.0.0 Ok\r\n");
	kit_turn(KIT_TURNS);
	assert_true(kit_last()->is_aborted);
}

static void
waits(bool waits)
{
	(void)link_send_queue_state(kit.queue, &(struct msg_queue_state){
	    .eightbit = 1, .waits = waits });
	kit_turn(KIT_TURNS);
}

static void
a_queue_that_wants_its_word_at_mail_has_it(void **state)
{
	kit_want("RSET\r\n", "250 2.0.0 Ok\r\n");
	waits(true);
	kit.no_grant = true;
	kit_want(MAIL "NOOP\r\n", "");
	kit_grant(kit_last());
	kit_want("", "250 2.1.0 <a@other.example> Ok\r\n250 2.0.0 Ok\r\n");
	kit_want("RSET\r\n" MAIL, "250 2.0.0 Ok\r\n");
	kit_refuse(kit_last(), 550, "5.7.1", "Not you");
	kit_want("", "550 5.7.1 Not you\r\n");
	kit_want("RCPT TO:<v@test.example>\r\n",
	    "503 5.5.1 Bad sequence of commands\r\n");
	kit_want(MAIL, "");
	kit_hang_up();
	kit_turn(KIT_TURNS);
	assert_true(kit_last()->is_aborted);
	kit_ready();
	kit_want(MAIL, "");
	link_close(&kit.queue);
	kit_want("", "451 4.3.0 Queue not available, try again later\r\n");
}

/* It may be another queue by then. */
static void
a_stream_lost_before_the_text_is_opened_anew(void **state)
{
	kit_want(RCPT("v"), "");
	kit_judge(250, "", "");
	kit_want("", OK_OF("v"));
	kit_link();
	kit_asks(true);
	kit_want(RCPT("w"), "");
	kit_judge(250, "", "");
	kit_want("", OK_OF("w"));
	assert_int_equal(kit.mail_cnt, 2);
	assert_string_equal(kit_last()->rcpts,
	    "v@test.example,w@test.example,");
	kit_link();
	kit_say("DATA\r\n\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "354 250 ");
	assert_int_equal(kit.mail_cnt, 3);
	assert_string_equal(kit_last()->rcpts,
	    "v@test.example,w@test.example,");
}

static void
a_stream_refused_before_the_text_is_tried_again(void **state)
{
	kit_refuse(kit_last(), 451, "4.4.2", "Nothing came for too long");
	kit_want("", "");
	kit_want(RCPT("v"), "");
	assert_int_equal(kit.mail_cnt, 2);
	kit_refuse(kit_last(), 452, "4.3.1", "Mail system full");
	kit_want("", "452 4.3.1 Mail system full\r\n");
	kit_want(RCPT("v"), "");
	kit_judge(250, "", "");
	kit_want("", OK_OF("v"));
	kit_say("DATA\r\n\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "354 250 ");
	assert_int_equal(kit.mail_cnt, 3);
	assert_string_equal(kit_last()->rcpts, "v@test.example,");
}

static enum answer
judge_w(struct session *s, struct reply *no)
{
	if (envelope_last(&s->transaction->envelope).ptr[0] != 'w')
		return ANSWER_YES;
	*no = (struct reply){ 550, "5.7.1", "Not him", false };
	return ANSWER_NO;
}

static void
who_is_refused_behind_the_queue_is_none_of_its_recipients(void **state)
{
	static const struct check last = { .name = "w", .asks = "",
	    .judge = judge_w };

	assert_int_equal(stage_add(&kit.edge->stages, AT_RCPT, 99, &last),
	    OK);
	kit_want(RCPT("v"), "");
	kit_judge(250, "", "");
	kit_want("", OK_OF("v"));
	kit_want(RCPT("w"), "");
	kit_judge(250, "", "");
	kit_want("", "550 5.7.1 Not him\r\n");
	kit_asks(false);
	kit_want(RCPT("x"), OK_OF("x"));
	kit_say("DATA\r\n\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "354 250 ");
	assert_string_equal(kit_last()->rcpts,
	    "v@test.example,x@test.example,");
}

static void
a_queue_that_does_not_care_is_not_asked(void **state)
{
	kit_asks(false);
	kit_want(RCPT("v"), OK_OF("v"));
	assert_int_equal(kit.ask_cnt, 0);
}

static void
the_queues_no_is_the_clients_and_the_others_stay(void **state)
{
	kit_want(RCPT("nobody"), "");
	kit_judge(550, "5.1.1", "No such user");
	kit_want("", "550 5.1.1 No such user\r\n");
	kit_want("DATA\r\n", "554 5.5.1 No valid recipients given\r\n");
	kit_want(RCPT("v"), "");
	kit_judge(250, "", "");
	kit_want("", OK_OF("v"));
	kit_want(RCPT("nobody"), "");
	kit_judge(450, "4.2.1", "Not \r\n now\x80");
	kit_want("", "450 4.2.1 Not ?? now?\r\n");
	kit_want(RCPT("w"), "");
	kit_judge(250, "", "");
	kit_want("", OK_OF("w"));
	kit_say("DATA\r\n\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "354 250 ");
	assert_string_equal(kit_last()->rcpts,
	    "v@test.example,w@test.example,");
}

static void
commands_behind_it_wait_their_turn(void **state)
{
	kit_want(RCPT("v") RCPT("nobody") RCPT("w") "DATA\r\n", "");
	assert_int_equal(kit.ask_cnt, 1);
	kit_judge(250, "", "");
	kit_want("", OK_OF("v"));
	assert_int_equal(kit.ask_cnt, 2);
	kit_judge(550, "5.1.1", "No such user");
	kit_want("", "550 5.1.1 No such user\r\n");
	kit_judge(250, "", "");
	assert_string_equal(kit_codes(kit_hear()), "250 354 ");
	assert_string_equal(kit.asked, "v@test.example,nobody@test.example,"
	    "w@test.example,");
}

static void
a_senseless_no_is_ours_to_excuse(void **state)
{
	static const struct {
		unsigned code;
		const char *dsn;
	} rows[] = {
		{ 251, "2.1.5" }, { 354, "" }, { 0, "" }, { 550, "" },
		{ 550, "4.1.1" }, { 600, "5.1.1" }, { 550, "5.1.1\r\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_want(RCPT("v"), "");
		kit_judge(rows[i].code, rows[i].dsn, "x");
		kit_want("", "451 4.3.0 Error queuing message\r\n");
	}
	assert_int_equal(kit.lost_cnt, 0);
}

static void
a_link_lost_is_tried_again_later(void **state)
{
	kit_want(RCPT("v") RCPT("w"), "");
	link_close(&kit.queue);
	kit_want("", "451 4.3.0 Queue not available, try again later\r\n"
	    "451 4.3.0 Queue not available, try again later\r\n");
	kit_link();
	kit_asks(true);
	kit_want(RCPT("v"), "");
	kit_judge(250, "", "");
	kit_want("", OK_OF("v"));
}

/* It may take a while to open its store; till then it could say no. */
static void
a_queue_that_has_not_spoken_yet_is_asked(void **state)
{
	for (int i = 0; i < 2; i++) {
		kit_asks(i > 0);
		kit_link_silent();
		kit_ready();
		kit_want(MAIL RCPT("v"), "250 2.1.0 <a@other.example> Ok\r\n");
		kit_judge(550, "5.1.1", "No such user");
		kit_want("", "550 5.1.1 No such user\r\n");
	}
}

static void
an_answer_for_who_has_left_is_late_and_not_wrong(void **state)
{
	kit_want(RCPT("v"), "");
	kit_hang_up();
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.edge->client_cnt, 0);
	kit_judge(250, "", "");
	assert_int_equal(kit.lost_cnt, 0);
	kit_ready();
	kit_want(MAIL RCPT("v"), "250 2.1.0 <a@other.example> Ok\r\n");
	kit_judge(250, "", "");
	kit_want("", OK_OF("v"));
	kit_judge(250, "", "");			/* twice */
	assert_int_equal(kit.lost_cnt, 0);
}

static void
an_answer_never_asked_for_costs_the_link(void **state)
{
	kit_want(RCPT("v"), "");
	kit.asks[0]++;
	kit_judge(250, "", "");
	assert_int_equal(kit.lost_cnt, 1);
	kit_want("", "451 4.3.0 Queue not available, try again later\r\n");
}

static void
a_bare_postmaster_is_asked_about_with_our_name(void **state)
{
	kit_want("RCPT TO:<Postmaster>\r\n", "");
	assert_string_equal(kit.asked, "Postmaster@mx.test.example,");
	kit_judge(250, "", "");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
}

static void
who_was_refused_leaves_no_need_of_smtputf8(void **state)
{
	kit_say("RSET\r\nMAIL FROM:<> SMTPUTF8\r\n"
	    "RCPT TO:<\xc3\xa9@test.example>\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 ");
	kit_judge(550, "5.1.1", "No such user");
	assert_string_equal(kit_codes(kit_hear()), "550 ");
	kit_say(RCPT("v"));
	kit_turn(KIT_TURNS);
	kit_judge(250, "", "");
	kit_say("DATA\r\n\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 354 250 ");
	assert_false(kit_last()->flags & MAIL_SMTPUTF8);
}

static void
tell(bool asks, enum queue_utf8 utf8)
{
	(void)link_send_queue_state(kit.queue, &(struct msg_queue_state){
	    .eightbit = 1, .asks = asks, .utf8 = (uint8_t)utf8 });
	kit_turn(KIT_TURNS);
}

/* RFC 3030 3: where a relay is known to lack it, each recipient is judged. */
static void
of_binary_text_the_queue_is_asked_where_not_all_can_have_it(void **state)
{
	kit.edge->set.binarymime = true;
	for (unsigned i = 0; i < 2; i++) {
		(void)link_send_queue_state(kit.queue,
		    &(struct msg_queue_state){ .eightbit = 1,
		    .utf8 = QUEUE_UTF8,
		    .binary = (uint8_t)i });
		kit_turn(KIT_TURNS);
		kit_say("RSET\r\nMAIL FROM:<> BODY=BINARYMIME\r\n");
		assert_string_equal(kit_codes(kit_hear()), "250 250 ");
		kit_say(RCPT("v"));
		kit_turn(KIT_TURNS);
		if (i == 0) {
			kit_want("", "");
			kit_judge(550, "5.6.1", "Not there");
			kit_want("", "550 5.6.1 Not there\r\n");
		} else {
			kit_want("", OK_OF("v"));
		}
	}
}

/* RFC 6531 3.5: where some relays alone take it, each recipient is judged. */
static void
with_smtputf8_the_queue_is_asked_where_not_all_can_have_it(void **state)
{
	static const struct {
		enum queue_utf8	 utf8;
		enum smtputf8	 option;
		const char	*param;
		bool		 asks;
	} cases[] = {
		{ QUEUE_UTF8_SOME, SMTPUTF8_AUTO, " SMTPUTF8", true },
		{ QUEUE_UTF8_SOME, SMTPUTF8_AUTO, "", false },
		{ QUEUE_UTF8, SMTPUTF8_AUTO, " SMTPUTF8", false },
		{ QUEUE_ASCII, SMTPUTF8_YES, " SMTPUTF8", false },
	};
	char line[100];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tell(false, cases[i].utf8);
		kit.edge->set.smtputf8 = cases[i].option;
		snprintf(line, sizeof(line), "RSET\r\nMAIL FROM:<>%s\r\n",
		    cases[i].param);
		kit_say(line);
		assert_string_equal(kit_codes(kit_hear()), "250 250 ");
		kit_say(RCPT("v"));
		kit_turn(KIT_TURNS);
		if (cases[i].asks) {
			kit_want("", "");
			kit_judge(553, "5.6.7", "Not there");
			kit_want("", "553 5.6.7 Not there\r\n");
		} else {
			kit_want("", OK_OF("v"));
		}
	}
}

static void
no_time_runs_out_while_the_queue_thinks(void **state)
{
	kit_hang_up();
	kit.edge->set.timeout_ms = 40;
	kit_ready();
	kit_want(MAIL RCPT("v"), "250 2.1.0 <a@other.example> Ok\r\n");
	kit_wait(120);
	kit_want("", "");
	kit_judge(250, "", "");
	kit_want("", OK_OF("v"));
	kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
}

static void
too_many_refusals_end_the_session(void **state)
{
	kit.edge->set.max_errors = 1;
	kit_want(RCPT("v") RCPT("w") RCPT("x"), "");
	kit_judge(550, "5.1.1", "No such user");
	kit_want("", "550 5.1.1 No such user\r\n");
	kit_judge(550, "5.1.1", "No such user");
	kit_want("", "421 4.7.0 Too many errors\r\n");
	assert_true(kit.is_closed);
	assert_int_equal(kit.ask_cnt, 2);
}

#define T(name)	cmocka_unit_test_setup_teardown(name, setup, kit_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_recipient_is_taken_when_the_queue_says_so),
		T(the_queue_knows_of_a_mail_from_mail_on),
		T(a_queue_that_wants_its_word_at_mail_has_it),
		T(a_stream_lost_before_the_text_is_opened_anew),
		T(a_stream_refused_before_the_text_is_tried_again),
		T(who_is_refused_behind_the_queue_is_none_of_its_recipients),
		T(a_queue_that_does_not_care_is_not_asked),
		T(the_queues_no_is_the_clients_and_the_others_stay),
		T(commands_behind_it_wait_their_turn),
		T(a_senseless_no_is_ours_to_excuse),
		T(a_link_lost_is_tried_again_later),
		T(a_queue_that_has_not_spoken_yet_is_asked),
		T(an_answer_for_who_has_left_is_late_and_not_wrong),
		T(an_answer_never_asked_for_costs_the_link),
		T(a_bare_postmaster_is_asked_about_with_our_name),
		T(who_was_refused_leaves_no_need_of_smtputf8),
		T(with_smtputf8_the_queue_is_asked_where_not_all_can_have_it),
		T(of_binary_text_the_queue_is_asked_where_not_all_can_have_it),
		T(no_time_runs_out_while_the_queue_thinks),
		T(too_many_refusals_end_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
