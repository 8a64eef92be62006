/*
 * test_queue_plan - when deliveries are tried, in which order, and how much a
 * destination is trusted with.
 * room: queue
 */
#include "queue_kit.h"

#include "queue/plan/flow.h"
#include "queue/plan/retry.h"
#include "queue/plan/turn.h"

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
	struct destination d = { .relay = "out", .name = "a.example" };

	destination_init(&d);
	for (int i = 0; i < 5; i++)
		destination_sent(&d);
	for (int i = 0; i < 5; i++)
		destination_answered(&d, NULL, NEWS_UNREACHED, 1000, 3600000);
	assert_int_equal(d.standing.state, STANDING_DOWN);
	assert_int_equal(d.standing.next_try_ms, 2000);	/* counted once */
	assert_false(destination_may_send(&d, 1999));
	assert_true(destination_may_send(&d, 2000));
	destination_sent(&d);
	assert_false(destination_may_send(&d, 9999));
	destination_answered(&d, NULL, NEWS_UNREACHED, 3000, 3600000);
	assert_int_equal(d.standing.next_try_ms, 5000);	/* doubled */
	destination_sent(&d);
	destination_answered(&d, NULL, NEWS_REACHED, 6000, 3600000);
	assert_int_equal(d.standing.state, STANDING_UP);
	assert_true(destination_may_send(&d, 6000));
}

static void
a_relay_that_is_its_own_destination_begins_with_more(void **state)
{
	struct destination own = { .relay = "out", .name = "out" };
	struct destination d = { .relay = "out", .name = "a.example" };

	destination_init(&own);
	destination_init(&d);
	assert_int_equal(d.window, 2);
	assert_int_equal(own.window, 20);
}

static void
the_window_grows_by_one_and_is_halved(void **state)
{
	struct destination d = { .relay = "out", .name = "a.example" };
	unsigned first;

	destination_init(&d);
	first = d.window;
	assert_int_equal(first, 2);
	for (int i = 0; i < 4; i++) {
		destination_sent(&d);
		destination_answered(&d, NULL, NEWS_REACHED, 0, 1000);
	}
	assert_int_equal(d.window, first + 4);
	destination_sent(&d);
	destination_answered(&d, NULL, NEWS_HOST, 0, 1000);
	assert_int_equal(d.window, (first + 4) / 2);
	assert_int_equal(d.standing.state, STANDING_UP);
}

static void
hear(struct destination *d, enum destination_news news, int64_t now_ms)
{
	destination_sent(d);
	destination_answered(d, NULL, news, now_ms, 1500);
}

static void
three_hosts_missed_in_a_row_are_down(void **state)
{
	struct destination d = { .relay = "out", .name = "a.example" };

	destination_init(&d);
	for (int round = 0; round < 2; round++) {
		hear(&d, NEWS_HOST, 0);
		hear(&d, NEWS_HOST, 0);
		assert_int_equal(d.standing.state, STANDING_UP);
		hear(&d, NEWS_REACHED, 0);	/* no row any more */
	}
	for (int i = 0; i < 3; i++)
		hear(&d, NEWS_HOST, 0);
	assert_int_equal(d.standing.state, STANDING_DOWN);
}

static void
what_breaks_within_the_text_shrinks_the_window_only(void **state)
{
	struct destination d = { .relay = "out", .name = "a.example" };

	destination_init(&d);
	for (int i = 0; i < 40; i++)
		hear(&d, NEWS_BROKEN, 0);
	assert_int_equal(d.standing.state, STANDING_UP);
	assert_int_equal(d.window, 2);
	destination_sent(&d);
	assert_true(destination_may_send(&d, 0));
	hear(&d, NEWS_UNREACHED, 0);
	assert_int_equal(d.standing.state, STANDING_DOWN);
	hear(&d, NEWS_BROKEN, 1000);	/* it is there again */
	assert_int_equal(d.standing.state, STANDING_UP);
}

static void
a_pause_has_a_cap_and_a_mute_probe_is_repeated(void **state)
{
	struct destination d = { .relay = "out", .name = "a.example" };

	destination_init(&d);
	hear(&d, NEWS_UNREACHED, 0);
	assert_int_equal(d.standing.next_try_ms, 1000);
	hear(&d, NEWS_NONE, 1000);
	assert_true(destination_may_send(&d, 1000));
	hear(&d, NEWS_HOST, 1000);	/* the probe's first miss is enough */
	assert_int_equal(d.standing.next_try_ms, 2500);
	assert_false(destination_may_send(&d, 2499));
	hear(&d, NEWS_REACHED, 2500);
	hear(&d, NEWS_UNREACHED, 3000);
	assert_int_equal(d.standing.next_try_ms, 4000);	/* from the beginning */
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
	static const struct due_calls calls = { ready, vanish, NULL };
	struct plan *p = calloc(1, sizeof(*p));

	kit_open(&p->kit);
	assert_int_equal(due_open(&p->due, p->kit.loop, p->kit.store, &calls,
	    p), OK);
	p->due->owned = UINT64_MAX;
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

/* One that came an hour ago, was tried, and is due again. */
static void
add_tried(struct plan *p)
{
	static const uint8_t chance[8] = { 8, 7, 6 };
	static struct id last;
	struct store_place place = { .due_ms = clock_wall_ms() - 500 };

	place.id = id_next(&last, clock_wall_ms() - 3600000, chance);
	due_note(p->due, SPAN("out"), SPAN("out"), SPAN("t"), &place);
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
take_in_order(struct plan *p, char *order, int cnt)
{
	for (int i = 0; i < cnt; i++) {
		struct delivery *dl;
		struct span flow;

		kit_until(&p->kit, (dl = take(p)) != NULL);
		flow = due_flow(dl);	/* the last letter of its name */
		order[i] = flow.ptr[flow.len - 2];
	}
	order[cnt] = '\0';
}

static void
what_a_tenant_sends_to_one_domain_is_not_ahead_of_another(void **state)
{
	struct plan *p = *state;
	char order[16];

	for (int i = 0; i < 6; i++)
		add(p, SPAN("shop\nnews"), 0, true);
	add(p, SPAN("shop\ncode"), 0, true);
	add(p, SPAN("shop\ncode"), 0, true);
	take_in_order(p, order, 8);
	assert_string_equal(order, "sesessss");
	assert_null(take(p));
}

static void
a_tenant_has_one_turn_however_many_domains_he_sends_to(void **state)
{
	struct plan *p = *state;
	char order[16];

	for (int i = 0; i < 2; i++) {
		add(p, SPAN("shop\na"), 0, true);
		add(p, SPAN("shop\nb"), 0, true);
		add(p, SPAN("shop\nc"), 0, true);
		add(p, SPAN("bank"), 0, true);
	}
	add(p, SPAN("shop"), 0, true);		/* to several domains */
	take_in_order(p, order, 9);
	assert_string_equal(order, "akbkcpabc");
	assert_null(take(p));
}

/* From the disk, as after a restart: some domains have more than others. */
static void
of_many_domains_few_rows_are_in_memory_and_all_are_found(void **state)
{
	enum { DOMAINS = 1500, CNT = DOMAINS + DOMAINS / 10 };
	struct plan *p = *state;
	struct kit_mail *m = calloc(CNT, sizeof(*m));
	char (*names)[24] = calloc(CNT, sizeof(*names));
	unsigned most = 0;

	for (int i = 0; i < CNT; i++) {
		kit_mail(&p->kit, &m[i], SPAN("A: b\r\n\r\n"), SPAN(""));
		snprintf(names[i], sizeof(names[i]), "shop\nd%d", i % DOMAINS);
		m[i].where.tenant = span_of(names[i]);
		store_accept(p->kit.store, &m[i].accept, kit_back, &p->kit);
	}
	kit_until(&p->kit, p->kit.back_cnt == CNT);
	due_start(p->due);
	for (int i = 0; i < CNT; i++) {
		struct delivery *dl;
		struct tenant *t;

		kit_until(&p->kit, (dl = take(p)) != NULL);
		t = dl->flow->tenant;
		most = t->row_cnt > most ? t->row_cnt : most;
		due_forget(p->due, &dl);
	}
	assert_in_range(most, 1, TURN_ROWS_MAX);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	assert_true(due_is_empty(p->due));
	free(m);
	free(names);
}

/* The same of what comes in. */
static void
of_many_that_come_in_few_rows_are_in_memory(void **state)
{
	enum { CNT = TURN_ROWS_MAX + 200 };
	struct plan *p = *state;
	char tenant[24];

	for (int i = 0; i < CNT; i++) {
		struct store_place place = { clock_wall_ms(),
		    kit_id(&p->kit), 0 };

		snprintf(tenant, sizeof(tenant), "shop\nd%d", i);
		due_note(p->due, SPAN("out"), SPAN("out"), span_of(tenant),
		    &place);
	}
	assert_int_equal(turn_first(p->destination)->row_cnt, TURN_ROWS_MAX);
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

static void
a_probe_takes_what_was_not_tried_yet(void **state)
{
	struct plan *p = *state;
	struct delivery *dl;
	struct id fresh;

	for (int i = 0; i < 3; i++)	/* tried a while ago, and due again */
		add_tried(p);
	fresh = add(p, SPAN("t"), 0, true);
	p->destination->standing.state = STANDING_DOWN;
	assert_non_null(dl = take(p));
	assert_int_equal(id_cmp(dl->place.id, fresh), 0);
	assert_non_null(take(p));	/* none else: any will do */
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

static void
take_all(struct plan *p, int cnt)
{
	for (int i = 0; i < cnt; i++)
		kit_until(&p->kit, take(p) != NULL);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	assert_null(take(p));
}

static void
memory_holds_few_rows_however_many_come(void **state)
{
	struct plan *p = *state;

	for (int i = 0; i < 100; i++)
		add(p, SPAN("t"), 0, true);
	assert_int_equal(turn_first(p->destination)->row_cnt,
	    STORE_DUE_MAX);
	take_all(p, 100);
}

static void
a_row_before_the_cursor_is_found(void **state)
{
	struct plan *p = *state;

	for (int i = 0; i < STORE_DUE_MAX + 6; i++)
		add(p, SPAN("t"), 0, false);
	due_start(p->due);
	kit_until(&p->kit, take(p) != NULL);
	add(p, SPAN("t"), -5000, true);
	take_all(p, STORE_DUE_MAX + 6);
}

static void
what_is_noted_before_the_start_hides_nothing(void **state)
{
	struct plan *p = *state;

	for (int i = 0; i < 3; i++)
		add(p, SPAN("t"), 0, false);
	add(p, SPAN("t"), 0, true);
	assert_non_null(take(p));
	due_start(p->due);
	take_all(p, 3);
}

static void
more_flows_than_one_read_gives_are_all_found(void **state)
{
	struct plan *p = *state;
	char tenant[24];

	for (int i = 0; i < STORE_FLOWS_MAX + 6; i++) {
		snprintf(tenant, sizeof(tenant), "t%d", i);
		add(p, span_of(tenant), 0, false);
	}
	due_start(p->due);
	take_all(p, STORE_FLOWS_MAX + 6);
}

/* A read that began before it was there is on its way. */
static void
a_row_before_the_cursor_of_a_read_is_found(void **state)
{
	struct plan *p = *state;
	struct store_place place;
	struct kit_mail m;

	for (int i = 0; i < STORE_DUE_MAX + 6; i++)
		add(p, SPAN("t"), 0, false);
	due_start(p->due);
	for (int i = 0; i < STORE_DUE_MAX; i++)
		kit_until(&p->kit, take(p) != NULL);
	assert_null(take(p));		/* reads */
	usleep(50000);
	kit_mail(&p->kit, &m, SPAN("A: b\r\n\r\n"), SPAN(""));
	m.where.tenant = SPAN("t");
	m.where.due_ms -= 5000;
	store_accept(p->kit.store, &m.accept, kit_back, &p->kit);
	usleep(50000);
	place = (struct store_place){ m.where.due_ms, m.mail.id, 0 };
	due_note(p->due, SPAN("out"), SPAN("out"), SPAN("t"), &place);
	take_all(p, 7);
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
		cmocka_unit_test(
		    a_relay_that_is_its_own_destination_begins_with_more),
		cmocka_unit_test(the_window_grows_by_one_and_is_halved),
		cmocka_unit_test(three_hosts_missed_in_a_row_are_down),
		cmocka_unit_test(
		    what_breaks_within_the_text_shrinks_the_window_only),
		cmocka_unit_test(
		    a_pause_has_a_cap_and_a_mute_probe_is_repeated),
		TEST(tenants_take_turns_however_much_one_sends),
		TEST(what_a_tenant_sends_to_one_domain_is_not_ahead_of_another),
		TEST(a_tenant_has_one_turn_however_many_domains_he_sends_to),
		TEST(of_many_domains_few_rows_are_in_memory_and_all_are_found),
		TEST(of_many_that_come_in_few_rows_are_in_memory),
		TEST(rows_on_disk_are_found_in_order_and_each_once),
		TEST(a_row_in_the_future_waits_for_its_time),
		TEST(memory_holds_few_rows_however_many_come),
		TEST(a_row_before_the_cursor_is_found),
		TEST(what_is_noted_before_the_start_hides_nothing),
		TEST(more_flows_than_one_read_gives_are_all_found),
		TEST(a_row_before_the_cursor_of_a_read_is_found),
		TEST(rows_that_come_while_a_read_is_on_its_way_are_all_found),
		TEST(a_probe_takes_what_was_not_tried_yet),
		TEST(what_is_put_back_comes_again_and_what_is_taken_does_not),
	};

	return KIT_RUN_BOTH(tests, "");
}
