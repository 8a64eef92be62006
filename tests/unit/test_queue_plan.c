/*
 * test_queue_plan - when deliveries are tried, in which order, and how much a
 * destination is trusted with.
 * room: queue
 */
#include "queue_kit.h"

#include "queue/due.h"
#include "queue/retry.h"

static struct retry
retry_of(const char *delay)
{
	struct retry r = { .delay_len = strlen(delay),
	    .cap_ms = 4 * 3600000, .lifetime_ms = 5 * 86400000LL,
	    .maximum = RETRY_UNLIMITED };

	memcpy(r.delay, delay, r.delay_len);
	return r;
}

static void
the_delay_doubles_up_to_its_cap_with_full_jitter(void **state)
{
	struct retry r = retry_of("60*2**n");

	assert_int_equal(retry_delay_ms(&r, 0, UINT32_MAX), 60000);
	assert_int_equal(retry_delay_ms(&r, 3, UINT32_MAX), 480000);
	assert_int_equal(retry_delay_ms(&r, 30, UINT32_MAX), 4 * 3600000);
	assert_int_equal(retry_delay_ms(&r, 3, 0), 1000);
	assert_in_range(retry_delay_ms(&r, 3, UINT32_MAX / 2), 239000, 241000);
}

static void
a_maximum_of_none_never_retries_and_age_ends_all(void **state)
{
	struct retry r = retry_of("60");

	assert_false(retry_is_spent(&r, 1000, 0));
	assert_true(retry_is_spent(&r, 1, 5 * 86400000LL));
	r.maximum = 0;
	assert_true(retry_is_spent(&r, 1, 0));
	r.maximum = 2;
	assert_false(retry_is_spent(&r, 2, 0));
	assert_true(retry_is_spent(&r, 3, 0));
}

static void
a_destination_that_is_down_costs_one_probe(void **state)
{
	struct destination d = { .running = 0 };

	destination_init(&d);
	for (int i = 0; i < 5; i++)
		destination_sent(&d);
	for (int i = 0; i < 5; i++)
		destination_heard(&d, NEWS_UNREACHED, 1000, 3600000);
	assert_int_equal(d.state, DESTINATION_DOWN);
	assert_int_equal(d.next_try_ms, 2000);	/* counted once */
	assert_false(destination_may_send(&d, 1999));
	assert_true(destination_may_send(&d, 2000));
	destination_sent(&d);
	assert_false(destination_may_send(&d, 9999));
	destination_heard(&d, NEWS_UNREACHED, 3000, 3600000);
	assert_int_equal(d.next_try_ms, 5000);	/* the pause has doubled */
	destination_sent(&d);
	destination_heard(&d, NEWS_REACHED, 6000, 3600000);
	assert_int_equal(d.state, DESTINATION_ALIVE);
	assert_true(destination_may_send(&d, 6000));
}

static void
the_window_grows_by_one_and_is_halved(void **state)
{
	struct destination d = { .running = 0 };
	unsigned first;

	destination_init(&d);
	first = d.window;
	destination_sent(&d);
	destination_heard(&d, NEWS_REACHED, 0, 1000);
	assert_int_equal(d.window, first + 1);
	destination_sent(&d);
	destination_heard(&d, NEWS_HOST, 0, 1000);
	assert_int_equal(d.window, (first + 1) / 2);
	assert_int_equal(d.state, DESTINATION_ALIVE);
}

/* A due index over a store, and the one destination all is for. */
struct plan {
	struct kit	 kit;
	struct due	*due;
	struct destination *destination;
};

static void
ready(struct destination *d, void *arg)
{
	((struct plan *)arg)->destination = d;
}

static void
vanish(struct destination *d, void *arg)
{
	((struct plan *)arg)->destination = NULL;
}

static int
set_up(void **state)
{
	static const struct due_calls calls = { ready, vanish };
	struct plan *p = calloc(1, sizeof(*p));

	kit_open(&p->kit);
	assert_int_equal(due_open(&p->due, p->kit.loop, p->kit.store, &calls,
	    p), OK);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct plan *p = *state;

	for (int i = 0; i < 5; i++)
		kit_turn(&p->kit);
	due_close(&p->due);
	kit_close(&p->kit);
	free(p);
	return 0;
}

static struct id
add(struct plan *p, struct span tenant, int64_t wait_ms, bool note)
{
	struct store_place place;
	struct kit_mail m;

	kit_mail(&p->kit, &m, SPAN("A: b\r\n\r\n"), SPAN(""));
	m.where.tenant = tenant;
	m.where.due_ms += wait_ms;
	assert_int_equal(kit_accept(&p->kit, &m), OK);
	place = (struct store_place){ m.where.due_ms, m.mail.id, 0 };
	if (note)
		due_note(p->due, m.where.relay, m.where.destination,
		    m.where.tenant, &place);
	return m.mail.id;
}

static struct delivery *
take(struct plan *p)
{
	return p->destination == NULL ? NULL :
	    due_take(p->due, p->destination);
}

static void
tenants_take_turns_however_much_one_sends(void **state)
{
	struct plan *p = *state;
	char order[9] = "";

	for (int i = 0; i < 6; i++)
		add(p, SPAN("many"), 0, true);
	for (int i = 0; i < 2; i++)
		add(p, SPAN("few"), 0, true);
	for (int i = 0; i < 8; i++) {
		struct delivery *dl = take(p);

		assert_non_null(dl);
		order[i] = span_find(due_flow(dl), 'y') <
		    due_flow(dl).len ? 'm' : 'f';
	}
	assert_string_equal(order, "mfmfmmmm");
	assert_null(take(p));
}

static void
rows_on_disk_are_found_in_order_and_each_once(void **state)
{
	struct plan *p = *state;
	struct id ids[200];

	for (int i = 0; i < 200; i++)
		ids[i] = add(p, SPAN("t"), 0, false);
	due_start(p->due);
	for (int i = 0; i < 200; i++) {
		struct delivery *dl;

		kit_until(&p->kit, (dl = take(p)) != NULL);
		assert_int_equal(id_cmp(dl->place.id, ids[i]), 0);
	}
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	assert_null(take(p));
}

static void
a_row_in_the_future_waits_for_its_time(void **state)
{
	struct plan *p = *state;
	int64_t begin = clock_mono_ms();
	struct delivery *dl = NULL;

	add(p, SPAN("t"), 150, true);
	assert_null(take(p));
	kit_until(&p->kit, (dl = take(p)) != NULL);
	assert_in_range(clock_mono_ms() - begin, 100, 2000);
}

static void
what_is_put_back_comes_again_and_what_is_taken_does_not(void **state)
{
	struct plan *p = *state;
	struct id first = add(p, SPAN("t"), 0, true);
	struct delivery *dl = take(p), *other;

	add(p, SPAN("t"), 0, true);
	assert_non_null(other = take(p));
	due_put_back(p->due, &dl);
	kit_until(&p->kit, (dl = take(p)) != NULL);
	assert_int_equal(id_cmp(dl->place.id, first), 0);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	assert_null(take(p));
	due_put_back(p->due, &other);
}

/*
 * The loop does not turn between the read and the notes: the read's snapshot
 * is from before the rows, its answer is heard after them.
 */
static void
rows_that_come_while_a_read_is_on_its_way_are_all_found(void **state)
{
	struct plan *p = *state;
	struct store_place place[3];
	struct kit_mail m[3];
	struct delivery *dl;

	add(p, SPAN("t"), 0, true);
	assert_non_null(dl = take(p));
	due_put_back(p->due, &dl);
	assert_null(take(p));		/* reads */
	usleep(50000);
	for (int i = 0; i < 3; i++) {
		kit_mail(&p->kit, &m[i], SPAN("A: b\r\n\r\n"), SPAN(""));
		m[i].where.tenant = SPAN("t");
		place[i] = (struct store_place){ m[i].where.due_ms,
		    m[i].mail.id, 0 };
		store_accept(p->kit.store, &m[i].accept, kit_back, &p->kit);
	}
	usleep(50000);
	for (int i = 0; i < 3; i++)
		due_note(p->due, SPAN("out"), SPAN("out"), SPAN("t"),
		    &place[i]);
	for (int i = 0; i < 4; i++)
		kit_until(&p->kit, take(p) != NULL);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_delay_doubles_up_to_its_cap_with_full_jitter),
		cmocka_unit_test(
		    a_maximum_of_none_never_retries_and_age_ends_all),
		cmocka_unit_test(a_destination_that_is_down_costs_one_probe),
		cmocka_unit_test(the_window_grows_by_one_and_is_halved),
		TEST(tenants_take_turns_however_much_one_sends),
		TEST(rows_on_disk_are_found_in_order_and_each_once),
		TEST(a_row_in_the_future_waits_for_its_time),
		TEST(rows_that_come_while_a_read_is_on_its_way_are_all_found),
		TEST(what_is_put_back_comes_again_and_what_is_taken_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
