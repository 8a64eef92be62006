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
	    .id = p->opened.id, .delivery = p->opened.delivery,
	    .attempt = p->opened.attempt, .class = CLASS_DONE,
	    .scope = SCOPE_RECIPIENT, .stage = STAGE_RCPT, .code = 250,
	    .reply = SPAN("2.0.0 Ok"), .hop = SPAN("mx.example.net") });
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

/* The worker that the usual one replaces, still linked while it drains. */
static struct link *
link_old_worker(struct play *p)
{
	struct link_peer us = { .role = ROLE_QUEUE, .block = "main" };
	struct link_peer old = { .role = ROLE_RELAY, .block = "out",
	    .no = 1, .start = 1, .workers = 1 };
	struct link *l;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
	    0, fds), 0);
	from_relay_peer(&p->q, fds[0], &old);
	assert_int_equal(link_open(&l, p->kit.loop, fds[1], ROLE_RELAY,
	    &us, play_relay_heard, play_relay_lost, p), OK);
	return l;
}

static void
nothing_is_given_out_before_all_of_a_block_have_listed(void **state)
{
	struct play *p = *state;
	struct link *old = link_old_worker(p);

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 0);
	link_send_delivery_listed(old, &(struct msg_delivery_listed){ 0 });
	kit_until(&p->kit, p->open_cnt == 1);
	link_close(&old);
}

static void
one_that_goes_without_its_list_holds_nobody_up(void **state)
{
	struct play *p = *state;
	struct link *old = link_old_worker(p);

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	dispatch_gone(&p->q, 1);
	kit_until(&p->kit, p->open_cnt == 1);
	link_close(&old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    results_cut_off_with_their_link_are_said_again,
		    play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
		    nothing_is_given_out_before_all_of_a_block_have_listed,
		    play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
		    one_that_goes_without_its_list_holds_nobody_up,
		    play_set_up, play_tear_down),
	};

	return KIT_RUN_BOTH(tests, "");
}
