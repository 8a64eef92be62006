/*
 * test_question - questions under way, alone: numbers, ends, deadlines.  The
 * clock is the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "bus/question.h"
#include "sys/clock.h"

#define MAX		8	/* under way at a time */
#define PATIENCE_MS	1000

static int64_t now_ms = 1;

/* In place of sys/clock.c. */
int64_t
clock_mono_ms(void)
{
	return now_ms;
}

int64_t
clock_wall_ms(void)
{
	return now_ms;
}

struct world;

struct asked {
	struct question	 question;	/* first: on_end() finds us by it */
	struct world	*world;
	char		 name;
	void		(*then)(struct asked *);
};

struct world {
	struct ev_loop	*loop;
	struct questions table;
	struct timer	 tick;
	bool		 in_call;
	char		 told[64];	/* names, in the order of their ends */
	enum err	 whys[64];
	unsigned	 told_cnt;
};

static void
on_end(struct question *q, enum err why)
{
	struct asked *a = (struct asked *)q;
	struct world *w = a->world;

	assert_false(w->in_call);
	assert_true(w->told_cnt < sizeof(w->told) - 1);
	w->whys[w->told_cnt] = why;
	w->told[w->told_cnt++] = a->name;
	if (a->then != NULL)
		a->then(a);
}

static void
tick(struct timer *t, void *arg)
{
	ev_stop(arg);
}

/* A turn in which the clock stands, and one after it has moved. */
static void
turn(struct world *w)
{
	timer_set(&w->tick, 0);
	assert_int_equal(ev_run(w->loop), OK);
}

static void
pass(struct world *w, int64_t ms)
{
	now_ms += ms;
	turn(w);
	turn(w);
}

static int
begin(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	if (ev_open(&w.loop) != OK)
		return -1;
	questions_init(&w.table, w.loop, MAX, on_end);
	timer_init(&w.tick, w.loop, tick, w.loop);
	*state = &w;
	return 0;
}

static int
end(void **state)
{
	struct world *w = *state;

	assert_null(questions_first(&w->table));
	assert_int_equal(w->table.cnt, 0);
	timer_stop(&w->tick);
	ev_close(&w->loop);
	return 0;
}

/* Those that lie on a test's stack, before it returns. */
static void
close_rest(struct world *w)
{
	struct question *q;

	while ((q = questions_first(&w->table)) != NULL)
		question_close(q);
}

static bool
ask_for(struct world *w, struct asked *a, char name, int64_t ms)
{
	bool was_taken;

	*a = (struct asked){ .world = w, .name = name };
	w->in_call = true;
	was_taken = question_ask(&w->table, &a->question, ms);
	w->in_call = false;
	return was_taken;
}

static void
ask(struct world *w, struct asked *a, char name)
{
	assert_true(ask_for(w, a, name, PATIENCE_MS));
}

/* As a link would: what comes for this number. */
static enum err
answer(struct world *w, uint64_t no)
{
	struct question *q = NULL;
	enum err e = question_find(&w->table, no, &q);

	w->in_call = true;
	if (e == OK && q != NULL)
		question_answer(q);
	w->in_call = false;
	return e;
}

static void
answers_come_in_any_order_and_once(void **state)
{
	struct world *w = *state;
	struct asked a, b, c;

	ask(w, &a, 'a');
	ask(w, &b, 'b');
	ask(w, &c, 'c');
	assert_int_equal(w->table.cnt, 3);
	assert_int_equal(answer(w, c.question.no), OK);
	assert_int_equal(answer(w, a.question.no), OK);
	assert_int_equal(answer(w, c.question.no), OK);	/* again, too early */
	assert_int_equal(w->told_cnt, 0);
	turn(w);
	assert_string_equal(w->told, "ca");
	assert_int_equal(w->whys[0], OK);
	assert_int_equal(answer(w, c.question.no), OK);	/* and too late */
	turn(w);
	assert_string_equal(w->told, "ca");
	assert_int_equal(w->table.cnt, 1);
	pass(w, PATIENCE_MS);
	assert_string_equal(w->told, "cab");
	assert_int_equal(w->whys[2], ERR_AGAIN);
}

static void
an_answer_to_what_was_never_asked_is_nonsense(void **state)
{
	struct world *w = *state;
	struct asked a;

	assert_int_equal(answer(w, 0), ERR_PEER);
	assert_int_equal(answer(w, 1), ERR_PEER);
	ask(w, &a, 'a');
	assert_int_equal(answer(w, a.question.no + 1), ERR_PEER);
	assert_int_equal(answer(w, UINT64_MAX), ERR_PEER);
	assert_int_equal(answer(w, 0), ERR_PEER);
	turn(w);
	assert_int_equal(w->told_cnt, 0);
	close_rest(w);
}

static void
an_answer_after_the_deadline_finds_nobody(void **state)
{
	struct world *w = *state;
	struct asked a;

	ask(w, &a, 'a');
	pass(w, PATIENCE_MS - 1);
	assert_int_equal(w->told_cnt, 0);
	pass(w, 1);
	assert_string_equal(w->told, "a");
	assert_int_equal(w->whys[0], ERR_AGAIN);
	assert_int_equal(answer(w, a.question.no), OK);
	turn(w);
	assert_string_equal(w->told, "a");
}

static void
deadlines_end_questions_in_their_own_order(void **state)
{
	struct world *w = *state;
	struct asked a, b, c, d;

	assert_true(ask_for(w, &a, 'a', 300));
	assert_true(ask_for(w, &b, 'b', 100));
	assert_true(ask_for(w, &c, 'c', 200));
	assert_true(ask_for(w, &d, 'd', QUESTION_NO_END));
	pass(w, 100);
	assert_string_equal(w->told, "b");
	pass(w, 500);			/* both in one turn */
	assert_string_equal(w->told, "bca");
	pass(w, 1000000);
	assert_string_equal(w->told, "bca");
	assert_int_equal(answer(w, d.question.no), OK);
	turn(w);
	assert_string_equal(w->told, "bcad");
}

static void
what_is_cancelled_is_never_told(void **state)
{
	struct world *w = *state;
	struct asked a, b, c;

	ask(w, &a, 'a');
	ask(w, &b, 'b');
	ask(w, &c, 'c');
	question_close(&a.question);
	question_close(&a.question);		/* twice is once */
	assert_int_equal(answer(w, a.question.no), OK);
	assert_int_equal(answer(w, b.question.no), OK);
	question_close(&b.question);		/* answered, not yet told */
	pass(w, PATIENCE_MS);
	assert_string_equal(w->told, "c");
	assert_int_equal(w->table.cnt, 0);
}

static void
a_lost_link_ends_what_was_asked_and_nothing_later(void **state)
{
	struct world *w = *state;
	struct asked a, b, c;

	ask(w, &a, 'a');
	ask(w, &b, 'b');
	assert_int_equal(answer(w, a.question.no), OK);
	w->in_call = true;
	questions_lose(&w->table);
	w->in_call = false;
	ask(w, &c, 'c');
	turn(w);
	assert_string_equal(w->told, "ab");
	assert_int_equal(w->whys[0], OK);	/* its answer had come */
	assert_int_equal(w->whys[1], ERR_CLOSED);
	assert_int_equal(answer(w, b.question.no), OK);
	assert_int_equal(answer(w, c.question.no), OK);
	turn(w);
	assert_string_equal(w->told, "abc");
	assert_int_equal(w->whys[2], OK);
}

static void
a_caller_may_fail_one_for_a_reason_of_its_own(void **state)
{
	struct world *w = *state;
	struct asked a;

	ask(w, &a, 'a');
	question_fail(&a.question, ERR_SYS);
	question_fail(&a.question, ERR_NONE);
	question_answer(&a.question);
	turn(w);
	assert_string_equal(w->told, "a");
	assert_int_equal(w->whys[0], ERR_SYS);
}

static struct asked second;

static void
ask_again(struct asked *a)
{
	struct world *w = a->world;

	ask(w, &second, 's');
	assert_int_not_equal(second.question.no, a->question.no);
	assert_int_equal(answer(w, second.question.no), OK);
}

static void
what_is_asked_within_an_answer_is_told_in_a_later_turn(void **state)
{
	struct world *w = *state;
	struct asked a, b;

	ask(w, &a, 'a');
	ask(w, &b, 'b');
	a.then = ask_again;
	assert_int_equal(answer(w, a.question.no), OK);
	assert_int_equal(answer(w, b.question.no), OK);
	turn(w);
	assert_memory_equal(w->told, "ab", 2);
	turn(w);
	assert_string_equal(w->told, "abs");
}

static struct asked other;

static void
cancel_the_other(struct asked *a)
{
	question_close(&other.question);
}

static void
an_answer_may_cancel_one_that_was_to_be_told_after_it(void **state)
{
	struct world *w = *state;
	struct asked a;

	ask(w, &a, 'a');
	ask(w, &other, 'o');
	a.then = cancel_the_other;
	questions_lose(&w->table);
	turn(w);
	turn(w);
	assert_string_equal(w->told, "a");
}

static void
unmake(struct asked *a)
{
	close_rest(a->world);
	memset(&a->world->table, 0xa5, sizeof(a->world->table));
}

static void
an_answer_may_unmake_the_table(void **state)
{
	struct world *w = *state;
	struct asked a, b, c;

	ask(w, &a, 'a');
	ask(w, &b, 'b');
	ask(w, &c, 'c');
	a.then = unmake;
	assert_int_equal(answer(w, a.question.no), OK);
	assert_int_equal(answer(w, b.question.no), OK);
	turn(w);
	pass(w, PATIENCE_MS);
	assert_string_equal(w->told, "a");
	questions_init(&w->table, w->loop, MAX, on_end);
}

static void
more_than_may_be_under_way_fail_and_do_no_harm(void **state)
{
	struct world *w = *state;
	struct asked all[MAX], over, next;

	for (unsigned i = 0; i < MAX; i++)
		ask(w, &all[i], (char)('a' + i));
	assert_false(ask_for(w, &over, 'x', PATIENCE_MS));
	assert_int_equal(answer(w, over.question.no), OK);
	turn(w);
	assert_string_equal(w->told, "x");
	assert_int_equal(w->whys[0], ERR_FULL);
	assert_int_equal(w->table.cnt, MAX);
	assert_int_equal(answer(w, all[3].question.no), OK);
	ask(w, &next, 'n');		/* an ended one takes no room */
	assert_int_equal(w->table.cnt, MAX);
	turn(w);
	assert_string_equal(w->told, "xd");
	close_rest(w);
}

static void
numbers_wrap_around_those_under_way(void **state)
{
	struct world *w = *state;
	struct asked old, last, first, next;

	ask(w, &old, 'o');
	assert_int_equal(old.question.no, 1);
	w->table.last = UINT64_MAX - 1;
	ask(w, &last, 'l');
	assert_int_equal(last.question.no, UINT64_MAX);
	ask(w, &first, 'f');			/* 0 is nobody's, 1 taken */
	assert_int_equal(first.question.no, 2);
	ask(w, &next, 'n');
	assert_int_equal(next.question.no, 3);
	assert_int_equal(answer(w, 0), ERR_PEER);
	assert_int_equal(answer(w, 77), OK);	/* long over		*/
	assert_int_equal(answer(w, 1), OK);
	assert_int_equal(answer(w, UINT64_MAX), OK);
	turn(w);
	assert_string_equal(w->told, "ol");
	close_rest(w);
}

static void
numbers_stay_as_low_as_their_message_wants(void **state)
{
	struct world *w = *state;
	struct asked all[3];

	w->table.highest = UINT32_MAX;
	w->table.last = UINT32_MAX - 1;
	for (unsigned i = 0; i < 3; i++)
		ask(w, &all[i], (char)('a' + i));
	assert_int_equal(all[0].question.no, UINT32_MAX);
	assert_int_equal(all[1].question.no, 1);
	assert_int_equal(all[2].question.no, 2);
	close_rest(w);
}

static void
all_under_way_are_found_in_the_order_they_were_asked(void **state)
{
	struct world *w = *state;
	struct question *q;
	struct asked all[4];
	char names[8] = "";
	unsigned cnt = 0;

	for (unsigned i = 0; i < 4; i++)
		ask(w, &all[i], (char)('a' + i));
	question_close(&all[1].question);
	for (q = questions_first(&w->table); q != NULL; q = questions_next(q))
		names[cnt++] = ((struct asked *)q)->name;
	assert_string_equal(names, "acd");
	close_rest(w);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_come_in_any_order_and_once),
		TEST(an_answer_to_what_was_never_asked_is_nonsense),
		TEST(an_answer_after_the_deadline_finds_nobody),
		TEST(deadlines_end_questions_in_their_own_order),
		TEST(what_is_cancelled_is_never_told),
		TEST(a_lost_link_ends_what_was_asked_and_nothing_later),
		TEST(a_caller_may_fail_one_for_a_reason_of_its_own),
		TEST(what_is_asked_within_an_answer_is_told_in_a_later_turn),
		TEST(an_answer_may_cancel_one_that_was_to_be_told_after_it),
		TEST(an_answer_may_unmake_the_table),
		TEST(more_than_may_be_under_way_fail_and_do_no_harm),
		TEST(numbers_wrap_around_those_under_way),
		TEST(numbers_stay_as_low_as_their_message_wants),
		TEST(all_under_way_are_found_in_the_order_they_were_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
