/*
 * test_ev - the event loop: what comes when, and what must not come any more.
 */
#include <sys/wait.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/clock.h"
#include "sys/ev.h"

#define THING_MAX	1000

/* One object under test, and the order in which they were called. */
struct thing {
	struct world	*w;
	int		 no;
	struct timer	 timer;
	struct later	 later;
	struct ev	 ev;
	unsigned	 calls;
	unsigned	 what;
	struct thing	*victim;	/* to be removed by our call */
};

struct world {
	struct ev_loop	*loop;
	int		 order[THING_MAX];
	int		 cnt;
	struct thing	 things[THING_MAX];
	struct timer	 end;
};

static struct world w;

static void
note(struct thing *t)
{
	t->calls++;
	if (w.cnt < THING_MAX)
		w.order[w.cnt++] = t->no;
}

static void
end_now(struct timer *t, void *arg)
{
	ev_stop(w.loop);
}

static void
run(int64_t ms)
{
	timer_set(&w.end, ms);
	assert_int_equal(ev_run(w.loop), OK);
}

static int
set_up(void **state)
{
	memset(&w, 0, sizeof(w));
	for (int i = 0; i < THING_MAX; i++)
		w.things[i].no = i;
	assert_int_equal(ev_open(&w.loop), OK);
	timer_init(&w.end, w.loop, end_now, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	ev_close(&w.loop);
	assert_null(w.loop);
	return 0;
}

static void
on_timer(struct timer *timer, void *arg)
{
	struct thing *t = arg;

	assert_false(timer_running(timer));
	note(t);
	if (t->victim != NULL)
		timer_stop(&t->victim->timer);
}

static void
timers_come_in_order_and_not_early(void **state)
{
	int64_t began_ms = clock_mono_ms();

	for (int i = 0; i < THING_MAX; i++) {
		struct thing *t = &w.things[i];

		/* A number is its delay in tenths: 0 to 99 ms, shuffled. */
		t->no = (i * 611) % THING_MAX;
		timer_init(&t->timer, w.loop, on_timer, t);
		timer_set(&t->timer, t->no / 10);
	}
	run(150);
	assert_int_equal(w.cnt, THING_MAX);
	for (int i = 1; i < w.cnt; i++)
		assert_true(w.order[i - 1] / 10 <= w.order[i] / 10);
	assert_true(clock_mono_ms() - began_ms >= 149);
}

static void
a_stopped_timer_stays_silent(void **state)
{
	for (int i = 0; i < 300; i++) {
		timer_init(&w.things[i].timer, w.loop, on_timer, &w.things[i]);
		timer_set(&w.things[i].timer, i % 20);
	}
	for (int i = 0; i < 300; i += 3) {
		timer_stop(&w.things[i].timer);
		timer_stop(&w.things[i].timer);
		assert_false(timer_running(&w.things[i].timer));
	}
	run(40);
	for (int i = 0; i < 300; i++)
		assert_int_equal(w.things[i].calls, i % 3 != 0);
}

static void
a_timer_set_anew_comes_once_and_later(void **state)
{
	struct thing *t = &w.things[0];
	int64_t began_ms = clock_mono_ms();

	timer_init(&t->timer, w.loop, on_timer, t);
	timer_set(&t->timer, 5);
	timer_set(&t->timer, 40);
	while (t->calls == 0)
		run(1);
	assert_true(clock_mono_ms() - began_ms >= 40);
	run(40);
	assert_int_equal(t->calls, 1);
}

static void
a_timer_may_stop_one_that_is_due_too(void **state)
{
	struct thing *a = &w.things[0], *b = &w.things[1];

	timer_init(&a->timer, w.loop, on_timer, a);
	timer_init(&b->timer, w.loop, on_timer, b);
	a->victim = b;
	b->victim = a;
	timer_set(&a->timer, 1);
	timer_set(&b->timer, 1);
	run(20);
	assert_int_equal(a->calls + b->calls, 1);
}

static void
again_at_once(struct timer *timer, void *arg)
{
	struct thing *t = arg;

	t->calls++;
	timer_set(timer, 0);
}

static void
a_timer_that_renews_itself_starves_nobody(void **state)
{
	struct thing *t = &w.things[0];

	timer_init(&t->timer, w.loop, again_at_once, t);
	timer_set(&t->timer, 0);
	run(20);
	assert_true(t->calls > 1);
	timer_stop(&t->timer);
}

static void
a_zeroed_object_can_be_stopped(void **state)
{
	struct timer timer = { 0 };
	struct later later = { 0 };
	struct ev ev = { 0 };

	timer_stop(&timer);
	later_stop(&later);
	ev_fini(&ev);
	assert_false(timer_running(&timer));
}

/* Deferred calls. */

static void
on_later(struct later *later, void *arg)
{
	struct thing *t = arg;

	note(t);
	if (t->victim != NULL && t->victim != t)
		later_stop(&t->victim->later);
	if (t->victim == t && t->calls < 10)
		later_call(later);
}

static void
deferred_calls_come_once_and_in_order(void **state)
{
	for (int i = 0; i < 10; i++) {
		later_init(&w.things[i].later, w.loop, on_later,
		    &w.things[i]);
		later_call(&w.things[i].later);
		later_call(&w.things[i].later);
	}
	later_stop(&w.things[4].later);
	w.things[6].victim = &w.things[7];
	run(5);
	assert_int_equal(w.cnt, 8);
	for (int i = 1; i < w.cnt; i++)
		assert_true(w.order[i - 1] < w.order[i]);
	assert_int_equal(w.things[4].calls, 0);
	assert_int_equal(w.things[7].calls, 0);
}

static void
a_call_deferred_anew_waits_for_no_event(void **state)
{
	struct thing *t = &w.things[0];

	later_init(&t->later, w.loop, on_later, t);
	t->victim = t;
	later_call(&t->later);
	run(30);
	assert_int_equal(t->calls, 10);
}

/* Descriptors. */

static void
make_pipe(int ends[2])
{
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
}

static void
on_ready(struct ev *ev, unsigned what, void *arg)
{
	struct thing *t = arg;

	note(t);
	t->what |= what;
	if (t->victim != NULL)
		ev_fini(&t->victim->ev);
	ev_fini(ev);
}

static void
readable_writable_and_hung_up_are_told(void **state)
{
	struct thing *r = &w.things[0], *wr = &w.things[1];
	struct thing *gone = &w.things[2];
	int a[2], b[2];

	make_pipe(a);
	make_pipe(b);
	assert_int_equal(ev_init(&r->ev, w.loop, a[0], EV_READ, on_ready, r),
	    OK);
	assert_int_equal(ev_init(&wr->ev, w.loop, a[1], EV_WRITE, on_ready,
	    wr), OK);
	assert_int_equal(ev_init(&gone->ev, w.loop, b[0], EV_READ, on_ready,
	    gone), OK);
	run(10);
	assert_int_equal(r->calls, 0);
	assert_int_equal(wr->what, EV_WRITE);
	assert_int_equal(gone->calls, 0);
	assert_int_equal(write(a[1], "x", 1), 1);
	close(b[1]);
	run(10);
	assert_int_equal(r->what, EV_READ);
	assert_int_equal(gone->what, EV_READ | EV_HANGUP);
	close(a[0]);
	close(a[1]);
	close(b[0]);
}

static void
nothing_wanted_is_nothing_told(void **state)
{
	struct thing *t = &w.things[0];
	int ends[2];

	make_pipe(ends);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(ev_init(&t->ev, w.loop, ends[0], 0, on_ready, t), OK);
	run(10);
	assert_int_equal(t->calls, 0);
	ev_want(&t->ev, EV_READ);
	run(10);
	assert_int_equal(t->calls, 1);
	close(ends[0]);
	close(ends[1]);
}

/* Both are ready in one batch; whoever comes first removes the other. */
static void
a_removed_object_gets_no_stale_event(void **state)
{
	struct thing *a = &w.things[0], *b = &w.things[1];
	int pa[2], pb[2];

	make_pipe(pa);
	make_pipe(pb);
	a->victim = b;
	b->victim = a;
	assert_int_equal(ev_init(&a->ev, w.loop, pa[0], EV_READ, on_ready, a),
	    OK);
	assert_int_equal(ev_init(&b->ev, w.loop, pb[0], EV_READ, on_ready, b),
	    OK);
	assert_int_equal(write(pa[1], "x", 1), 1);
	assert_int_equal(write(pb[1], "x", 1), 1);
	run(10);
	assert_int_equal(a->calls + b->calls, 1);
	close(pa[0]);
	close(pa[1]);
	close(pb[0]);
	close(pb[1]);
}

/* The same struct, registered for another descriptor by a callback. */
static struct thing *reused;
static int other_fd;

static void
reuse(struct ev *ev, unsigned what, void *arg)
{
	ev_fini(ev);
	ev_fini(&reused->ev);
	assert_int_equal(ev_init(&reused->ev, w.loop, other_fd, EV_READ,
	    on_ready, reused), OK);
}

static void
a_reused_object_gets_only_its_own_events(void **state)
{
	struct ev first[2];
	int pa[2], pb[2], quiet[2];

	make_pipe(pa);
	make_pipe(pb);
	make_pipe(quiet);
	other_fd = quiet[0];
	reused = &w.things[5];
	memset(first, 0, sizeof(first));
	assert_int_equal(ev_init(&first[0], w.loop, pa[0], EV_READ, reuse,
	    NULL), OK);
	assert_int_equal(ev_init(&reused->ev, w.loop, pb[0], EV_READ, reuse,
	    NULL), OK);
	assert_int_equal(write(pa[1], "x", 1), 1);
	assert_int_equal(write(pb[1], "x", 1), 1);
	run(10);
	assert_int_equal(reused->calls, 0);
	assert_int_equal(write(quiet[1], "x", 1), 1);
	run(10);
	assert_int_equal(reused->calls, 1);
	ev_fini(&first[0]);
	for (int i = 0; i < 2; i++) {
		close(pa[i]);
		close(pb[i]);
		close(quiet[i]);
	}
}

struct heap_thing {
	struct ev	 ev;
	struct timer	 timer;
	int		*calls;
};

static void
free_it(struct ev *ev, unsigned what, void *arg)
{
	struct heap_thing *h = arg;

	(*h->calls)++;
	close(ev->fd);
	ev_fini(ev);
	timer_stop(&h->timer);
	free(h);
}

static void
never(struct timer *t, void *arg)
{
	fail_msg("a timer of freed memory");
}

static void
a_callback_may_free_its_object(void **state)
{
	int calls = 0, ends[2];

	for (int i = 0; i < 50; i++) {
		struct heap_thing *h = calloc(1, sizeof(*h));

		assert_non_null(h);
		h->calls = &calls;
		make_pipe(ends);
		close(ends[1]);
		assert_int_equal(ev_init(&h->ev, w.loop, ends[0], EV_READ,
		    free_it, h), OK);
		timer_init(&h->timer, w.loop, never, NULL);
		timer_set(&h->timer, 15);
	}
	run(40);
	assert_int_equal(calls, 50);
}

static void
a_bad_descriptor_is_an_error(void **state)
{
	struct ev ev = { 0 };

	assert_int_equal(ev_init(&ev, w.loop, 9999, EV_READ, on_ready, NULL),
	    ERR_SYS);
	assert_null(ev.loop);
}

/* Signals. */

static void
on_signal(int signo, void *arg)
{
	struct thing *t = arg;

	t->no = signo;
	t->calls++;
	ev_stop(w.loop);
}

static void
signals_come_in_the_loop(void **state)
{
	struct thing *one = &w.things[0], *two = &w.things[1];

	assert_int_equal(ev_signal(w.loop, SIGUSR1, on_signal, one), OK);
	assert_int_equal(ev_signal(w.loop, SIGUSR2, on_signal, two), OK);
	assert_int_equal(raise(SIGUSR2), 0);
	assert_int_equal(two->calls, 0);
	run(1000);
	assert_int_equal(one->calls, 0);
	assert_int_equal(two->calls, 1);
	assert_int_equal(two->no, SIGUSR2);
	assert_int_equal(raise(SIGUSR1), 0);
	run(1000);
	assert_int_equal(one->calls, 1);
}

static void
the_turn_of_a_stop_is_finished(void **state)
{
	struct thing *t = &w.things[0];

	later_init(&t->later, w.loop, on_later, t);
	later_call(&t->later);
	timer_set(&w.end, 0);
	assert_int_equal(ev_run(w.loop), OK);
	assert_int_equal(t->calls, 1);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timers_come_in_order_and_not_early),
		TEST(a_stopped_timer_stays_silent),
		TEST(a_timer_set_anew_comes_once_and_later),
		TEST(a_timer_may_stop_one_that_is_due_too),
		TEST(a_timer_that_renews_itself_starves_nobody),
		TEST(a_zeroed_object_can_be_stopped),
		TEST(deferred_calls_come_once_and_in_order),
		TEST(a_call_deferred_anew_waits_for_no_event),
		TEST(readable_writable_and_hung_up_are_told),
		TEST(nothing_wanted_is_nothing_told),
		TEST(a_removed_object_gets_no_stale_event),
		TEST(a_reused_object_gets_only_its_own_events),
		TEST(a_callback_may_free_its_object),
		TEST(a_bad_descriptor_is_an_error),
		TEST(signals_come_in_the_loop),
		TEST(the_turn_of_a_stop_is_finished),
	};

	return cmocka_run_group_tests_name("ev", tests, NULL, NULL);
}
