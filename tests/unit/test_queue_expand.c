/*
 * test_queue_expand - whom a recipient stands for: by a table that the test
 * writes, which answers at once or later.
 * room: queue
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "queue/route/expand.h"
#include "queue/route/route.h"

struct row {
	const char	*address;
	const char	*names[4];	/* up to NULL; "-": nobody's	*/
};

struct table {
	const struct row *rows;
	size_t		 cnt;
	bool		 is_late;	/* it answers by answer_late()	*/
	struct expansion *asking;
	char		 address[300];
	unsigned	 cancel_cnt;
};

static struct {
	unsigned	 cnt;
	enum err	 why;
} ended;

static enum err
look(struct expansion *x, const struct table *t, struct span address)
{
	for (size_t i = 0; i < t->cnt; i++) {
		if (!span_eq(span_of(t->rows[i].address), address))
			continue;
		if (t->rows[i].names[0] != NULL &&
		    strcmp(t->rows[i].names[0], "-") == 0)
			return ERR_CLOSED;
		for (int k = 0; k < 4 && t->rows[i].names[k] != NULL; k++)
			expand_name(x, span_of(t->rows[i].names[k]));
		return OK;
	}
	return ERR_NONE;
}

static enum err
ask_table(struct expansion *x, struct span address, void *arg)
{
	struct table *t = arg;

	if (!t->is_late)
		return look(x, t, address);
	assert_null(t->asking);
	t->asking = x;
	assert_true(span_cstr(address, t->address, sizeof(t->address)));
	return ERR_AGAIN;
}

static void
cancel(struct expansion *x, void *arg)
{
	struct table *t = arg;

	assert_ptr_equal(t->asking, x);
	t->asking = NULL;
	t->cancel_cnt++;
}

static void
answer_late(struct table *t)
{
	struct expansion *x = t->asking;

	t->asking = NULL;
	expand_answer(x, look(x, t, span_of(t->address)));
}

static void
on_end(struct expansion *x, enum err why, void *arg)
{
	ended.cnt++;
	ended.why = why;
}

/* "a@x[alias a0@x], b@x" */
static const char *
told(const struct expansion *x)
{
	static char text[8192];
	struct expand_rcpt r;
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < expand_cnt(x); i++) {
		expand_rcpt(x, i, &r);
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%.*s[%.*s]", i > 0 ? " " : "", (int)r.address.len,
		    r.address.ptr, (int)r.trace.len, r.trace.ptr);
	}
	return text;
}

#define TABLE(of)	{ .rows = (of), .cnt = sizeof(of) / sizeof((of)[0]) }

static void
want(struct table *t, const char *address, enum err e, const char *as)
{
	struct expander one = { "alias", ask_table, cancel, t };
	struct expanders all = { &one, 1 };
	struct expansion *x;

	assert_int_equal(expand_begin(&x, &all,
	    &(struct route_ask){ .rcpt = span_of(address) }, on_end, NULL), e);
	if (e == OK)
		assert_string_equal(told(x), as);
	else
		assert_null(x);
	expand_end(&x);
}

static const struct row rows[] = {
	{ "all@x", { "team@x", "eve@x", "ann@x" } },
	{ "team@x", { "ann@x", "bob@x", "ann@X" } },
	{ "bob@x", { "bob@x", "archive@x" } },
	{ "gone@x", { NULL } },
	{ "one@x", { "two@x" } }, { "two@x", { "one@x" } },
	{ "half@x", { "half2@x", "ann@x" } }, { "half2@x", { "half@x" } },
};

static void
who_stands_for_nobody_alone_is_nobody(void **state)
{
	static const struct row some[] = {
		{ "all@x", { "gone@x", "ann@x" } },
		{ "none@x", { "gone@x", "lost@x" } },
		{ "gone@x", { "-" } },
		{ "lost@x", { "-" } },
	};
	struct table t = TABLE(some);

	want(&t, "gone@x", ERR_CLOSED, NULL);
	want(&t, "none@x", ERR_CLOSED, NULL);
	want(&t, "all@x", OK, "gone@x[alias\tall@x] ann@x[alias\tall@x]");
}

static void
one_becomes_several_another_or_none(void **state)
{
	struct table t = TABLE(rows);

	want(&t, "zoe@x", OK, "zoe@x[]");
	want(&t, "team@x", OK, "ann@x[alias\tteam@x] "
	    "bob@x[alias\tteam@x\nalias\tbob@x] "
	    "archive@x[alias\tteam@x\nalias\tbob@x]");
	want(&t, "gone@x", OK, "");
}

/* ANN@X is another mailbox than ann@x, and the domain the same. */
static void
who_is_named_twice_is_one_recipient(void **state)
{
	static const struct row twice[] = {
		{ "all@x", { "ann@x", "team@x", "ann@X" } },
		{ "team@x", { "ann@x", "Ann@x" } },
	};
	struct table t = TABLE(twice);

	want(&t, "all@x", OK, "ann@x[alias\tall@x] "
	    "Ann@x[alias\tall@x\nalias\tteam@x]");
}

static void
a_circle_is_an_error_only_where_nobody_is_left(void **state)
{
	struct table t = TABLE(rows);

	want(&t, "one@x", ERR_PEER, NULL);
	want(&t, "half@x", OK, "ann@x[alias\thalf@x]");
}

/* Each stands for two, deeper and deeper: n@x for n0@x and n1@x. */
static enum err
ask_tree(struct expansion *x, struct span address, void *arg)
{
	char text[300];

	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "%d%.*s", i, (int)address.len,
		    address.ptr);
		if (i == 0 || arg != NULL)
			expand_name(x, span_of(text));
	}
	return OK;
}

static void
depth_and_number_are_bounded(void **state)
{
	struct expander one = { "alias", ask_tree, NULL, NULL };
	struct expanders all = { &one, 1 };
	struct expansion *x;

	assert_int_equal(expand_begin(&x, &all,
	    &(struct route_ask){ .rcpt = SPAN("n@x") }, on_end, NULL),
	    ERR_FULL);
	assert_null(x);
	one.arg = &one;
	assert_int_equal(expand_begin(&x, &all,
	    &(struct route_ask){ .rcpt = SPAN("n@x") }, on_end, NULL),
	    ERR_FULL);
	assert_null(x);
}

static void
the_first_that_knows_him_has_the_word(void **state)
{
	static const struct row first[] = { { "ann@x", { "a1@x" } } };
	static const struct row second[] = {
		{ "ann@x", { "a2@x" } }, { "a1@x", { "box@x" } },
	};
	struct table t1 = TABLE(first), t2 = TABLE(second);
	struct expander two[] = {
		{ "alias", ask_table, cancel, &t1 },
		{ "table", ask_table, cancel, &t2 },
	};
	struct expanders all = { two, 2 };
	struct expansion *x;

	assert_int_equal(expand_begin(&x, &all,
	    &(struct route_ask){ .rcpt = SPAN("ann@x") }, on_end, NULL),
	    OK);
	assert_string_equal(told(x), "box@x[alias\tann@x\ntable\ta1@x]");
	expand_end(&x);
}

static void
an_answer_may_come_later_and_is_told_once(void **state)
{
	struct table t = TABLE(rows);
	struct expander one = { "alias", ask_table, cancel, &t };
	struct expanders all = { &one, 1 };
	struct expansion *x;

	t.is_late = true;
	ended.cnt = 0;
	assert_int_equal(expand_begin(&x, &all,
	    &(struct route_ask){ .rcpt = SPAN("team@x") }, on_end, NULL),
	    ERR_AGAIN);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(ended.cnt, 0);
		answer_late(&t);	/* team, ann, bob, archive, ... */
		if (ended.cnt == 0)
			assert_non_null(t.asking);
	}
	while (ended.cnt == 0)
		answer_late(&t);
	assert_int_equal(ended.cnt, 1);
	assert_int_equal(ended.why, OK);
	assert_int_equal(expand_cnt(x), 3);
	expand_end(&x);
	assert_int_equal(t.cancel_cnt, 0);
	assert_int_equal(expand_begin(&x, &all,
	    &(struct route_ask){ .rcpt = SPAN("ann@x") }, on_end, NULL),
	    ERR_AGAIN);
	expand_end(&x);
	assert_int_equal(t.cancel_cnt, 1);
	assert_int_equal(ended.cnt, 1);
}

static void
a_trace_that_is_too_long_says_so(void **state)
{
	static char names[4][EXPAND_TRACE_MAX / 2];
	struct row chain[3];
	struct table t = TABLE(chain);
	struct expander one = { "alias", ask_table, cancel, &t };
	struct expanders all = { &one, 1 };
	struct expand_rcpt r;
	struct expansion *x;

	for (int i = 0; i < 4; i++) {
		memset(names[i], 'a' + i, sizeof(names[i]) - 20);
		strcpy(names[i] + sizeof(names[i]) - 20, "@x");
	}
	for (int i = 0; i < 3; i++)
		chain[i] = (struct row){ names[i], { names[i + 1] } };
	assert_int_equal(expand_begin(&x, &all,
	    &(struct route_ask){ .rcpt = span_of(names[0]) }, on_end, NULL),
	    OK);
	expand_rcpt(x, 0, &r);
	assert_true(r.trace.len <= EXPAND_TRACE_MAX);
	assert_memory_equal(r.trace.ptr + r.trace.len - 3, "...", 3);
	assert_memory_equal(r.trace.ptr, "alias\taaa", 9);
	expand_end(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_stands_for_nobody_alone_is_nobody),
		cmocka_unit_test(one_becomes_several_another_or_none),
		cmocka_unit_test(who_is_named_twice_is_one_recipient),
		cmocka_unit_test(
		    a_circle_is_an_error_only_where_nobody_is_left),
		cmocka_unit_test(depth_and_number_are_bounded),
		cmocka_unit_test(the_first_that_knows_him_has_the_word),
		cmocka_unit_test(an_answer_may_come_later_and_is_told_once),
		cmocka_unit_test(a_trace_that_is_too_long_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
