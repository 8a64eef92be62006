/*
 * test_queue_relink - what a relay says on a new link of what it had begun to
 * say on the old one.
 *
 * room: queue
 */
#include "queue_play.h"

/* One recipient's result, and not yet that this was the last. */
static void
say_result(struct play *p)
{
	link_send_delivery_result(p->relay, &(struct msg_delivery_result){
	    p->opened.id, p->opened.delivery, p->opened.attempt, 0,
	    CLASS_DONE, SCOPE_RECIPIENT, STAGE_RCPT, 250, SPAN("2.0.0 Ok"),
	    SPAN("mx.example.net") });
}

static void
results_cut_off_with_their_link_are_said_again(void **state)
{
	struct play *p = *state;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	say_result(p);
	for (int i = 0; i < 5; i++)
		kit_turn(&p->kit);
	play_link_relay(p, 1);
	link_send_delivery_running(p->relay, &(struct msg_delivery_running){
	    p->opened.id, p->opened.delivery, p->opened.attempt });
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	play_list_slots(p, 10);
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->q.message_cnt, 0);
	assert_int_equal(p->open_cnt, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    results_cut_off_with_their_link_are_said_again,
		    play_set_up, play_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
