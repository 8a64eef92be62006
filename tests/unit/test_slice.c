/* Slices: what was put in comes out, and nothing else is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/slice/slice.h"
#include "conf_memory.h"

static const char conf_text[] =
    "edge e { type smtp; listener { port 25 }; listener { port 26 }\n"
    "rules { clients 10.0.0.0/8 192.0.2.0/24; clients 127.0.0.1 } }\n"
    "queue q { type lmdb }\n"
    "relay r { type static; host a.example }\n";

struct made {
	struct conf	*c;
	struct conf_plan plan;
	struct span	 edge;		/* the slice of the edge */
};

static int
make(void **state)
{
	static struct made made;
	const struct memory_file files[] = {
		{ "/etc/conf", conf_text }, { NULL, NULL } };
	struct memory m = { .files = files };

	made.c = NULL;
	if (memory_load(&m, &made.c, false) != OK ||
	    conf_plan(made.c, &made.plan) != OK)
		return -1;
	made.edge = made.plan.slices[4];
	*state = &made;
	return 0;
}

static int
unmake(void **state)
{
	struct made *made = *state;

	conf_free(&made->c);
	return 0;
}

/* Everything one can ask; the sum keeps the compiler from leaving it out. */
static uint64_t
ask_all(const struct slice *s)
{
	static const char *const words[] = { "name", "type", "clients",
	    "listener", "rules", "port", "hostname", "no_such" };
	struct slice process = slice_process(s), block;
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		unsigned cnt = slice_count(s, words[i]);

		sum += cnt + slice_num(s, words[i]) + slice_flag(s, words[i]) +
		    slice_block_count(s, words[i]) +
		    slice_count(&process, words[i]);
		for (unsigned k = 0; k <= 3; k++) {
			block = slice_block(s, words[i], k);
			sum += slice_text(s, words[i], k).len +
			    slice_count(&block, "port") +
			    slice_text(&block, "clients", k).len;
		}
	}
	return sum;
}

static void
what_was_put_in_comes_out(void **state)
{
	struct made *made = *state;
	struct slice s, b;

	assert_int_equal(slice_open(&s, made->edge), OK);
	assert_int_equal(slice_block_count(&s, "listener"), 2);
	b = slice_block(&s, "listener", 1);
	assert_int_equal(slice_num(&b, "port"), 26);
	b = slice_block(&s, "rules", 0);
	assert_int_equal(slice_count(&b, "clients"), 3);
	assert_true(span_eq(slice_text(&b, "clients", 1),
	    SPAN("192.0.2.0/24")));
	assert_true(span_eq(slice_text(&b, "clients", 2), SPAN("127.0.0.1")));
	b = slice_process(&s);
	assert_true(span_eq(slice_text(&b, "hostname", 0),
	    SPAN("host.example.org")));
}

static void
what_is_absent_is_empty_and_no_error(void **state)
{
	struct made *made = *state;
	struct slice s, b;

	assert_int_equal(slice_open(&s, made->edge), OK);
	assert_int_equal(slice_count(&s, "no_such"), 0);
	assert_int_equal(slice_text(&s, "no_such", 0).len, 0);
	assert_int_equal(slice_text(&s, "type", 1).len, 0);
	assert_int_equal(slice_num(&s, "no_such"), 0);
	assert_false(slice_flag(&s, "no_such"));
	b = slice_block(&s, "listener", 2);
	assert_int_equal(slice_count(&b, "port"), 0);
	assert_int_equal(slice_block_count(&b, "listener"), 0);
	b = slice_process(&b);
	assert_int_equal(slice_count(&b, "hostname"), 0);
	b = slice_block(&s, "rules", 0);
	b = slice_process(&b);
	assert_int_equal(slice_count(&b, "hostname"), 0);
}

static void
every_truncation_is_refused(void **state)
{
	struct made *made = *state;
	struct slice s;

	for (size_t len = 0; len < made->edge.len; len++) {
		char *copy = malloc(len == 0 ? 1 : len);

		assert_non_null(copy);
		memcpy(copy, made->edge.ptr, len);
		assert_int_equal(slice_open(&s, (struct span){ copy, len }),
		    ERR_PEER);
		free(copy);
	}
	assert_int_equal(slice_open(&s, (struct span){ NULL, 0 }), ERR_PEER);
}

static void
anything_behind_it_is_refused(void **state)
{
	struct made *made = *state;
	char *copy = calloc(1, made->edge.len + 1);
	struct slice s;

	assert_non_null(copy);
	memcpy(copy, made->edge.ptr, made->edge.len);
	assert_int_equal(slice_open(&s,
	    (struct span){ copy, made->edge.len + 1 }), ERR_PEER);
	copy[0] ^= 1;
	assert_int_equal(slice_open(&s,
	    (struct span){ copy, made->edge.len }), ERR_PEER);
	free(copy);
}

/* A block of no options and no blocks is 4 bytes of zeros; 5 are too many. */
static void
a_block_with_something_left_over_is_refused(void **state)
{
	static const char good[] = "pls1\4\0\0\0\0\0\0\0"
	    "\4\0\0\0\0\0\0";
	static const char bad[] = "pls1\5\0\0\0\0\0\0\0\0"
	    "\4\0\0\0\0\0\0";
	struct slice s;

	assert_int_equal(slice_open(&s, (struct span){ good, sizeof(good) }),
	    OK);
	assert_int_equal(slice_open(&s, (struct span){ bad, sizeof(bad) }),
	    ERR_PEER);
}

static void
a_changed_byte_is_refused_or_harmless(void **state)
{
	struct made *made = *state;
	char *copy = malloc(made->edge.len);
	unsigned refused = 0, taken = 0;
	uint64_t sum = 0;
	struct slice s;

	assert_non_null(copy);
	for (size_t i = 0; i < made->edge.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(copy, made->edge.ptr, made->edge.len);
			copy[i] = (char)(copy[i] ^ (1u << bit));
			if (slice_open(&s, (struct span){ copy,
			    made->edge.len }) != OK) {
				refused++;
				continue;
			}
			taken++;
			sum += ask_all(&s);
		}
	assert_true(refused > 0 && taken > 0 && sum > 0);
	free(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_in_comes_out),
		cmocka_unit_test(what_is_absent_is_empty_and_no_error),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(anything_behind_it_is_refused),
		cmocka_unit_test(a_block_with_something_left_over_is_refused),
		cmocka_unit_test(a_changed_byte_is_refused_or_harmless),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
