/*
 * test_queue_forward - what of an address a regular expression replaces.
 * room: queue
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "conf_memory.h"
#include "conf/slice/slice.h"
#include "queue/settings.h"

static void
on_late(struct expansion *x, enum err why, void *arg)
{
	fail();
}

/* Of the first queue of such policies. */
static void
begin(struct settings *out, const char *policies)
{
	char text[1024];
	const struct memory_file files[] = {
		{ "/etc/p/postern.conf", text }, MEMORY_HOST };
	struct memory m = { .files = files };
	struct conf_plan plan;
	struct conf *c = NULL;

	snprintf(text, sizeof(text), "edge in { type smtp }\n"
	    "queue main { type lmdb; relay out; policies { %s } }\n"
	    "relay out { type mx }\n", policies);
	if (memory_load(&m, &c, false) != OK)
		fail_msg("%s", m.told);
	assert_int_equal(conf_plan(c, &plan), OK);
	for (uint32_t i = 0; i < plan.head.process_cnt; i++)
		if (plan.processes[i].role == ROLE_QUEUE)
			assert_int_equal(settings_read(out, plan.slices[i]),
			    OK);
	conf_free(&c);
}

static void
want(const struct settings *s, const char *address, const char *as)
{
	struct expander one = { "forward", forward_ask, NULL, s->forward };
	struct expanders all = { &one, 1 };
	struct expand_rcpt r;
	struct expansion *x;
	char text[300];
	enum err e = expand_begin(&x, &all,
	    &(struct route_ask){ .rcpt = span_of(address) }, on_late, NULL);

	if (as == NULL) {
		assert_int_equal(e, ERR_SYS);
		return;
	}
	assert_int_equal(e, OK);
	assert_int_equal(expand_cnt(x), 1);
	expand_rcpt(x, 0, &r);
	assert_true(span_cstr(r.address, text, sizeof(text)));
	assert_string_equal(text, as);
	expand_end(&x);
}

static void
the_first_match_is_replaced_once(void **state)
{
	struct settings s;

	begin(&s, "forward \"^(.*)@old\\\\.example$\" "
	    "\"\\\\1+moved@old.example\"\n"
	    "forward \"(?i)sales\" \"a\\\\0\\\\\\\\b\\\\7\"\n"
	    "forward \"(x)@|(y)@\" \"<\\\\1\\\\2>\"");
	want(&s, "ann@old.example", "ann+moved@old.example");
	want(&s, "SALES@new.example", "aSALES\\b@new.example");
	want(&s, "y@new.example", "<y>new.example");
	want(&s, "ann@new.example", "ann@new.example");
	settings_fini(&s);
	assert_null(s.forward);
}

static void
what_costs_or_grows_too_much_is_no_answer(void **state)
{
	struct settings s;
	char long_one[256];

	begin(&s, "forward \"^(a+)+$\" b\n"
	    "forward \"^z(.*)$\" \"\\\\1\\\\1\\\\1\\\\1\\\\1\"");
	memset(long_one, 'a', 60);
	strcpy(long_one + 60, "@x.example");
	want(&s, long_one, NULL);
	long_one[0] = 'z';
	memset(long_one + 60, 'b', 100);
	strcpy(long_one + 160, "@x");
	want(&s, long_one, NULL);
	settings_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_match_is_replaced_once),
		cmocka_unit_test(what_costs_or_grows_too_much_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
