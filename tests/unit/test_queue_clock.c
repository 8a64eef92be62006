/*
 * test_queue_clock - a wall clock that is set back, or forward, under the
 * queue: what waits goes on, what is young stays young.
 * room: queue
 */
#include <time.h>

#include "queue_disk.h"
#include "queue_play.h"

#include "queue/plan/dispatch_inside.h"
#include "queue/plan/flow.h"

#define DAY_MS	INT64_C(86400000)

static int64_t wall_off_ms, mono_off_ms;

/* The one clock of the program, in place of sys/clock.c. */
static int64_t
read_ms(clockid_t which)
{
	struct timespec ts;

	(void)clock_gettime(which, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC) + mono_off_ms;
}

int64_t
clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME) + wall_off_ms;
}

static int
set_up(void **state)
{
	struct play *p;

	wall_off_ms = mono_off_ms = 0;
	if (play_set_up(state) != 0)
		return -1;
	p = *state;
	p->q.settings.retry = (struct retry){ .delay = "3600",
	    .delay_len = 4, .cap_ms = 3600000, .lifetime_ms = 5 * DAY_MS,
	    .maximum = 1000 };
	due_set_longest(p->q.due, retry_longest_ms(&p->q.settings.retry));
	return 0;
}

/* What is being read would not come back, and leak: reads come in order. */
static int
tear_down(void **state)
{
	struct play *p = *state;
	struct store_read_totals t = { .held = 0 };
	unsigned before = p->kit.back_cnt;

	store_read_totals(p->q.store, &t, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	return play_tear_down(state);
}

/* One message for that relay, deferred by it once. */
static void
defer_one(struct play *p, uint64_t stream)
{
	unsigned opened = p->open_cnt, settled = p->settled_cnt;

	play_send_mail(p, stream, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == opened + 1);
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.0 Later");
	kit_until(&p->kit, p->settled_cnt == settled + 1);
}

static void
restart(struct play *p)
{
	struct retry retry = p->q.settings.retry;

	play_stop_queue(p);
	p->retry = &retry;
	play_start_queue(p);
	p->retry = NULL;
	play_link_edge(p);
	play_link_relay(p, 7);
	play_list_slots(p, 10);
}

static void
look_now(struct play *p)
{
	timer_set(&p->q.due->timer, 0);
}

static void
what_was_deferred_before_the_clock_went_back_is_tried(void **state)
{
	for (int round = 0; round < 2; round++) {
		struct play *p;

		if (round > 0) {
			tear_down(state);
			set_up(state);
		}
		p = *state;
		wall_off_ms = 9 * DAY_MS;
		play_link_relay(p, 1);
		play_list_slots(p, 10);
		defer_one(p, 1);
		defer_one(p, 2);
		wall_off_ms = 0;
		if (round == 0)
			look_now(p);
		else
			restart(p);
		kit_until(&p->kit, p->open_cnt == 4);
		play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
		kit_until(&p->kit, p->settled_cnt == 3);
	}
}

/* The flow always has something that is due soon. */
static void
what_is_due_soon_does_not_hide_what_is_far_off(void **state)
{
	struct play *p = *state;
	struct id old;

	wall_off_ms = 9 * DAY_MS;
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	defer_one(p, 1);
	old = p->opened.id;
	wall_off_ms = 0;
	defer_one(p, 2);
	look_now(p);
	kit_until(&p->kit, p->open_cnt == 3);
	assert_int_equal(id_cmp(p->opened.id, old), 0);
}

static void
what_is_held_stays_held_and_what_is_near_waits(void **state)
{
	struct play *p = *state;
	struct store_edit e = { .action = EDIT_HOLD };
	unsigned before = p->kit.back_cnt;

	memcpy(p->q.settings.retry.delay, "1800", 4);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	defer_one(p, 1);
	e.id = p->opened.id;
	e.now_ms = clock_wall_ms();
	store_edit(p->q.store, &e, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	free(e.rows);
	defer_one(p, 2);
	wall_off_ms = -60000;
	look_now(p);
	for (int i = 0; i < 50; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 2);
	restart(p);
	for (int i = 0; i < 50; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 2);
}

static void
a_shorter_longest_delay_shortens_the_wait(void **state)
{
	struct play *p = *state;

	p->q.settings.retry.delay_len = 0;	/* only the cap counts */
	p->q.settings.retry.cap_ms = 30 * DAY_MS;
	due_set_longest(p->q.due, 30 * DAY_MS);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	defer_one(p, 1);
	due_set_longest(p->q.due, 60000);
	kit_until(&p->kit, p->open_cnt == 2);
}

static void
a_clock_set_forward_makes_no_message_old(void **state)
{
	for (int round = 0; round < 2; round++) {
		struct play *p;
		struct id id;

		if (round > 0) {
			tear_down(state);
			set_up(state);
		}
		p = *state;
		play_link_relay(p, 1);
		play_list_slots(p, 10);
		play_send_mail(p, 1, "from@example.org", "to@example.net");
		kit_until(&p->kit, p->open_cnt == 1);
		id = p->opened.id;
		if (round == 0) {
			wall_off_ms = 9 * DAY_MS;
		} else {
			link_close(&p->relay);
			wall_off_ms = 400 * DAY_MS;
			restart(p);
			kit_until(&p->kit, p->open_cnt == 2);
		}
		play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2 Later");
		kit_until(&p->kit, p->settled_cnt == 1);
		assert_int_equal(id_cmp(p->q.last_id, id), 0);
	}
}

/* Whatever the wall clock says, and across a restart. */
static void
what_was_here_for_its_lifetime_is_given_up(void **state)
{
	struct play *p = *state;
	struct id last;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	defer_one(p, 1);
	mono_off_ms = 3 * DAY_MS;
	wall_off_ms = -100 * DAY_MS;
	restart(p);
	kit_until(&p->kit, p->open_cnt == 2);
	mono_off_ms = 6 * DAY_MS;
	last = p->q.last_id;
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.0 Later");
	kit_until(&p->kit, id_cmp(p->q.last_id, last) > 0);	/* a bounce */
}

/*
 * Tried once, and due again in years: it goes in the minute after its lifetime,
 * and not before.  Time passes in steps, each of which is waited for.
 */
static void
a_lifetime_ends_between_two_attempts_that_are_far_apart(void **state)
{
	struct play *p = *state;
	const struct expire *ex = &p->q.dispatch->expire;
	int64_t lifetime_ms = p->q.settings.retry.lifetime_ms, age_ms = 0;
	int64_t begin_ms = store_lived_ms(p->q.store);

	play_wait_for_years(p);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.0 Later");
	kit_until(&p->kit, p->settled_cnt == 1);
	mono_off_ms = wall_off_ms = lifetime_ms - 120000;
	while (p->q.message_cnt > 0) {
		assert_true(age_ms < lifetime_ms + 60000);
		mono_off_ms = wall_off_ms += 5000;
		kit_turn(&p->kit);
		kit_until(&p->kit, !ex->is_walking &&
		    !outcome_is_busy(p->q.outcomes));
		age_ms = store_lived_ms(p->q.store) - begin_ms;
	}
	assert_true(age_ms >= lifetime_ms);
}

/* The row is lost, and the newest messages tell. */
static void
how_long_we_ran_outlives_its_row(void **state)
{
	struct play *p = *state;
	struct store_env env;
	MDB_txn *txn;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	mono_off_ms = 3 * DAY_MS;
	defer_one(p, 1);
	play_stop_queue(p);
	assert_int_equal(store_table_open(&env, p->kit.dir), 0);
	assert_int_equal(mdb_txn_begin(env.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_drop(txn, env.dbi[TABLE_TOTAL], 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&env);
	play_start_queue(p);
	assert_in_range(store_lived_ms(p->q.store), 3 * DAY_MS,
	    3 * DAY_MS + 60000);
}

static size_t
history_cnt(struct play *p)
{
	size_t cnt;

	play_stop_queue(p);
	cnt = kit_rows(&p->kit, TABLE_HISTORY);
	play_start_queue(p);
	play_link_edge(p);
	return cnt;
}

/* Each commit sweeps a few rows that are past their time. */
static void
a_clock_set_forward_sweeps_no_history(void **state)
{
	struct play *p = *state;
	size_t before;

	p->kit.limits.history_ms = DAY_MS;
	for (uint64_t no = 1; no <= 20; no++)
		play_send_mail(p, no, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 20);
	before = history_cnt(p);
	for (int round = 0; round < 2; round++) {
		wall_off_ms += 30 * DAY_MS;
		for (uint64_t no = 1; no <= 5; no++) {
			play_send_mail(p, no, "from@example.org",
			    "to@example.net");
			kit_until(&p->kit, p->taken_cnt == 20 + 5 *
			    (unsigned)round + no);
		}
		assert_int_equal(history_cnt(p), before + 5 * (size_t)(round +
		    1));
	}
}

static void
send_more(struct play *p, unsigned cnt)
{
	static uint64_t no = 1000;
	unsigned taken = p->taken_cnt;

	for (unsigned i = 1; i <= cnt; i++) {
		play_send_mail(p, no++, "from@example.org", "to@example.net");
		kit_until(&p->kit, p->taken_cnt == taken + i);
	}
}

static void
time_passes(struct play *p, int64_t ms)
{
	p->q.settings.retry.lifetime_ms = 1000 * DAY_MS;
	wall_off_ms += ms;
	mono_off_ms += ms;
}

/* Wrong for an hour, then set right: by next day that is as if never. */
static void
a_day_after_a_step_history_goes_by_its_age_alone(void **state)
{
	for (int64_t step = -30; step <= 30; step += 60) {
		struct play *p;
		size_t before;

		if (step > 0) {
			tear_down(state);
			set_up(state);
		}
		p = *state;
		p->kit.limits.history_ms = 3 * DAY_MS;
		assert_int_equal(history_cnt(p), 0);
		send_more(p, 20);
		before = history_cnt(p);
		wall_off_ms += step * DAY_MS;
		send_more(p, 5);
		time_passes(p, 3600000);
		wall_off_ms -= step * DAY_MS;
		send_more(p, 5);
		time_passes(p, DAY_MS + 3600000);
		send_more(p, 5);
		/* Those of the hour may say that they are a month old. */
		assert_in_range(history_cnt(p), before + 10, before + 15);
		time_passes(p, 2 * DAY_MS);
		send_more(p, 5);
		assert_in_range(history_cnt(p), 5, 20);
	}
}

#define TEST(t)	cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_deferred_before_the_clock_went_back_is_tried),
		TEST(what_is_due_soon_does_not_hide_what_is_far_off),
		TEST(what_is_held_stays_held_and_what_is_near_waits),
		TEST(a_shorter_longest_delay_shortens_the_wait),
		TEST(a_clock_set_forward_makes_no_message_old),
		TEST(what_was_here_for_its_lifetime_is_given_up),
		TEST(a_lifetime_ends_between_two_attempts_that_are_far_apart),
		TEST(how_long_we_ran_outlives_its_row),
		TEST(a_clock_set_forward_sweeps_no_history),
		TEST(a_day_after_a_step_history_goes_by_its_age_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
