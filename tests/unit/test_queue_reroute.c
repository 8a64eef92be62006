/*
 * A delivery that becomes others: its rows, whoever stays, whatever is held,
 * and however often it happens.
 * room: queue
 */
#include "queue_kit.h"

#define RCPTS	4

static struct id
accept(struct kit *k, int64_t due_ms)
{
	struct kit_mail m;

	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	for (int i = 1; i < RCPTS; i++)
		m.rcpts[i] = m.rcpts[0];
	m.accept.message.rcpt_cnt = RCPTS;
	m.where.due_ms = due_ms;
	assert_int_equal(kit_accept(k, &m), OK);
	return m.mail.id;
}

/* Recipient i of the delivery goes to delivery to[i] of cnt relays "r0".. */
static enum err
replan(struct kit *k, struct id id, uint32_t no, const uint32_t *to,
    uint32_t cnt, struct store_moved *rows)
{
	static const uint32_t numbers[RCPTS] = { 0, 1, 2, 3 };
	static const char *const names[] = { "r0", "r1", "r2", "r3" };
	struct store_delivery all[RCPTS] = { { .due_ms = 0 } };
	struct store_replan r = { .id = id, .no = no,
	    .now_ms = clock_wall_ms(), .deliveries = all, .delivery_cnt = cnt,
	    .rcpts = numbers, .rcpt_delivery = to, .rcpt_cnt = RCPTS,
	    .rows = rows };
	unsigned before = k->back_cnt;

	for (uint32_t i = 0; i < cnt; i++)
		all[i].relay = all[i].destination = span_of(names[i]);
	store_replan(k->store, &r, kit_back, k);
	kit_until(k, k->back_cnt > before);
	return k->last;
}

static void
expect(struct kit *k, struct id id, uint32_t no, const char *relay,
    uint32_t rcpt_cnt, int64_t due_ms)
{
	struct store_read_envelope r = { .id = id, .no = no };
	unsigned before = k->back_cnt;

	store_read_envelope(k->store, &r, kit_back, k);
	kit_until(k, k->back_cnt > before);
	assert_int_equal(k->last, OK);
	assert_true(span_eq(r.envelope->delivery.relay, span_of(relay)));
	assert_int_equal(r.envelope->rcpt_cnt, rcpt_cnt);
	assert_int_equal(r.envelope->delivery.rcpt_cnt, rcpt_cnt);
	if (due_ms != 0)
		assert_int_equal(r.envelope->delivery.due_ms, due_ms);
	free(r.envelope);
}

/* All of a delivery is delivered: those that to[] names for it. */
static bool
settle(struct kit *k, struct id id, uint32_t no, const uint32_t *to)
{
	struct store_change changes[RCPTS];
	struct store_settle s = { .id = id, .no = no, .is_over = true,
	    .changes = changes };
	unsigned before = k->back_cnt;

	for (uint32_t i = 0; i < RCPTS; i++)
		if (to[i] == no)
			changes[s.change_cnt++] = (struct store_change){
				.rcpt_no = i, .class = CLASS_DONE,
				.address = SPAN("rcpt@example.org"),
			};
	store_settle(k->store, &s, kit_back, k);
	kit_until(k, k->back_cnt > before);
	assert_int_equal(k->last, OK);
	return s.removed;
}

static void
a_delivery_becomes_as_many_as_there_are_ways(void **state)
{
	static const uint32_t to[RCPTS] = { 1, 0, 2, 1 };
	struct kit *k = *state;
	struct id id = accept(k, clock_wall_ms() + 3600000);
	struct store_moved rows[3];

	assert_int_equal(replan(k, id, 0, to, 3, rows), OK);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(rows[i].place.no, i);
		assert_true(rows[i].place.due_ms <= clock_wall_ms());
	}
	expect(k, id, 0, "r0", 1, 0);
	expect(k, id, 1, "r1", 2, 0);
	expect(k, id, 2, "r2", 1, 0);
	assert_false(settle(k, id, 1, to));
	assert_false(settle(k, id, 0, to));
	assert_true(settle(k, id, 2, to));	/* the last takes it along */
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_DUE), 0);
	assert_int_equal(kit_rows(k, TABLE_DELIVERY), 0);
	assert_int_equal(kit_rows(k, TABLE_MESSAGE), 0);
	kit_reopen(k);
}

static void
what_is_held_stays_held_however_it_is_split(void **state)
{
	static const uint32_t to[RCPTS] = { 0, 1, 1, 0 };
	struct kit *k = *state;
	struct id id = accept(k, clock_wall_ms());
	struct store_edit hold = { .id = id, .action = EDIT_HOLD,
	    .now_ms = clock_wall_ms() };
	struct store_read_totals t = { .held = 0 };
	struct store_moved rows[2];
	unsigned before = k->back_cnt;

	store_edit(k->store, &hold, kit_back, k);
	kit_until(k, k->back_cnt > before);
	free(hold.rows);
	assert_int_equal(replan(k, id, 0, to, 2, rows), OK);
	expect(k, id, 0, "r0", 2, STORE_HELD_MS);
	expect(k, id, 1, "r1", 2, STORE_HELD_MS);
	before = k->back_cnt;
	store_read_totals(k->store, &t, kit_back, k);
	kit_until(k, k->back_cnt > before);
	assert_int_equal(t.held, 2);
	assert_int_equal(t.deliveries, 2);
}

static void
it_may_happen_again_and_no_number_is_taken_twice(void **state)
{
	static const uint32_t all_to_one[RCPTS] = { 0, 0, 0, 0 };
	static const uint32_t to[RCPTS] = { 0, 1, 2, 3 };
	struct kit *k = *state;
	struct id other = accept(k, clock_wall_ms());
	struct id id = accept(k, clock_wall_ms());
	struct id behind = accept(k, clock_wall_ms());
	struct store_moved rows[4];

	assert_int_equal(replan(k, id, 0, all_to_one, 1, rows), OK);
	expect(k, id, 0, "r0", RCPTS, 0);
	assert_int_equal(replan(k, id, 0, to, 4, rows), OK);
	assert_int_equal(rows[3].place.no, 3);
	expect(k, id, 3, "r3", 1, 0);
	expect(k, other, 0, "out", RCPTS, 0);
	expect(k, behind, 0, "out", RCPTS, 0);
	assert_int_equal(replan(k, id, 9, all_to_one, 1, rows), ERR_NONE);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_DUE), 6);
	assert_int_equal(kit_rows(k, TABLE_DELIVERY), 6);
	kit_reopen(k);
}


int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_delivery_becomes_as_many_as_there_are_ways),
		KIT_TEST(what_is_held_stays_held_however_it_is_split),
		KIT_TEST(it_may_happen_again_and_no_number_is_taken_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
