/*
 * test_queue_suspect - what was under way when relays died, one at a time; and
 * what is given up at the end of its lifetime wherever it stands.
 * room: queue
 */
#include "queue_play.h"

#include "queue/plan/dispatch_inside.h"
#include "queue/plan/suspect.h"

#define CNT	12

static unsigned start_no;

static void
relay_anew(struct play *p)
{
	play_link_relay(p, ++start_no);
	play_list_slots(p, 100);
}

static void
send_some(struct play *p, uint64_t first, unsigned cnt)
{
	unsigned taken = p->taken_cnt;

	for (unsigned i = 0; i < cnt; i++)
		play_send_mail(p, first + i, "from@example.org",
		    "to@example.net");
	kit_until(&p->kit, p->taken_cnt == taken + cnt);
}

static void
turns(struct play *p, int cnt)
{
	for (int i = 0; i < cnt; i++)
		kit_turn(&p->kit);
}

static uint64_t
held_cnt(struct play *p)
{
	struct store_read_totals t = { .held = 0 };
	unsigned before = p->kit.back_cnt;

	store_read_totals(p->q.store, &t, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	return t.held;
}

/* All under way, and the relay dies twice; then it is there again. */
static void
kill_twice(struct play *p)
{
	struct destination *d;

	start_no = 0;
	relay_anew(p);
	send_some(p, 1, CNT);
	kit_until(&p->kit, p->open_cnt > 0);
	d = due_find_destination(p->q.due, SPAN("out"), SPAN("out"));
	d->window = 100;
	dispatch_ready(d, p->q.dispatch);
	kit_until(&p->kit, p->open_cnt == CNT);
	relay_anew(p);
	kit_until(&p->kit, p->open_cnt == 2 * CNT);
	relay_anew(p);
	kit_until(&p->kit, p->open_cnt == 2 * CNT + 1);
	turns(p, 20);
	assert_int_equal(p->open_cnt, 2 * CNT + 1);
}

/* The one that was opened last has seen all the deaths but the one too many. */
static void
age_in_deaths(struct play *p)
{
	struct delivery *dl = due_find(p->q.due, p->opened.id,
	    p->opened.delivery);

	assert_non_null(dl);
	assert_non_null(dl->envelope);
	play_age_in_deaths(p, dl, SUSPECT_DEATHS_MAX - 1);
}

static void
suspects_run_one_at_a_time_and_others_beside(void **state)
{
	struct play *p = *state;
	struct msg_delivery_open suspect;
	unsigned opened;

	kill_twice(p);
	suspect = p->opened;
	send_some(p, 100, 3);
	kit_until(&p->kit, p->open_cnt == 2 * CNT + 4);
	p->opened = suspect;
	for (unsigned i = 1; i < CNT; i++) {
		opened = p->open_cnt;
		play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
		kit_until(&p->kit, p->open_cnt > opened);
		turns(p, 3);
		assert_int_equal(p->open_cnt, opened + 1);
	}
	assert_int_equal(held_cnt(p), 0);
}

static void
who_kills_it_again_and_again_is_held_and_the_rest_goes_on(void **state)
{
	struct play *p = *state;
	struct id guilty;

	kill_twice(p);
	age_in_deaths(p);
	guilty = p->opened.id;
	relay_anew(p);
	for (unsigned i = 1; i < CNT; i++) {
		kit_until(&p->kit, p->open_cnt == 2 * CNT + 1 + i);
		assert_int_not_equal(id_cmp(p->opened.id, guilty), 0);
		play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	}
	kit_until(&p->kit, p->q.message_cnt == 1);
	assert_int_equal(held_cnt(p), 1);
}

static void
who_is_killed_by_chance_goes_again_behind_the_others(void **state)
{
	struct play *p = *state;
	struct id guilty;

	kill_twice(p);
	guilty = p->opened.id;
	relay_anew(p);
	for (unsigned i = 1; i < CNT; i++) {
		kit_until(&p->kit, p->open_cnt == 2 * CNT + 1 + i);
		assert_int_not_equal(id_cmp(p->opened.id, guilty), 0);
		play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	}
	kit_until(&p->kit, p->open_cnt == 3 * CNT + 1);
	assert_int_equal(id_cmp(p->opened.id, guilty), 0);
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->q.message_cnt == 0);
}

/* A result, even one that puts it off, clears it. */
static void
a_result_makes_it_a_suspect_no_longer(void **state)
{
	struct play *p = *state;

	p->q.settings.retry.cap_ms = 1;
	kill_twice(p);
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.0 Later");
	/* The next suspect, and beside it the one that is none any more. */
	kit_until(&p->kit, p->open_cnt == 2 * CNT + 3);
}

static struct delivery *
under_way(struct play *p, struct id id)
{
	struct delivery *dl = due_find(p->q.due, id, 0);

	assert_non_null(dl);
	assert_int_equal(dl->state, DELIVERY_RUNNING);
	return dl;
}

/* As if the time that it may be alone were over. */
static void
hang(struct play *p)
{
	struct worker *w = LIST_FIRST(&p->q.dispatch->workers);
	unsigned opened = p->open_cnt;

	assert_true(timer_running(&w->alone));
	timer_set(&w->alone, 0);
	kit_until(&p->kit, p->open_cnt == opened + 1);
	turns(p, 20);
	assert_int_equal(p->open_cnt, opened + 1);
}

static void
who_hangs_alone_for_seconds_lets_the_next_begin(void **state)
{
	struct play *p = *state;
	struct id mute[3], guilty;

	kill_twice(p);
	for (int i = 0; i < 3; i++) {
		mute[i] = p->opened.id;
		hang(p);
	}
	/* Only who is alone is held, whatever the others have seen. */
	for (int i = 0; i < 3; i++)
		play_age_in_deaths(p, under_way(p, mute[i]), 100);
	guilty = p->opened.id;
	age_in_deaths(p);
	relay_anew(p);
	kit_until(&p->kit, !outcome_is_busy(p->q.outcomes));
	assert_int_equal(held_cnt(p), 1);
	assert_null(due_find(p->q.due, guilty, 0));
}

static void
each_death_makes_the_time_alone_longer(void **state)
{
	assert_int_equal(suspect_alone_ms(SUSPECT_DEATHS_MIN), 5000);
	assert_int_equal(suspect_alone_ms(SUSPECT_DEATHS_MIN + 1), 10000);
	assert_int_equal(suspect_alone_ms(1000),
	    suspect_alone_ms(SUSPECT_DEATHS_MAX - 1));
	/* Those beside never come so far that one more would hold them. */
	assert_int_equal(suspect_deaths(1, false), 2);
	assert_int_equal(suspect_deaths(SUSPECT_DEATHS_MAX - 3, false),
	    SUSPECT_DEATHS_MAX - 2);
	assert_int_equal(suspect_deaths(SUSPECT_DEATHS_MAX - 2, false),
	    SUSPECT_DEATHS_MAX - 2);
	assert_int_equal(suspect_deaths(SUSPECT_DEATHS_MAX - 2, true),
	    SUSPECT_DEATHS_MAX - 1);
	assert_int_equal(suspect_deaths(UINT32_MAX, true), UINT32_MAX);
}

/* So many deaths were counted on disk; the queue starts, the relay has it. */
static void
restart_after(struct play *p, uint32_t deaths, struct msg_delivery_open *out)
{
	struct store_settle s = { .deaths = deaths };
	struct msg_delivery_open was;
	unsigned before = p->kit.back_cnt;

	relay_anew(p);
	send_some(p, 1, 1);
	kit_until(&p->kit, p->open_cnt == 1);
	was = p->opened;
	s.id = was.id;
	s.due_ms = s.now_ms = clock_wall_ms();
	store_settle(p->q.store, &s, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	play_stop_queue(p);
	play_start_queue(p);
	play_link_edge(p);
	play_link_relay(p, start_no);
	*out = was;
}

static void
adopt_after(struct play *p, uint32_t deaths)
{
	struct msg_delivery_open was;

	restart_after(p, deaths, &was);
	link_send_delivery_running(p->relay, &(struct msg_delivery_running){
	    was.id, was.delivery, was.attempt });
}

static void
what_was_adopted_is_alone_too(void **state)
{
	struct play *p = *state;

	adopt_after(p, SUSPECT_DEATHS_MAX - 1);
	play_list_slots(p, 100);
	kit_until(&p->kit, dispatch_is_busy(p->q.dispatch) &&
	    LIST_FIRST(&p->q.dispatch->workers)->suspect != NULL);
	relay_anew(p);
	kit_until(&p->kit, held_cnt(p) == 1);
}

/* Its envelope comes when the relay is dead already. */
static void
a_death_counts_before_the_adopted_is_loaded(void **state)
{
	struct play *p = *state;
	struct msg_delivery_open was;
	struct delivery *dl;
	struct id id;

	/* Said and dead within one turn: nothing is loaded in between. */
	restart_after(p, SUSPECT_DEATHS_MIN, &was);
	id = was.id;
	assert_int_equal(dispatch_running(LIST_FIRST(
	    &p->q.dispatch->workers), &(struct msg_delivery_running){ was.id,
	    was.delivery, was.attempt }), OK);
	dl = due_find(p->q.due, id, 0);
	assert_non_null(dl);
	assert_int_equal(dl->state, DELIVERY_ADOPTING);
	relay_anew(p);
	kit_until(&p->kit, p->open_cnt == 2);
	dl = under_way(p, id);
	assert_int_equal(dl->envelope->delivery.deaths,
	    SUSPECT_DEATHS_MIN + 1);
}

static void
what_waits_as_a_suspect_can_be_edited(void **state)
{
	struct play *p = *state;
	struct delivery *dl;
	struct store_edit e = { .action = EDIT_HOLD };
	unsigned before = p->kit.back_cnt;

	kill_twice(p);
	dl = TAILQ_FIRST(&LIST_FIRST(&p->q.dispatch->workers)->suspects);
	assert_non_null(dl);
	e.id = dl->place.id;
	e.now_ms = clock_wall_ms();
	store_edit(p->q.store, &e, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	free(e.rows);
	/* Its row has moved: it is found out when its turn comes. */
	for (unsigned i = 1; i < CNT; i++) {
		unsigned cnt = p->open_cnt;

		play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
		if (i < CNT - 1)
			kit_until(&p->kit, p->open_cnt > cnt);
	}
	kit_until(&p->kit, p->q.message_cnt == 1);
}

static void
look_now(struct play *p)
{
	timer_set(&p->q.dispatch->expire.look, 0);
}

static void
a_held_one_is_given_up_unless_an_administrator_holds_it(void **state)
{
	for (int by_admin = 0; by_admin < 2; by_admin++) {
		struct play *p;
		struct id guilty;

		if (by_admin) {
			play_tear_down(state);
			play_set_up(state);
		}
		p = *state;
		kill_twice(p);
		age_in_deaths(p);
		guilty = p->opened.id;
		relay_anew(p);
		kit_until(&p->kit, p->open_cnt == 2 * CNT + 2);
		kit_until(&p->kit, held_cnt(p) == 1);
		if (by_admin) {
			struct store_edit e = { .action = EDIT_HOLD };
			unsigned before = p->kit.back_cnt;

			e.id = guilty;
			e.now_ms = clock_wall_ms();
			store_edit(p->q.store, &e, kit_back, &p->kit);
			kit_until(&p->kit, p->kit.back_cnt > before);
			assert_int_equal(e.changed_cnt, 1);
			free(e.rows);
		}
		p->q.settings.retry.lifetime_ms = 1;
		look_now(p);
		turns(p, 100);
		kit_until(&p->kit, !outcome_is_busy(p->q.outcomes) &&
		    held_cnt(p) == (unsigned)by_admin);
	}
}

/* They wait for an attempt hours ahead, at a destination that is well. */
static void
the_lifetime_ends_before_the_next_attempt(void **state)
{
	struct play *p = *state;
	struct id last;

	play_wait_for_years(p);
	memset(&last, 0, sizeof(last));
	start_no = 0;
	relay_anew(p);
	for (uint64_t no = 1; no <= 20; no++) {
		send_some(p, no, 1);
		kit_until(&p->kit, p->open_cnt == no);
		play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2 Wait");
		kit_until(&p->kit, p->settled_cnt == no);
		last = p->opened.id;
	}
	p->q.settings.retry.lifetime_ms = 1;
	look_now(p);
	turns(p, 100);
	kit_until(&p->kit, !p->q.dispatch->expire.is_walking &&
	    !outcome_is_busy(p->q.outcomes));
	assert_null(due_find_next(p->q.due, last, 0));
}

/* One walk gives up all, however many there are. */
static void
a_walk_gives_up_all_that_is_old(void **state)
{
	struct play *p = *state;

	send_some(p, 1, 1000);
	p->q.settings.retry.lifetime_ms = 1;
	turns(p, 2);
	look_now(p);
	turns(p, 100);
	kit_until(&p->kit, !p->q.dispatch->expire.is_walking &&
	    !outcome_is_busy(p->q.outcomes));
	assert_int_equal(due_find_next(p->q.due, p->id, 0) == NULL, true);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, play_set_up, play_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(suspects_run_one_at_a_time_and_others_beside),
		TEST(who_kills_it_again_and_again_is_held_and_the_rest_goes_on),
		TEST(who_is_killed_by_chance_goes_again_behind_the_others),
		TEST(a_result_makes_it_a_suspect_no_longer),
		TEST(who_hangs_alone_for_seconds_lets_the_next_begin),
		TEST(each_death_makes_the_time_alone_longer),
		TEST(what_was_adopted_is_alone_too),
		TEST(a_death_counts_before_the_adopted_is_loaded),
		TEST(what_waits_as_a_suspect_can_be_edited),
		TEST(a_held_one_is_given_up_unless_an_administrator_holds_it),
		TEST(the_lifetime_ends_before_the_next_attempt),
		TEST(a_walk_gives_up_all_that_is_old),
	};

	return KIT_RUN_BOTH(tests,
	    "what_was_adopted_is_alone_too "
	    "a_death_counts_before_the_adopted_is_loaded");
}
