/*
 * test_edge_shaking - who gives way when too many handshakes are under way.
 *
 * room: edge
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "edge/client/shaking.h"

#define ROWS	(SHAKING_MAX + 600)

static struct shaking_row rows[ROWS];
static struct shaking	 shaking;
static struct ev_loop	*loop;
static struct later	 last;

static void
leave(void *client)
{
	shaking_over(&shaking, client);
}

static void
stop(struct later *later, void *arg)
{
	ev_stop(loop);
}

/* The end of a turn. */
static void
turn(void)
{
	later_call(&last);
	assert_int_equal(ev_run(loop), OK);
}

static struct client_address
address(uint8_t family, unsigned net, uint8_t host)
{
	struct client_address a = { .family = family };

	a.bytes[0] = family == 4 ? 192 : 0x20;
	a.bytes[1] = (uint8_t)(net >> 8);
	a.bytes[2] = (uint8_t)net;
	a.bytes[family == 6 ? 15 : 3] = host;
	return a;
}

static int
set_up(void **state)
{
	if (ev_open(&loop) != OK)
		return -1;
	for (unsigned i = 0; i < ROWS; i++)
		rows[i] = (struct shaking_row){ .is_listed = false };
	shaking = (struct shaking){ .cnt = 0 };
	shaking_init(&shaking, loop, leave);
	later_init(&last, loop, stop, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	shaking_fini(&shaking);
	ev_close(&loop);
	return 0;
}

static void
begin(unsigned no, struct client_address a)
{
	shaking_begin(&shaking, &rows[no], &rows[no], &a);
}

static void
of_a_network_the_oldest_gives_way_and_no_other(void **state)
{
	unsigned own = SHAKING_OF_NETWORK + 7;

	begin(0, address(4, 9, 0));
	for (unsigned i = 1; i <= own; i++)
		begin(i, address(6, 3, (uint8_t)i));	/* one /64 */
	turn();
	assert_int_equal(shaking.cnt, 1 + SHAKING_OF_NETWORK);
	assert_true(rows[0].is_listed);
	for (unsigned i = 1; i <= own; i++)
		assert_int_equal(rows[i].is_listed, i > 7);
}

static void
of_all_the_oldest_give_way(void **state)
{
	for (unsigned i = 0; i < ROWS; i++) {
		begin(i, address(4, i, 0));
		if (i % 3 == 0)
			turn();
	}
	turn();
	assert_int_equal(shaking.cnt, SHAKING_MAX);
	for (unsigned i = 0; i < ROWS; i++)
		assert_int_equal(rows[i].is_listed, i >= ROWS - SHAKING_MAX);
}

/* A thousand from ten networks, while the one who came first waits. */
static void
the_neighbourhood_that_has_most_gives_way_first(void **state)
{
	unsigned alone = ROWS - 1, few = ROWS - 2;

	begin(alone, address(4, 999, 0));
	begin(few, address(6, 999, 0));
	for (unsigned i = 0; i < ROWS - 2; i++) {
		begin(i, address(4, i % 10, (uint8_t)(i / 10)));
		turn();
		if (i < SHAKING_MAX)
			continue;
		/* Another comes now and then, and is through. */
		begin(few - 1, address(4, 2000 + i, 0));
		turn();
		assert_true(rows[few - 1].is_listed);
		shaking_over(&shaking, &rows[few - 1]);
		if (i == few - 2)
			break;
	}
	assert_true(rows[alone].is_listed);
	assert_true(rows[few].is_listed);
	assert_int_equal(shaking.cnt, SHAKING_MAX - 1);
	assert_int_equal(rows[alone].near_cnt, 1);
	for (unsigned i = 0; i < 20; i++)
		assert_false(rows[i].is_listed);
}

/* Against a thousand who do not. */
static void
who_makes_a_step_in_time_stays(void **state)
{
	begin(0, address(4, 9, 0));
	for (unsigned i = 1; i < ROWS; i++) {
		begin(i, address(4, 100 + i, 0));
		if (i % (SHAKING_MAX - 10) == 0)
			shaking_moved(&shaking, &rows[0]);
		turn();
	}
	assert_int_equal(shaking.cnt, SHAKING_MAX);
	assert_true(rows[0].is_listed);
	assert_false(rows[1].is_listed);
}

static void
who_makes_a_step_stays_among_his_network_too(void **state)
{
	for (unsigned i = 0; i < ROWS; i++) {
		begin(i, address(6, 3, (uint8_t)i));
		if (i % (SHAKING_OF_NETWORK - 10) == 0)
			shaking_moved(&shaking, &rows[0]);
		turn();
	}
	assert_int_equal(shaking.cnt, SHAKING_OF_NETWORK);
	assert_true(rows[0].is_listed);
	assert_false(rows[1].is_listed);
}

static void
a_step_of_one_that_has_left_is_none(void **state)
{
	begin(0, address(4, 9, 0));
	shaking_over(&shaking, &rows[0]);
	shaking_moved(&shaking, &rows[0]);
	assert_int_equal(shaking.cnt, 0);
	assert_true(TAILQ_EMPTY(&shaking.rows));
}

static void
loopback_is_no_network(void **state)
{
	struct client_address a = { .family = 4, .bytes = { 127, 0, 0, 1 } };

	for (unsigned i = 0; i < 2 * SHAKING_OF_NETWORK; i++)
		begin(i, a);
	turn();
	assert_int_equal(shaking.cnt, 2 * SHAKING_OF_NETWORK);
}

static void
who_is_done_makes_room(void **state)
{
	for (unsigned i = 0; i < ROWS; i++) {
		begin(i, address(4, 1, 0));
		turn();
		shaking_over(&shaking, &rows[i]);
		shaking_over(&shaking, &rows[i]);
		assert_int_equal(shaking.cnt, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    of_a_network_the_oldest_gives_way_and_no_other, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(of_all_the_oldest_give_way,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_neighbourhood_that_has_most_gives_way_first, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(who_makes_a_step_in_time_stays,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    who_makes_a_step_stays_among_his_network_too, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_step_of_one_that_has_left_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(loopback_is_no_network, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(who_is_done_makes_room, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
