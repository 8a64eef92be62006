/*
 * test_queue_way - a message's way through the queue: nothing is taken before
 * it is on disk, nothing is forgotten before it is settled.
 * room: queue
 */
#include "queue_play.h"

static void
a_message_goes_all_the_way_and_leaves_nothing(void **state)
{
	struct play *p = *state;

	play_send_mail(p, 7, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	assert_int_equal(p->q.message_cnt, 1);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->rcpt_cnt == 1);
	assert_int_equal(id_cmp(p->opened.id, p->id), 0);
	assert_string_equal(p->rcpt, "to@example.net");
	assert_string_equal(p->sender, "from@example.org");
	play_pull(p, PART_HEADER);
	kit_until(&p->kit, p->piece_cnt == 1);
	play_pull(p, PART_BODY);
	kit_until(&p->kit, p->piece_cnt == 2);
	p->text[p->text_len] = '\0';
	assert_string_equal(p->text,
	    "Subject: hello\r\n\r\nHow are you?\r\n");
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->q.message_cnt, 0);
	assert_int_equal(p->open_cnt, 1);
}

static void
nothing_is_dispatched_before_the_list_or_beyond_the_slots(void **state)
{
	struct play *p = *state;

	for (unsigned i = 0; i < 5; i++)
		play_send_mail(p, i, "a@example.org", "b@example.org");
	kit_until(&p->kit, p->taken_cnt == 5);
	play_link_relay(p, 1);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 0);
	play_list_slots(p, 2);
	kit_until(&p->kit, p->open_cnt == 2);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 2);
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->open_cnt == 3);
}

static void
a_permanent_failure_becomes_a_bounce_to_the_sender(void **state)
{
	struct play *p = *state;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->rcpt_cnt == 1);
	play_answer(p, CLASS_NEVER, SCOPE_RECIPIENT, 550,
	    "5.1.1 No such user");
	kit_until(&p->kit, p->settled_cnt == 1 && p->rcpt_cnt == 2);
	assert_string_equal(p->rcpt, "from@example.org");
	assert_string_equal(p->sender, "");
	play_pull(p, PART_HEADER);
	kit_until(&p->kit, p->piece_cnt == 1);
	play_pull(p, PART_BODY);
	kit_until(&p->kit, p->piece_cnt == 2);
	p->text[p->text_len] = '\0';
	assert_non_null(strstr(p->text, "Status: 5.1.1\r\n"));
	assert_non_null(strstr(p->text, "Subject: hello\r\n"));
	/* A bounce that fails ends: nobody is told. */
	play_answer(p, CLASS_NEVER, SCOPE_RECIPIENT, 550,
	    "5.1.1 No such user");
	kit_until(&p->kit, p->settled_cnt == 2);
	assert_int_equal(p->q.message_cnt, 0);
}

static void
a_temporary_failure_is_tried_again(void **state)
{
	struct play *p = *state;
	uint64_t first;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	first = p->opened.attempt;
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 451, "4.2.1 Greylisted");
	kit_until(&p->kit, p->settled_cnt == 1);
	kit_until(&p->kit, p->open_cnt == 2);
	assert_true(p->opened.attempt > first);
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 2);
	assert_int_equal(p->q.message_cnt, 0);
}

static void
after_three_deaths_of_its_relay_a_delivery_waits(void **state)
{
	struct play *p = *state;
	int64_t begun_ms;

	play_send_mail(p, 1, "from@example.org", "to@example.net");
	for (uint32_t start = 1; start <= 3; start++) {
		play_link_relay(p, start);
		play_list_slots(p, 10);
		kit_until(&p->kit, p->open_cnt == start);
	}
	begun_ms = clock_mono_ms();
	play_link_relay(p, 4);
	play_list_slots(p, 10);
	while (clock_mono_ms() < begun_ms + 500)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 3);
	assert_int_equal(p->q.message_cnt, 1);
}

static void
a_new_link_to_the_same_relay_changes_nothing(void **state)
{
	struct play *p = *state;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	play_link_relay(p, 1);
	link_send_delivery_running(p->relay, &(struct msg_delivery_running){
	    p->opened.id, p->opened.delivery, p->opened.attempt });
	play_list_slots(p, 10);
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->q.message_cnt, 0);
	assert_int_equal(p->open_cnt, 1);
}

static void
a_delivery_lost_with_its_link_is_sent_again(void **state)
{
	struct play *p = *state;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 2);
}

static void
after_our_restart_the_relay_keeps_what_it_runs(void **state)
{
	struct play *p = *state;
	struct msg_delivery_open opened;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1 && p->taken_cnt == 1);
	opened = p->opened;
	play_stop_queue(p);
	play_start_queue(p);
	assert_int_equal(p->q.message_cnt, 1);
	play_link_relay(p, 1);
	link_send_delivery_running(p->relay, &(struct msg_delivery_running){
	    opened.id, opened.delivery, opened.attempt });
	play_list_slots(p, 10);
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->q.message_cnt, 0);
	assert_int_equal(p->open_cnt, 1);
}

/* Two of three recipients say something: those that do not have nothing. */
static void
what_is_wanted_of_reports_is_kept_and_handed_on(void **state)
{
	static const struct msg_mail_rcpt rcpts[] = {
		{ .stream = 1, .rcpt = { "a@example.net", 13 } },
		{ .stream = 1, .rcpt = { "b@example.net", 13 },
		    .notify = 0x06, .orcpt = { "rfc822;B+2B1@X.example", 22 } },
		{ .stream = 1, .rcpt = { "c@example.net", 13 },
		    .notify = 0x01 },
	};
	struct span header = SPAN("Subject: x\r\n\r\n");
	struct play *p = *state;

	link_send_mail_open(p->edge, &(struct msg_mail_open){ .stream = 1,
	    .sender = SPAN("from@example.org"), .ret = 2,
	    .envid = SPAN("QQ+2B314159") });
	for (size_t i = 0; i < 3; i++)
		link_send_mail_rcpt(p->edge, &rcpts[i]);
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){
	    .stream = 1, .header_len = header.len }, header);
	kit_until(&p->kit, p->taken_cnt == 1);
	play_stop_queue(p);
	play_start_queue(p);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->rcpt_cnt == 3);
	assert_string_equal(p->asked, "ret=2 envid=QQ+2B314159 "
	    "0: 6:rfc822;B+2B1@X.example 1:");
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.0 Later");
	kit_until(&p->kit, p->settled_cnt == 1);
	play_stop_queue(p);
	play_start_queue(p);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->rcpt_cnt == 6);
	assert_non_null(strstr(p->asked, "ret=2 envid=QQ+2B314159 "));
	assert_non_null(strstr(p->asked, " 6:rfc822;B+2B1@X.example"));
	assert_non_null(strstr(p->asked, " 1:"));
}

/* Over a restart, and to a relay for which there is no deadline. */
static void
what_mail_said_of_text_and_way_is_kept_and_handed_on(void **state)
{
	struct span header = SPAN("Subject: x\r\n\r\n");
	struct play *p = *state;

	link_send_mail_open(p->edge, &(struct msg_mail_open){ .stream = 1,
	    .body = BODY_BINARYMIME, .params = PARAM_REQUIRETLS,
	    .by_ms = UINT64_C(1800000000123), .by_mode = BY_NOTIFY });
	link_send_mail_rcpt(p->edge, &(struct msg_mail_rcpt){ .stream = 1,
	    .rcpt = SPAN("a@example.net") });
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){
	    .stream = 1, .header_len = header.len }, header);
	kit_until(&p->kit, p->taken_cnt == 1);
	play_stop_queue(p);
	play_start_queue(p);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->rcpt_cnt == 1);
	assert_int_equal(p->opened.body, BODY_BINARYMIME);
	assert_int_equal(p->opened.params, PARAM_REQUIRETLS);
	assert_int_equal(p->opened.by_ms, UINT64_C(1800000000123));
	assert_int_equal(p->opened.by_mode, BY_NOTIFY);
	assert_int_equal(p->opened.deadline_ms, BUS_NO_DEADLINE);
}

static void
a_result_nobody_asked_for_is_settled_and_changes_nothing(void **state)
{
	struct play *p = *state;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	p->opened.attempt++;
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 2);
	assert_int_equal(p->q.message_cnt, 1);
	assert_false(p->relay_gone);
}

/*
 * The queue died between its commit and its "settled": after the relink the
 * relay names what it still holds, and says its results at once.
 */
static void
results_for_a_message_that_is_gone_are_settled(void **state)
{
	struct play *p = *state;

	play_link_relay(p, 1);
	memset(p->opened.id.b, 7, sizeof(p->opened.id.b));
	p->opened.attempt = 99;
	link_send_delivery_running(p->relay, &(struct msg_delivery_running){
	    p->opened.id, p->opened.delivery, p->opened.attempt });
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	play_list_slots(p, 10);
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->open_cnt, 0);
}

static void
a_relay_that_takes_no_more_is_given_no_more(void **state)
{
	struct play *p = *state;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_list_slots(p, 0);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	play_send_mail(p, 1, "a@example.org", "b@example.org");
	kit_until(&p->kit, p->taken_cnt == 1);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 0);
	play_list_slots(p, 1);
	kit_until(&p->kit, p->open_cnt == 1);
}

static void
a_large_body_needs_credit_and_arrives_whole(void **state)
{
	struct play *p = *state;
	static char piece[PIECE_MAX];
	struct span header = SPAN("A: b\r\n\r\n");

	memset(piece, 'x', sizeof(piece));
	play_open_mail(p, 1, "from@example.org", "to@example.net");
	for (unsigned i = 0; i < 6; i++) {
		kit_until(&p->kit, p->credit_cnt + STREAM_CREDIT > i);
		link_send_mail_body(p->edge, &(struct msg_mail_body){ 1 },
		    (struct span){ piece, i < 5 ? PIECE_MAX : 100 });
	}
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){
	    .stream = 1, .flags = 0,
	    .header_len = header.len, .body_len = 5 * PIECE_MAX + 100 },
	    header);
	kit_until(&p->kit, p->taken_cnt == 1);
	play_link_relay(p, 1);
	play_list_slots(p, 1);
	kit_until(&p->kit, p->open_cnt == 1);
	link_send_delivery_pull(p->relay, &(struct msg_delivery_pull){
	    p->opened.id, 0, p->opened.attempt, PART_BODY, 5 });
	kit_until(&p->kit, p->piece_cnt == 1);
	assert_int_equal(p->text_len, 100);
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
}

static void
an_abort_leaves_no_message(void **state)
{
	struct play *p = *state;
	static char piece[PIECE_MAX];

	play_open_mail(p, 1, "from@example.org", "to@example.net");
	link_send_mail_body(p->edge, &(struct msg_mail_body){ 1 },
	    (struct span){ piece, PIECE_MAX });
	kit_until(&p->kit, p->credit_cnt == 1);
	link_send_mail_abort(p->edge, &(struct msg_mail_abort){ 1 });
	play_send_mail(p, 2, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	assert_int_equal(p->q.message_cnt, 1);
}

static void
a_full_queue_says_452(void **state)
{
	struct play *p = *state;

	p->q.full = QUEUE_FULL;
	play_open_mail(p, 1, "from@example.org", NULL);
	kit_until(&p->kit, p->refused_cnt == 1);
	assert_int_equal(p->refused_code, 452);
	/* What was on its way when we refused is no offence. */
	link_send_mail_body(p->edge, &(struct msg_mail_body){ 1 },
	    SPAN("late"));
	p->q.full = QUEUE_HAS_ROOM;
	play_send_mail(p, 2, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	assert_false(p->edge_gone);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, play_set_up, \
	    play_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_message_goes_all_the_way_and_leaves_nothing),
		TEST(nothing_is_dispatched_before_the_list_or_beyond_the_slots),
		TEST(a_permanent_failure_becomes_a_bounce_to_the_sender),
		TEST(a_temporary_failure_is_tried_again),
		TEST(after_three_deaths_of_its_relay_a_delivery_waits),
		TEST(a_new_link_to_the_same_relay_changes_nothing),
		TEST(a_delivery_lost_with_its_link_is_sent_again),
		TEST(after_our_restart_the_relay_keeps_what_it_runs),
		TEST(what_is_wanted_of_reports_is_kept_and_handed_on),
		TEST(what_mail_said_of_text_and_way_is_kept_and_handed_on),
		TEST(a_result_nobody_asked_for_is_settled_and_changes_nothing),
		TEST(results_for_a_message_that_is_gone_are_settled),
		TEST(a_relay_that_takes_no_more_is_given_no_more),
		TEST(a_large_body_needs_credit_and_arrives_whole),
		TEST(an_abort_leaves_no_message),
		TEST(a_full_queue_says_452),
	};

	return KIT_RUN_BOTH(tests,
	    "after_our_restart_the_relay_keeps_what_it_runs "
	    "what_is_wanted_of_reports_is_kept_and_handed_on "
	    "what_mail_said_of_text_and_way_is_kept_and_handed_on");
}
