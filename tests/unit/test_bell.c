/*
 * test_bell - what threads of ours have to say is heard, also where a wake-up
 * is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "deaf.h"
#include "sys/bell.h"
#include "sys/clock.h"

#define THREADS		4
#define RINGS		20000	/* of each thread		*/
#define PROMPT_MS	150	/* sooner than the loop looks	*/
#define IN_TIME_MS	(4 * BELL_LOOK_MS)

struct world {
	struct ev_loop	*loop;
	struct bell	 bell;
	pthread_mutex_t	 lock;
	unsigned	 put;		/* with the lock		*/
	unsigned	 fetched, wanted;
	unsigned	 calls;
};

static void
fetch(struct bell *b, void *arg)
{
	struct world *w = arg;

	pthread_mutex_lock(&w->lock);
	w->fetched = w->put;
	pthread_mutex_unlock(&w->lock);
	w->calls++;
	if (w->fetched >= w->wanted)
		ev_stop(w->loop);
}

static void
put_one(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	w->put++;
	pthread_mutex_unlock(&w->lock);
	bell_ring(&w->bell);
}

static void *
put_some(void *arg)
{
	put_one(arg);
	return NULL;
}

static void *
put_many(void *arg)
{
	for (unsigned i = 0; i < RINGS; i++)
		put_one(arg);
	return NULL;
}

static void
too_late(struct timer *t, void *arg)
{
	ev_stop(arg);
}

/* Run until so many were fetched; how long that took, or -1. */
static int64_t
until(struct world *w, unsigned wanted, int64_t most_ms)
{
	int64_t from = clock_mono_ms();
	struct timer t;

	w->wanted = wanted;
	timer_init(&t, w->loop, too_late, w->loop);
	timer_set(&t, most_ms);
	assert_int_equal(ev_run(w->loop), OK);
	timer_stop(&t);
	return w->fetched < wanted ? -1 : clock_mono_ms() - from;
}

static void
run_in_thread(struct world *w, void *(*fn)(void *))
{
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, fn, w), 0);
	assert_int_equal(pthread_join(t, NULL), 0);
}

static void
a_ring_is_answered_at_once(void **state)
{
	struct world *w = *state;

	for (unsigned i = 1; i <= 20; i++) {
		run_in_thread(w, put_some);
		assert_in_range(until(w, i, 5000), 0, PROMPT_MS);
	}
}

static void
a_ring_that_is_lost_is_answered_in_time(void **state)
{
	struct world *w = *state;

	assert_true(deaf_make() > 0);
	for (unsigned i = 1; i <= 5; i++) {
		run_in_thread(w, put_some);
		assert_in_range(until(w, i, 10000), 0, IN_TIME_MS);
	}
}

static void
a_counter_that_is_full_loses_nothing(void **state)
{
	const uint64_t most = UINT64_MAX - 1;
	struct world *w = *state;

	for (unsigned i = 1; i <= 5; i++) {
		assert_int_equal(write(w->bell.fd, &most, sizeof(most)),
		    sizeof(most));
		run_in_thread(w, put_some);
		assert_in_range(until(w, i, 10000), 0, IN_TIME_MS);
	}
}

static void
many(struct world *w)
{
	pthread_t t[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, put_many, w), 0);
	assert_true(until(w, THREADS * RINGS, 30000) >= 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
}

static void
of_many_at_once_the_last_is_heard(void **state)
{
	many(*state);
}

static void
of_many_at_once_the_last_is_heard_by_the_deaf(void **state)
{
	assert_true(deaf_make() > 0);
	many(*state);
}

/* The loop has things to do while nobody rings. */
static void
nobody_is_called_who_was_not_rung_for(void **state)
{
	struct world *w = *state;

	assert_int_equal(until(w, 1, 3 * BELL_LOOK_MS), -1);
	assert_int_equal(w->calls, 0);
}

static void
a_wait_for_work_ends_without_a_signal(void **state)
{
	struct world *w = *state;
	int64_t from = clock_mono_ms();
	pthread_cond_t more;
	bool signalled;

	assert_int_equal(bell_wait_init(&more), OK);
	pthread_mutex_lock(&w->lock);
	signalled = bell_wait(&more, &w->lock);
	pthread_mutex_unlock(&w->lock);
	assert_false(signalled);
	assert_in_range(clock_mono_ms() - from, BELL_WAIT_MS - 10,
	    5 * BELL_WAIT_MS);
	pthread_cond_destroy(&more);
}

static int
set_up(void **state)
{
	static struct world w;

	w = (struct world){ .lock = PTHREAD_MUTEX_INITIALIZER };
	*state = &w;
	return ev_open(&w.loop) == OK &&
	    bell_init(&w.bell, w.loop, fetch, &w) == OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	bell_fini(&w->bell);
	bell_fini(&w->bell);		/* once more does no harm */
	ev_close(&w->loop);
	return 0;
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ring_is_answered_at_once),
		TEST(a_ring_that_is_lost_is_answered_in_time),
		TEST(a_counter_that_is_full_loses_nothing),
		TEST(of_many_at_once_the_last_is_heard),
		TEST(of_many_at_once_the_last_is_heard_by_the_deaf),
		TEST(nobody_is_called_who_was_not_rung_for),
		TEST(a_wait_for_work_ends_without_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
