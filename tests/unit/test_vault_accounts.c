/*
 * test_vault_accounts - accounts found by name, those that are not there, and
 * how long it takes in a file as large as may be.
 *
 * room: vault
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/account.h"
#include "sys/clock.h"
#include "vault/accounts.h"

#define LINE_LEN	64u	/* bytes of a line of the large file */

static struct accounts *
accounts_of(const char *text)
{
	struct accounts *r;

	assert_int_equal(accounts_new(&r, (struct span){ strdup(text),
	    strlen(text) }), OK);
	return r;
}

static void
want(const struct accounts *r, const char *name, const char *hash)
{
	struct span got;

	assert_int_equal(accounts_find(r, span_of(name), &got), hash != NULL);
	if (hash != NULL)
		assert_true(span_eq(got, span_of(hash)));
}

static void
each_account_is_found_and_nothing_else(void **state)
{
	struct accounts *r = accounts_of("# ann:no\n"
	    "ann:$6$a\r\n\nbob:$6$b:more\n"
	    "no colon\n:$6$x\neve:!$6$e\n\x80\x81:$6$y\ndan:\nd d:$6$dd\n"
	    "ann:$6$second\neve:$6$second\nlast:$6$l\n"
	    "Q@Here.Example:$6$q");

	want(r, "ann", "$6$a");
	want(r, "bob", "$6$b");
	want(r, "Bob", NULL);
	want(r, "d d", "$6$dd");
	want(r, "last", "$6$l");
	want(r, "Q@hERE.eXAMPLE", "$6$q");
	want(r, "q@Here.Example", NULL);
	want(r, "eve", NULL);
	want(r, "dan", NULL);
	want(r, "# ann", NULL);
	want(r, "an", NULL);
	want(r, "ann:$6$a", NULL);
	want(r, "", NULL);
	want(r, "\x80\x81", NULL);
	accounts_free(&r);
}

static void
the_domain_of_a_name_is_one_however_it_is_written(void **state)
{
	static const char *const ways[] = {
		"b\xc3\xbc" "cher.example", "B\xc3\x9c" "CHER.Example",
		"xn--bcher-kva.example", "XN--BCHER-kva.example",
	};
	char key[ACCOUNT_KEY_MAX], again[ACCOUNT_KEY_MAX], name[64], line[80];

	for (char c = 'a'; c <= 'z'; c++)
		for (unsigned i = 0; i < 16; i++) {
			struct accounts *r;

			snprintf(line, sizeof(line), "%c@%s:$6$h", c,
			    ways[i / 4]);
			snprintf(name, sizeof(name), "%c@%s", c, ways[i % 4]);
			r = accounts_of(line);
			want(r, name, "$6$h");
			name[0] = (char)(c - 'a' + 'A');
			want(r, name, NULL);
			accounts_free(&r);
		}
	assert_true(span_eq(account_key(SPAN("x@A b"), key),
	    account_key(SPAN("x@a B"), again)));
	assert_false(span_eq(account_key(SPAN("X@a"), key),
	    account_key(SPAN("x@a"), again)));
}

static void
who_is_not_there_costs_as_much_as_somebody_who_is(void **state)
{
	struct accounts *r = accounts_of("x:!\nann:$6$a\ny:*\nbob:$6$b\n");
	struct span one, again;
	char name[32];

	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "nobody%u", i);
		assert_false(accounts_find(r, span_of(name), &one));
		assert_true(span_eq(one, SPAN("$6$a")) ||
		    span_eq(one, SPAN("$6$b")));
		assert_false(accounts_find(r, span_of(name), &again));
		assert_true(span_eq(one, again));
	}
	assert_false(accounts_find(r, SPAN("x"), &one));
	assert_int_equal(one.len, 4);
	accounts_free(&r);
}

/* By its time a name must not tell whether it is there: among those that are
 * not, the dear are as many as among those that are. */
static void
in_a_mixed_file_the_missing_are_mixed_alike(void **state)
{
	char text[2000 * 32], name[32];
	unsigned dear = 0;
	struct accounts *r;
	struct span hash;
	size_t len = 0;

	for (unsigned i = 0; i < 2000; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "user%u@example.org:%s\n", i, i % 4 == 0 ? "$y$d" : "$6$c");
	r = accounts_of(text);
	for (unsigned i = 0; i < 4000; i++) {
		snprintf(name, sizeof(name), "nobody%u@example.org", i);
		assert_false(accounts_find(r, span_of(name), &hash));
		dear += span_eq(hash, SPAN("$y$d"));
	}
	assert_in_range(dear, 700, 1300);
	accounts_free(&r);
}

static void
where_nobody_has_a_hash_there_is_none(void **state)
{
	static const char *const texts[] = { "", "\n", "x:!\n", "x" };
	struct span hash = SPAN("old");

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct accounts *r = accounts_of(texts[i]);

		assert_false(accounts_find(r, SPAN("x"), &hash));
		assert_int_equal(hash.len, 0);
		accounts_free(&r);
	}
}

static void
the_largest_file_is_searched_in_no_time(void **state)
{
	size_t cnt = ACCOUNT_FILE_MAX / LINE_LEN;
	char *text = malloc(ACCOUNT_FILE_MAX + 1), name[32];
	struct accounts *r;
	struct span hash;
	int64_t begun;

	assert_non_null(text);
	for (size_t i = 0; i < cnt; i++)
		snprintf(text + i * LINE_LEN, LINE_LEN + 1,
		    "user%08zu:$6$%047zu\n", i, i);
	assert_int_equal(accounts_new(&r, (struct span){ text,
	    ACCOUNT_FILE_MAX }), OK);
	begun = clock_mono_ms();
	for (size_t i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "user%08zu", cnt - 1 - i * 7);
		assert_true(accounts_find(r, span_of(name), &hash));
		snprintf(name, sizeof(name), "user%08zu", cnt + i);
		assert_false(accounts_find(r, span_of(name), &hash));
		assert_int_equal(hash.len, 50);
	}
	assert_true(clock_mono_ms() - begun < 2000);
	accounts_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_domain_of_a_name_is_one_however_it_is_written),
		cmocka_unit_test(each_account_is_found_and_nothing_else),
		cmocka_unit_test(
		    who_is_not_there_costs_as_much_as_somebody_who_is),
		cmocka_unit_test(in_a_mixed_file_the_missing_are_mixed_alike),
		cmocka_unit_test(where_nobody_has_a_hash_there_is_none),
		cmocka_unit_test(the_largest_file_is_searched_in_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
