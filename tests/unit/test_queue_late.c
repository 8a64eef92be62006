/*
 * An engine that does not answer: those who wait for it hear 451 in time, so
 * do all others until it answers again, and no message comes of what they were
 * refused.  What is merely slow is done all the same.
 * room: queue
 */
#include "late_kit.h"

#include "queue/intake/intake_inside.h"

#define SHORT_MS	100

static char full[PIECE_MAX];

static unsigned
count_messages(struct play *p)
{
	struct store_read_rows r = { .message_max = 100 };
	unsigned before = p->kit.back_cnt;

	store_read_rows(p->q.store, &r, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	assert_int_equal(p->kit.last, OK);
	free(r.rows);
	return r.message_cnt;
}

static void
be_impatient(struct play *p)
{
	p->q.intake->patience_ms = SHORT_MS;
}

/* Everybody is told that it is away, and then that it is not. */
static void
answers_again(struct play *p, unsigned refused)
{
	unsigned states = p->state_cnt;

	play_open_mail(p, 100, "a@example.org", NULL);
	kit_until(&p->kit, p->refused_cnt == refused + 1);
	assert_int_equal(p->refused_code, 451);
	assert_true(p->said_full);
	late_end();
	kit_until(&p->kit, p->state_cnt > states && !p->said_full);
	kit_until(&p->kit, !intake_is_busy(p->q.intake));
	assert_int_equal(count_messages(p), 0);
	assert_int_equal(p->q.message_cnt, 0);
	assert_int_equal(p->taken_cnt, 0);
	p->q.intake->patience_ms = KIT_PATIENCE_MS;
	play_send_mail(p, 101, "a@example.org", "b@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	assert_int_equal(count_messages(p), 1);
}

static void
who_waits_for_the_commit_hears_451(void **state)
{
	struct play *p = *state;

	be_impatient(p);
	late_begin(p, LATE(ACCEPT));
	play_send_mail(p, 1, "a@example.org", "b@example.net");
	kit_until(&p->kit, p->refused_cnt == 1);
	assert_int_equal(p->refused_code, 451);
	assert_int_equal(late.held_cnt, 1);
	answers_again(p, 1);
}

static void
who_waits_for_his_text_to_go_on_hears_451(void **state)
{
	struct play *p = *state;

	be_impatient(p);
	late_begin(p, LATE(PIECE));
	play_open_mail(p, 1, "a@example.org", "b@example.net");
	for (int i = 0; i < 2; i++)
		link_send_mail_body(p->edge, &(struct msg_mail_body){ 1 },
		    (struct span){ full, sizeof(full) });
	kit_until(&p->kit, p->refused_cnt == 1);
	assert_int_equal(p->refused_code, 451);
	assert_int_equal(p->credit_cnt, 0);
	answers_again(p, 1);
}

/* He is gone before: it is a message, for he may have thought so. */
static void
an_edge_that_is_gone_is_owed_no_word(void **state)
{
	struct play *p = *state;
	struct edge *ed = LIST_FIRST(&p->q.intake->edges);

	be_impatient(p);
	late_begin(p, LATE(ACCEPT));
	play_send_mail(p, 1, "a@example.org", "b@example.net");
	kit_until(&p->kit, late.held_cnt == 1);
	intake_edge_gone(&ed);
	late_end();
	kit_until(&p->kit, !intake_is_busy(p->q.intake));
	assert_int_equal(count_messages(p), 1);
}

/* Nobody is given up for another's sake: each has his own time. */
static void
who_came_late_has_his_own_time(void **state)
{
	struct play *p = *state;
	struct stream *s;

	late_begin(p, LATE(ACCEPT));
	play_send_mail(p, 1, "a@example.org", "b@example.net");
	play_send_mail(p, 2, "a@example.org", "b@example.net");
	kit_until(&p->kit, late.held_cnt == 2);
	s = stream_by_no(LIST_FIRST(&p->q.intake->edges), 1);
	s->handed_ms -= p->q.intake->patience_ms + 1;
	timer_set(&p->q.intake->watch, 0);
	kit_until(&p->kit, p->refused_cnt == 1);
	late_end();
	kit_until(&p->kit, p->taken_cnt == 1);
	kit_until(&p->kit, !intake_is_busy(p->q.intake));
	assert_int_equal(count_messages(p), 1);
	assert_int_equal(p->refused_cnt, 1);
}

static void
a_result_is_kept_by_the_relay_until_it_is_on_disk(void **state)
{
	struct play *p = *state;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "a@example.org", "b@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	late_begin(p, LATE(SETTLE));
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, late.held_cnt == 1);
	for (int i = 0; i < 5; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->settled_cnt, 0);
	assert_int_equal(p->q.message_cnt, 1);
	late_end();
	kit_until(&p->kit, p->settled_cnt == 1 && p->q.message_cnt == 0);
}

static void
what_is_slow_is_done_all_the_same(void **state)
{
	struct play *p = *state;

	late_begin(p, LATE_ALL);
	late.each_ms = 10;
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	for (unsigned i = 1; i <= 3; i++) {
		play_send_mail(p, i, "a@example.org", "b@example.net");
		kit_until(&p->kit, p->open_cnt == i);
		play_pull(p, PART_BODY);
		kit_until(&p->kit, p->piece_cnt == i);
		play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
		kit_until(&p->kit, p->settled_cnt == i);
	}
	assert_int_equal(p->taken_cnt, 3);
	assert_int_equal(p->refused_cnt, 0);
	kit_until(&p->kit, p->q.message_cnt == 0);
	late_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PLAY_TEST(who_waits_for_the_commit_hears_451),
		PLAY_TEST(who_waits_for_his_text_to_go_on_hears_451),
		PLAY_TEST(an_edge_that_is_gone_is_owed_no_word),
		PLAY_TEST(who_came_late_has_his_own_time),
		PLAY_TEST(a_result_is_kept_by_the_relay_until_it_is_on_disk),
		PLAY_TEST(what_is_slow_is_done_all_the_same),
	};

	return KIT_RUN_BOTH(tests, "");
}
