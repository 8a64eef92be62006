/*
 * test_queue_outcome - what the results of an attempt come to, and what a relay
 * may say when: called as from_relay.c calls it, or over the link.
 * room: queue
 */
#include <errno.h>

#include "queue_disk.h"
#include "queue_play.h"

#include "queue/plan/dispatch_inside.h"

static struct worker *
worker_of(struct play *p)
{
	return LIST_FIRST(&p->q.dispatch->workers);
}

static void
turns(struct play *p, int cnt)
{
	for (int i = 0; i < cnt; i++)
		kit_turn(&p->kit);
}

/* A message that a relay has. */
static void
run_one(struct play *p)
{
	play_link_relay(p, 1);
	play_list_slots(p, 1);
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1 && p->taken_cnt == 1);
}

static void
result(struct play *p, uint32_t rcpt_no, enum outcome_class class,
    enum outcome_scope scope, uint16_t code)
{
	struct msg_delivery_result r = {
		.id = p->opened.id, .delivery = p->opened.delivery,
		.attempt = p->opened.attempt, .rcpt_no = rcpt_no,
		.class = class, .scope = scope, .stage = STAGE_RCPT,
		.code = code, .reply = SPAN("4.2.0 Words"),
		.hop = SPAN("mx.example.net"),
	};

	assert_int_equal(dispatch_result(worker_of(p), &r), OK);
}

static enum err
done(struct play *p, uint32_t result_cnt)
{
	struct msg_delivery_done d = {
		p->opened.id, p->opened.delivery, p->opened.attempt,
		result_cnt, 0, 0,
	};

	return dispatch_done(worker_of(p), &d);
}

static enum err
pull(struct play *p, enum part part, uint32_t piece_no)
{
	struct msg_delivery_pull m = {
		p->opened.id, p->opened.delivery, p->opened.attempt, part,
		piece_no,
	};

	return dispatch_pull(worker_of(p), &m);
}

/* The delivery as it lies on disk. */
static struct record_delivery
on_disk(struct play *p)
{
	struct store_read_envelope r = { .id = p->id };
	struct record_delivery d;
	unsigned before = p->kit.back_cnt;

	store_read_envelope(p->q.store, &r, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	assert_int_equal(p->kit.last, OK);
	d = r.envelope->delivery;
	free(r.envelope);
	return d;
}

static int64_t
wait_of(struct record_delivery d)
{
	return (int64_t)d.due_ms - clock_wall_ms();
}

static void
expect_bounce(struct play *p)
{
	kit_until(&p->kit, p->open_cnt == 2 && p->rcpt_cnt == 2);
	assert_string_equal(p->sender, "");
	assert_string_equal(p->rcpt, "from@example.org");
}

static void
an_attempt_counts_unless_all_that_failed_was_ours(void **state)
{
	struct play *p = *state;
	struct record_delivery d;

	run_one(p);
	result(p, 0, CLASS_LATER, SCOPE_OURS, 0);
	assert_int_equal(done(p, 1), OK);
	kit_until(&p->kit, p->settled_cnt == 1);
	d = on_disk(p);
	assert_int_equal(d.attempts, 0);
	assert_in_range(wait_of(d), 500, 2000);
	p->q.settings.retry.cap_ms = 1;
	kit_until(&p->kit, p->open_cnt == 2);
	result(p, 0, CLASS_LATER, SCOPE_RECIPIENT, 450);
	assert_int_equal(done(p, 1), OK);
	kit_until(&p->kit, p->settled_cnt == 2);
	d = on_disk(p);
	assert_int_equal(d.attempts, 1);
	assert_in_range(wait_of(d) + 1000, 0, 1001);
}

static void
the_last_attempt_that_is_allowed_ends_it(void **state)
{
	struct play *p = *state;

	p->q.settings.retry.maximum = 1;
	p->q.settings.retry.cap_ms = 1;
	run_one(p);
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.0 Later");
	kit_until(&p->kit, p->open_cnt == 2);
	assert_string_equal(p->sender, "from@example.org");
	p->open_cnt = p->rcpt_cnt = 1;
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.0 Later");
	expect_bounce(p);
	play_pull(p, PART_BODY);
	kit_until(&p->kit, p->piece_cnt == 1);
	p->text[p->text_len] = '\0';
	assert_non_null(strstr(p->text, "It was tried for as long as we try"));
	assert_non_null(strstr(p->text, "Status: 4.2.0\r\n"));
}

static void
age_ends_even_what_only_failed_here(void **state)
{
	struct play *p = *state;

	run_one(p);
	p->q.settings.retry.lifetime_ms = 0;
	play_answer(p, CLASS_LATER, SCOPE_OURS, 0, "4.3.0 Out of memory");
	expect_bounce(p);
}

static void
what_grows_old_behind_a_relay_that_is_away_is_given_up(void **state)
{
	struct play *p = *state;
	int64_t begin = clock_mono_ms();

	p->q.settings.retry.lifetime_ms = 200;
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	timer_set(&p->q.dispatch->expire.look, 0);	/* too early */
	kit_until(&p->kit, clock_mono_ms() - begin > 250);
	assert_int_equal(id_cmp(p->q.last_id, p->id), 0);
	timer_set(&p->q.dispatch->expire.look, 0);
	kit_until(&p->kit, id_cmp(p->q.last_id, p->id) > 0 &&
	    !outcome_is_busy(p->q.outcomes));
	assert_int_equal(p->q.message_cnt, 1);
	p->q.settings.retry.lifetime_ms = 86400000;
	p->open_cnt = p->rcpt_cnt = 1;
	play_link_relay(p, 1);
	play_list_slots(p, 1);
	expect_bounce(p);
	play_pull(p, PART_BODY);
	kit_until(&p->kit, p->piece_cnt == 1);
	p->text[p->text_len] = '\0';
	assert_non_null(strstr(p->text, "Status: 4.4.7\r\n"));
}

/* Whichever of the two is the shorter. */
static void
bounces_have_a_lifetime_of_their_own(void **state)
{
	for (int is_bounce = 0; is_bounce < 2; is_bounce++) {
		struct play *p;
		int64_t *shorter;
		struct id kept;

		if (is_bounce) {
			play_tear_down(state);
			play_set_up(state);
		}
		p = *state;
		shorter = is_bounce ? &p->q.settings.bounce_retry.lifetime_ms :
		    &p->q.settings.retry.lifetime_ms;
		play_wait_for_years(p);
		p->q.settings.bounce_retry = p->q.settings.retry;
		run_one(p);
		play_answer(p, CLASS_NEVER, SCOPE_RECIPIENT, 550, "5.1.1 No");
		expect_bounce(p);
		kept = p->opened.id;
		play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2 Wait");
		kit_until(&p->kit, p->settled_cnt == 2);
		play_send_mail(p, 2, "", "to@example.net");
		kit_until(&p->kit, p->open_cnt == 3);
		if (is_bounce)
			kept = p->opened.id;
		play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2 Wait");
		kit_until(&p->kit, p->settled_cnt == 3);
		*shorter = 1;
		timer_set(&p->q.dispatch->expire.look, 0);
		kit_until(&p->kit, p->q.message_cnt < 2);
		kit_until(&p->kit, !p->q.dispatch->expire.is_walking &&
		    !outcome_is_busy(p->q.outcomes));
		assert_int_equal(p->q.message_cnt, 1);
		p->id = kept;
		assert_int_equal(on_disk(p).attempts, 1);
	}
}

static void
a_death_is_no_attempt_and_results_forgive_it(void **state)
{
	struct play *p = *state;
	struct record_delivery d;

	run_one(p);
	play_link_relay(p, 2);		/* another life of it */
	kit_until(&p->kit, on_disk(p).deaths == 1);
	d = on_disk(p);
	assert_int_equal(d.attempts, 0);
	assert_in_range(wait_of(d), 500, 1000);
	play_list_slots(p, 1);
	kit_until(&p->kit, p->open_cnt == 2);
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.0 Later");
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(on_disk(p).deaths, 0);
}

/* One delivered, one to be tried again, one of which nothing was said. */
static void
each_recipient_has_its_own_end(void **state)
{
	struct play *p = *state;
	struct span header = SPAN("A: b\r\n\r\n");

	p->q.settings.retry.cap_ms = 1;
	play_link_relay(p, 1);
	play_list_slots(p, 1);
	play_open_mail(p, 1, "from@example.org", "a@example.net");
	for (int i = 0; i < 2; i++)
		link_send_mail_rcpt(p->edge, &(struct msg_mail_rcpt){
		    .stream = 1,
		    .rcpt = i == 0 ? SPAN("b@example.net") :
		    SPAN("c@example.net") });
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){
	    .stream = 1, .flags = 0,
	    .header_len = header.len, .body_len = 0 }, header);
	kit_until(&p->kit, p->rcpt_cnt == 3);
	assert_int_equal(p->opened.rcpt_cnt, 3);
	result(p, 0, CLASS_DONE, SCOPE_RECIPIENT, 250);
	result(p, 1, CLASS_LATER, SCOPE_RECIPIENT, 450);
	assert_int_equal(done(p, 2), OK);
	kit_until(&p->kit, p->rcpt_cnt == 5);
	assert_int_equal(p->opened.rcpt_cnt, 2);
	assert_string_equal(p->rcpt, "b@example.net");	/* c goes first now */
	result(p, 1, CLASS_DONE, SCOPE_RECIPIENT, 250);
	result(p, 2, CLASS_DONE, SCOPE_RECIPIENT, 250);
	assert_int_equal(done(p, 2), OK);
	kit_until(&p->kit, p->q.message_cnt == 0);
}

/* A message of that many recipients, as far as a relay's hands. */
static void
run_many(struct play *p, unsigned cnt)
{
	struct span header = SPAN("A: b\r\n\r\n");
	char rcpt[40];

	play_link_relay(p, 1);
	play_list_slots(p, 1);
	play_open_mail(p, 1, "from@example.org", NULL);
	for (unsigned i = 0; i < cnt; i++) {
		snprintf(rcpt, sizeof(rcpt), "r%u@example.net", i);
		link_send_mail_rcpt(p->edge, &(struct msg_mail_rcpt){
		    .stream = 1, .rcpt = span_of(rcpt) });
	}
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){
	    .stream = 1, .flags = 0,
	    .header_len = header.len, .body_len = 0 }, header);
	kit_until(&p->kit, p->rcpt_cnt == cnt);
}

/*
 * A relay that gives up early, say after `reach' recipients, comes to all of
 * them in few attempts more than it would take if it had planned them.
 */
static void
each_attempt_begins_with_other_recipients(void **state)
{
	enum { CNT = 470, REACH = 20 };
	struct play *p = *state;
	bool was_said[CNT] = { false };
	unsigned said_cnt = 0, attempts;

	p->q.settings.retry.cap_ms = 1;
	p->q.settings.retry.maximum = 1000;
	run_many(p, CNT);
	for (attempts = 1; said_cnt < CNT && attempts < 100; attempts++) {
		assert_int_equal(p->first_no == 0, attempts == 1);
		for (unsigned i = 0; i < REACH; i++) {
			bool *said = &was_said[(p->first_no + i) % CNT];

			said_cnt += !*said;
			*said = true;
		}
		result(p, p->first_no, CLASS_LATER, SCOPE_MESSAGE, 451);
		assert_int_equal(done(p, 1), OK);
		kit_until(&p->kit, p->rcpt_cnt == (attempts + 1) * CNT);
	}
	assert_in_range(attempts, CNT / REACH, 3 * CNT / REACH);
}

/*
 * A message on which the hop breaks the text off shrinks the window twice; from
 * the third time on it waits alone, and the others lose nothing by it.
 */
static void
the_third_break_of_a_message_is_its_own_affair(void **state)
{
	static const unsigned windows[] = { 20, 10, 10, 10 };
	struct play *p = *state;
	struct destination *d;

	p->q.settings.retry.cap_ms = 1;
	p->q.settings.retry.maximum = 1000;
	run_one(p);
	d = due_find_destination(p->q.due, SPAN("out"), SPAN("out"));
	assert_non_null(d);
	d->window = 40;
	for (unsigned i = 0; i < 4; i++) {
		struct msg_delivery_result r = {
			.id = p->opened.id, .delivery = p->opened.delivery,
			.attempt = p->opened.attempt, .class = CLASS_LATER,
			.scope = SCOPE_HOST, .stage = STAGE_BODY,
			.code = 421, .reply = SPAN("4.4.2 It broke off"),
		};

		kit_until(&p->kit, p->open_cnt == i + 1);
		r.attempt = p->opened.attempt;
		assert_int_equal(dispatch_result(worker_of(p), &r), OK);
		assert_int_equal(done(p, 1), OK);
		assert_int_equal(d->window, windows[i]);
		assert_int_equal(d->standing.state, STANDING_UP);
	}
}

static void
a_queue_that_stops_sends_nothing_more(void **state)
{
	struct play *p = *state;

	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	p->q.is_draining = true;
	play_link_relay(p, 1);
	play_list_slots(p, 1);
	turns(p, 20);
	assert_int_equal(p->open_cnt, 0);
	assert_true(worker_of(p)->is_listed);
	p->q.is_draining = false;	/* there is no boot to be done with */
}

/* A row read before its delivery was moved leads to another time. */
static void
a_row_of_an_old_snapshot_is_not_followed(void **state)
{
	struct play *p = *state;
	struct store_place place = { .no = 0 };

	play_wait_for_years(p);
	run_one(p);
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.0 Later");
	kit_until(&p->kit, p->settled_cnt == 1);
	place.id = p->id;
	place.due_ms = clock_wall_ms();
	due_note(p->q.due, SPAN("out"), SPAN("out"), SPAN("127.0.0.0/24"),
	    &place);
	turns(p, 50);
	assert_int_equal(p->open_cnt, 1);
	assert_null(due_find(p->q.due, p->id, 0));
	assert_true((int64_t)on_disk(p).due_ms > place.due_ms);
}

static void
a_destination_that_is_down_is_probed_after_its_pause(void **state)
{
	struct play *p = *state;
	int64_t begin;

	play_wait_for_years(p);
	run_one(p);
	begin = clock_mono_ms();
	play_answer(p, CLASS_LATER, SCOPE_DESTINATION, 0, "4.4.1 No way");
	kit_until(&p->kit, p->settled_cnt == 1);
	play_send_mail(p, 2, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 2);
	assert_in_range(clock_mono_ms() - begin, 900, 5000);
	/* One probe at a time; when it arrives, all others follow. */
	play_list_slots(p, 10);
	for (uint64_t no = 3; no <= 4; no++)
		play_send_mail(p, no, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 4);
	turns(p, 20);
	assert_int_equal(p->open_cnt, 2);
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->open_cnt == 4);
}

/* Its only message is given up, and has no sender to be told. */
static void
that_a_destination_is_down_outlives_its_deliveries(void **state)
{
	struct play *p = *state;
	int64_t begin;

	p->q.settings.retry.maximum = 0;
	play_link_relay(p, 1);
	play_list_slots(p, 1);
	play_send_mail(p, 1, "", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	begin = clock_mono_ms();
	play_answer(p, CLASS_LATER, SCOPE_DESTINATION, 0, "4.4.1 No way");
	kit_until(&p->kit, p->settled_cnt == 1 && p->q.message_cnt == 0);
	play_send_mail(p, 2, "", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 2);
	assert_in_range(clock_mono_ms() - begin, 900, 5000);
}

static void
a_relay_speaks_of_its_own_attempts_only(void **state)
{
	struct play *p = *state;
	struct link_peer peer = { .role = ROLE_RELAY, .block = "other",
	    .no = 9, .start = 1, .workers = 1 };
	struct worker *other;
	struct msg_delivery_done d;

	run_one(p);
	assert_non_null(other = dispatch_worker(&p->q, &peer));
	d = (struct msg_delivery_done){ p->opened.id, 0, p->opened.attempt,
	    0, 0, 0 };
	assert_int_equal(dispatch_done(other, &d), OK);
	turns(p, 20);
	assert_int_equal(p->settled_cnt, 0);
	assert_int_equal(due_find(p->q.due, p->id, 0)->state,
	    DELIVERY_RUNNING);
}

static void
results_are_counted(void **state)
{
	struct play *p = *state;
	struct msg_delivery_result r;

	run_one(p);
	result(p, 0, CLASS_DONE, SCOPE_RECIPIENT, 250);
	assert_int_equal(done(p, 2), ERR_PEER);
	assert_int_equal(done(p, 0), ERR_PEER);
	r = (struct msg_delivery_result){ .id = p->opened.id,
	    .attempt = p->opened.attempt };
	assert_int_equal(dispatch_result(worker_of(p), &r), ERR_PEER);
	assert_int_equal(p->q.message_cnt, 1);
	assert_int_equal(done(p, 1), OK);
	kit_until(&p->kit, p->q.message_cnt == 0);
}

static void
a_pull_stays_within_the_text_and_the_bound(void **state)
{
	struct play *p = *state;

	run_one(p);
	assert_int_equal(pull(p, PART_BODY, 1), ERR_PEER);
	assert_int_equal(pull(p, PART_HEADER, UINT32_MAX), ERR_PEER);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pull(p, PART_BODY, 0), OK);
	assert_int_equal(pull(p, PART_BODY, 0), ERR_PEER);
	kit_until(&p->kit, p->piece_cnt == 4);
	assert_int_equal(pull(p, PART_HEADER, 0), OK);
	kit_until(&p->kit, p->piece_cnt == 5);
}

static void
the_list_comes_first_and_once(void **state)
{
	struct play *p = *state;
	struct msg_delivery_running m = { .delivery = 0, .attempt = 5 };

	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	play_link_relay(p, 1);
	m.id = p->id;
	assert_int_equal(dispatch_running(worker_of(p), &m), OK);
	/* Its envelope is not read yet: there is nothing to pull from. */
	p->opened.id = p->id;
	p->opened.attempt = 5;
	assert_int_equal(pull(p, PART_BODY, 0), ERR_PEER);
	assert_int_equal(dispatch_listed(worker_of(p), 1), OK);
	assert_int_equal(dispatch_running(worker_of(p), &m), ERR_PEER);
	kit_until(&p->kit, pull(p, PART_BODY, 0) == OK);
	turns(p, 20);
	assert_int_equal(p->open_cnt, 0);
}

static void
before_the_list_of_a_new_link_nothing_is_even_loaded(void **state)
{
	struct play *p = *state;

	play_link_relay(p, 1);
	play_list_slots(p, 1);
	kit_until(&p->kit, worker_of(p)->is_listed);
	play_link_relay(p, 1);
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	for (int i = 0; i < 50; i++) {
		kit_turn(&p->kit);
		assert_int_equal(worker_of(p)->used, 0);
	}
	play_list_slots(p, 1);
	kit_until(&p->kit, p->open_cnt == 1);
}

static void
what_a_relay_had_that_is_gone_goes_to_the_next(void **state)
{
	struct play *p = *state;

	run_one(p);
	dispatch_gone(&p->q, 2);
	assert_null(worker_of(p));
	play_link_relay(p, 5);
	play_list_slots(p, 1);
	kit_until(&p->kit, p->open_cnt == 2);
	assert_int_equal(on_disk(p).deaths, 0);
}

/* Take all that is left of a small disk. */
static void
fill_disk(const char *path)
{
	static const char zeros[4096];
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		continue;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

/* A failure with a long header: its bounce needs room that is not there. */
static void
fail_on_a_full_disk(const char *dir)
{
	static char header[60000];
	struct play *p = calloc(1, sizeof(*p));
	char path[96];

	for (size_t i = 0; i < sizeof(header); i++)
		header[i] = "A: bcd\r\n"[i % 8];
	snprintf(path, sizeof(path), "%s/filler", dir);
	kit_dir(&p->kit, dir);
	p->kit.limits.reserve = 0;
	play_start_queue(p);
	play_link_edge(p);
	play_open_mail(p, 1, "from@example.org", "to@example.net");
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){
	    .stream = 1, .flags = 0,
	    .header_len = sizeof(header) },
	    (struct span){ header, sizeof(header) });
	play_link_relay(p, 1);
	play_list_slots(p, 1);
	kit_until(&p->kit, p->open_cnt == 1 && p->taken_cnt == 1);
	fill_disk(path);
	play_answer(p, CLASS_NEVER, SCOPE_RECIPIENT, 550, "5.1.1 No");
	turns(p, 100);
	assert_int_equal(p->settled_cnt, 0);
	assert_true(outcome_is_busy(p->q.outcomes));
	assert_int_equal(unlink(path), 0);
	kit_until(&p->kit, p->settled_cnt == 1);
	expect_bounce(p);
	play_stop_queue(p);
	kit_close(&p->kit);
	free(p);
}

static void
results_that_do_not_fit_on_the_disk_are_kept(void **state)
{
	disk_try("size=4m", fail_on_a_full_disk);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, play_set_up, \
	    play_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_attempt_counts_unless_all_that_failed_was_ours),
		TEST(the_last_attempt_that_is_allowed_ends_it),
		TEST(age_ends_even_what_only_failed_here),
		TEST(what_grows_old_behind_a_relay_that_is_away_is_given_up),
		TEST(bounces_have_a_lifetime_of_their_own),
		TEST(a_death_is_no_attempt_and_results_forgive_it),
		TEST(each_recipient_has_its_own_end),
		TEST(each_attempt_begins_with_other_recipients),
		TEST(the_third_break_of_a_message_is_its_own_affair),
		TEST(a_queue_that_stops_sends_nothing_more),
		TEST(a_row_of_an_old_snapshot_is_not_followed),
		TEST(a_destination_that_is_down_is_probed_after_its_pause),
		TEST(that_a_destination_is_down_outlives_its_deliveries),
		TEST(a_relay_speaks_of_its_own_attempts_only),
		TEST(results_are_counted),
		TEST(a_pull_stays_within_the_text_and_the_bound),
		TEST(the_list_comes_first_and_once),
		TEST(before_the_list_of_a_new_link_nothing_is_even_loaded),
		cmocka_unit_test(results_that_do_not_fit_on_the_disk_are_kept),
		TEST(what_a_relay_had_that_is_gone_goes_to_the_next),
	};

	return KIT_RUN_BOTH(tests,
	    "results_that_do_not_fit_on_the_disk_are_kept");
}
