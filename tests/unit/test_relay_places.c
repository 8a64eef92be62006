/*
 * test_relay_places - places of hosts, in one process and with another that
 * has marks of the same file.  The other is a fork of this program which does
 * one thing, says so, and lives until it is ended.
 *
 * room: relay
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "relay/hop/places.h"
#include "sys/marks.h"

static struct ev_loop *loop;
static int	 marks = -1;

static void
end_turn(struct timer *t, void *arg)
{
	ev_stop(loop);
}

static void
rest(int64_t ms)
{
	struct timer t;

	timer_init(&t, loop, end_turn, NULL);
	timer_set(&t, ms);
	assert_int_equal(ev_run(loop), OK);
	timer_stop(&t);
}

static uint64_t
number(const struct places *b, uint8_t no)
{
	struct resolve_found found = { .status = RESOLVED, .address_cnt = 1,
	    .addresses[0] = { .family = 4, .bytes = { 192, 0, 2, no } } };

	return places_number(b, &found, "", 25);
}

static void
note(struct place *p, void *arg)
{
	++*(unsigned *)arg;
}

static enum err
take(struct places *b, struct place *p, uint8_t no, unsigned *given)
{
	p->given = note;
	p->given_arg = given;
	return place_take(p, b, number(b, no));
}

static int
open_all(void **state)
{
	marks = -1;
	return ev_open(&loop) == OK && marks_make(&marks) == OK ? 0 : -1;
}

static int
close_all(void **state)
{
	ev_close(&loop);
	close(marks);
	return 0;
}

/* The other process takes cnt places of host 1, or waits for one. */
static pid_t
other(unsigned limit, unsigned cnt)
{
	struct place places[4] = { 0 };
	struct places *b;
	unsigned given = 0;
	int fds[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ev_open(&loop) != OK || places_open(&b, loop, marks,
		    limit, 0, 1) != OK)
			_exit(1);
		for (unsigned i = 0; i < cnt; i++)
			if (take(b, &places[i], 1, &given) == ERR_SYS)
				_exit(1);
		rest(20);
		if (write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			rest(1000);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
	return pid;
}

static void
end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
a_host_has_as_many_places_as_the_limit_says(void **state)
{
	struct place p[4] = { 0 };
	struct places *b;
	unsigned given = 0;

	assert_int_equal(places_open(&b, loop, -1, 2, 0, 1), OK);
	assert_int_equal(take(b, &p[0], 1, &given), OK);
	assert_int_equal(take(b, &p[1], 1, &given), OK);
	assert_int_equal(take(b, &p[2], 1, &given), ERR_AGAIN);
	assert_int_equal(take(b, &p[0], 1, &given), OK);
	assert_int_equal(take(b, &p[3], 2, &given), OK);
	assert_true(place_waits(&p[2]));
	rest(30);
	assert_int_equal(given, 0);
	place_leave(&p[1]);
	rest(0);
	assert_int_equal(given, 1);
	assert_false(place_waits(&p[2]));
	for (int i = 0; i < 4; i++)
		place_leave(&p[i]);
	rest(0);
	places_close(&b);
}

static void
a_host_is_its_addresses_in_any_order_by_any_name(void **state)
{
	struct resolve_found found = { .status = RESOLVED, .address_cnt = 2,
	    .addresses = { { .family = 4, .bytes = { 192, 0, 2, 1 } },
	    { .family = 6, .bytes = { 0x20, 1, 0xd, 0xb8 } } } };
	struct resolve_found turned = found;
	struct places *a, *b;

	turned.addresses[0] = found.addresses[1];
	turned.addresses[1] = found.addresses[0];
	assert_int_equal(places_open(&a, loop, marks, 1, 0, 2), OK);
	assert_int_equal(places_open(&b, loop, marks, 1, 1, 2), OK);
	assert_true(places_number(a, &found, "a.example", 25) ==
	    places_number(b, &turned, "b.example", 25));
	assert_true(places_number(a, &found, "a.example", 25) !=
	    places_number(a, &found, "a.example", 26));
	found.address_cnt = 1;
	assert_true(places_number(a, &found, "a.example", 25) !=
	    places_number(a, &turned, "a.example", 25));
	assert_true(places_number(NULL, &found, "a.example", 25) == 0);
	places_close(&a);
	places_close(&b);
}

static void
another_process_counts_and_its_death_gives_back(void **state)
{
	struct place p[2] = { 0 };
	struct places *b;
	unsigned given = 0;
	pid_t pid = other(2, 2);

	assert_int_equal(places_open(&b, loop, marks, 2, 1, 2), OK);
	assert_int_equal(take(b, &p[0], 1, &given), ERR_AGAIN);
	assert_int_equal(take(b, &p[1], 2, &given), OK);
	rest(300);
	assert_int_equal(given, 0);
	end(pid);
	rest(300);
	assert_int_equal(given, 1);
	places_close(&b);
}

static void
who_came_first_is_first_in_all_processes(void **state)
{
	struct place p[2] = { 0 };
	struct places *b;
	unsigned given = 0;
	pid_t first, second;

	assert_int_equal(places_open(&b, loop, marks, 1, 0, 1), OK);
	first = other(1, 1);			/* has it		*/
	second = other(1, 1);			/* waits for it		*/
	assert_int_equal(take(b, &p[0], 1, &given), ERR_AGAIN);
	rest(50);
	end(first);
	rest(500);
	assert_int_equal(given, 0);		/* it is the second's	*/
	end(second);
	rest(500);
	assert_int_equal(given, 1);
	places_close(&b);
}

static void
who_waits_elsewhere_is_made_room_for(void **state)
{
	struct place p = { 0 };
	struct places *b;
	unsigned given = 0, wanted = 0;
	pid_t pid;

	assert_int_equal(places_open(&b, loop, marks, 1, 0, 1), OK);
	p.wanted = note;
	p.wanted_arg = &wanted;
	assert_int_equal(take(b, &p, 1, &given), OK);
	assert_false(place_rest(&p, true));
	pid = other(1, 1);
	rest(2 * PLACES_LOOK_MS);
	assert_int_equal(wanted, 1);
	assert_true(place_must_go(&p));
	end(pid);
	place_leave(&p);
	assert_int_equal(take(b, &p, 1, &given), OK);
	assert_false(place_must_go(&p));
	pid = other(1, 1);
	assert_true(place_rest(&p, true));	/* seen at once		*/
	end(pid);
	places_close(&b);
}

static void
one_with_work_has_its_turn_first(void **state)
{
	struct place p = { 0 };
	struct places *b;
	unsigned given = 0;
	pid_t pid;

	assert_int_equal(places_open(&b, loop, marks, 1, 0, 1), OK);
	assert_int_equal(take(b, &p, 1, &given), OK);
	pid = other(1, 1);
	rest(0);
	assert_false(place_must_go(&p));
	rest(PLACES_TURN_MS + 2 * PLACES_LOOK_MS);
	assert_true(place_must_go(&p));
	end(pid);
	places_close(&b);
}

static void
those_of_one_pool_do_not_press_each_other(void **state)
{
	struct place p[3] = { 0 };
	struct places *b;
	unsigned given = 0;

	assert_int_equal(places_open(&b, loop, -1, 1, 0, 1), OK);
	p[0].who = p[1].who = &p;
	assert_int_equal(take(b, &p[0], 1, &given), OK);
	assert_int_equal(take(b, &p[1], 1, &given), ERR_AGAIN);
	assert_false(place_rest(&p[0], true));
	p[2].who = &b;
	assert_int_equal(take(b, &p[2], 1, &given), ERR_AGAIN);
	assert_true(place_rest(&p[0], true));
	for (int i = 0; i < 3; i++)
		place_leave(&p[i]);
	rest(0);
	places_close(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_host_has_as_many_places_as_the_limit_says),
		TEST(a_host_is_its_addresses_in_any_order_by_any_name),
		TEST(another_process_counts_and_its_death_gives_back),
		TEST(who_came_first_is_first_in_all_processes),
		TEST(who_waits_elsewhere_is_made_room_for),
		TEST(one_with_work_has_its_turn_first),
		TEST(those_of_one_pool_do_not_press_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
