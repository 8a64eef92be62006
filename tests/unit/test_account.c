/*
 * test_account - the users file: read, and changed without touching the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mail/account.h"

#define FILE_TEXT							\
	"# who may send\n"						\
	"\n"								\
	"ann@here.example:$y$j9T$abc$def\n"				\
	"  # an indented note: not an account\n"			\
	"bob:$6$salt$hash:Bob, Sales:more\r\n"				\
	"no colon here\n"						\
	"carl:!$6$salt$hash:away\n"					\
	"bob:$6$second$line\n"						\
	"d\xc3\xb6rte:$5$x$y"

static struct span
text(void)
{
	return SPAN(FILE_TEXT);
}

static void
want_span(struct span got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.ptr, want, got.len);
}

static void
accounts_come_in_the_order_of_the_file(void **state)
{
	static const char *const want[][3] = {
		{ "ann@here.example", "$y$j9T$abc$def", "" },
		{ "bob", "$6$salt$hash", "Bob, Sales:more" },
		{ "carl", "", "away" },
		{ "bob", "$6$second$line", "" },
		{ "d\xc3\xb6rte", "$5$x$y", "" },
	};
	struct span left = text();
	struct account a;

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(account_next(&left, &a));
		want_span(a.name, want[i][0]);
		want_span(a.hash, want[i][1]);
		want_span(a.rest, want[i][2]);
	}
	assert_false(account_next(&left, &a));
	assert_int_equal(left.len, 0);
}

static void
the_first_line_of_a_name_counts(void **state)
{
	struct account a;

	assert_true(account_find(text(), SPAN("bob"), &a));
	want_span(a.hash, "$6$salt$hash");
	assert_false(account_find(text(), SPAN("BOB"), &a));
	assert_false(account_find(text(), SPAN("bo"), &a));
	assert_false(account_find(text(), SPAN(""), &a));
	assert_false(account_find(SPAN(""), SPAN("bob"), &a));
}

static void
a_locked_account_has_no_hash(void **state)
{
	static const char *const locked[] = {
		"u:\n", "u:*\n", "u:!\n", "u:!!$6$a$b\n", "u: $6$a$b\n",
		"u:$6$a$b \n", "u:$6$a;b\n", "u:a\\b\n", "u:\x80\n", "u::x\n",
	};
	struct account a;

	for (size_t i = 0; i < sizeof(locked) / sizeof(locked[0]); i++) {
		assert_true(account_find(span_of(locked[i]), SPAN("u"), &a));
		assert_int_equal(a.hash.len, 0);
	}
}

static void
names_are_judged(void **state)
{
	static const char *const bad[] = {
		"", "a:b", "#a", " a", "a ", "a\tb", "a\nb", "\x7f", "\xc3",
		"\xc2\x85", "\xed\xa0\x80",
	};
	static const char *const good[] = {
		"a", "a b", "a#", "ann@here.example", "d\xc3\xb6rte", "\"x\"",
	};
	char longest[ACCOUNT_NAME_MAX + 2];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(account_is_name(span_of(bad[i])));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(account_is_name(span_of(good[i])));
	memset(longest, 'x', sizeof(longest));
	assert_true(account_is_name((struct span){ longest,
	    ACCOUNT_NAME_MAX }));
	assert_false(account_is_name((struct span){ longest,
	    ACCOUNT_NAME_MAX + 1 }));
}

static void
putting_a_new_one_adds_a_line_at_the_end(void **state)
{
	struct span out;

	assert_int_equal(account_put(text(), SPAN("eva"), SPAN("$y$1"), &out),
	    OK);
	want_span(out, FILE_TEXT "\neva:$y$1\n");
	free((void *)(uintptr_t)out.ptr);
	assert_int_equal(account_put(SPAN(""), SPAN("eva"), SPAN("$y$1"),
	    &out), OK);
	want_span(out, "eva:$y$1\n");
	free((void *)(uintptr_t)out.ptr);
}

static void
putting_again_changes_the_hash_and_nothing_else(void **state)
{
	struct span out;

	assert_int_equal(account_put(SPAN("#\na:x\nbob:$6$o:B:m\r\nbob:z\n"),
	    SPAN("bob"), SPAN("$y$longer"), &out), OK);
	want_span(out, "#\na:x\nbob:$y$longer:B:m\r\nbob:z\n");
	free((void *)(uintptr_t)out.ptr);
	assert_int_equal(account_put(SPAN("a:!locked"), SPAN("a"),
	    SPAN("$y$1"), &out), OK);
	want_span(out, "a:$y$1");
	free((void *)(uintptr_t)out.ptr);
	assert_int_equal(account_put(SPAN("a:"), SPAN("a"), SPAN("$y$1"),
	    &out), OK);
	want_span(out, "a:$y$1");
	free((void *)(uintptr_t)out.ptr);
}

static void
nothing_that_would_break_the_file_is_put(void **state)
{
	struct span out;

	assert_int_equal(account_put(text(), SPAN("a:b"), SPAN("x"), &out),
	    ERR_PEER);
	assert_int_equal(account_put(text(), SPAN("a\nb"), SPAN("x"), &out),
	    ERR_PEER);
	assert_int_equal(account_put(text(), SPAN("a"), SPAN("x\ny"), &out),
	    ERR_PEER);
	assert_int_equal(account_put(text(), SPAN("a"), SPAN(""), &out),
	    ERR_PEER);
}

static void
removing_takes_all_lines_of_the_name(void **state)
{
	struct span out;

	assert_int_equal(account_remove(text(), SPAN("bob"), &out), OK);
	want_span(out, "# who may send\n\nann@here.example:$y$j9T$abc$def\n"
	    "  # an indented note: not an account\nno colon here\n"
	    "carl:!$6$salt$hash:away\nd\xc3\xb6rte:$5$x$y");
	free((void *)(uintptr_t)out.ptr);
	assert_int_equal(account_remove(SPAN("a:x"), SPAN("a"), &out), OK);
	assert_int_equal(out.len, 0);
	free((void *)(uintptr_t)out.ptr);
	assert_int_equal(account_remove(text(), SPAN("nobody"), &out),
	    ERR_NONE);
	assert_int_equal(account_remove(text(), SPAN("bo"), &out), ERR_NONE);
	assert_int_equal(account_put(SPAN("bob:x\n"), SPAN("bo"),
	    SPAN("$y$1"), &out), OK);
	want_span(out, "bob:x\nbo:$y$1\n");
	free((void *)(uintptr_t)out.ptr);
}

static void
domains_of_names_have_no_case(void **state)
{
	static const char file[] = "\xef\xbb\xbf" "Ann@Here.Example:$6$a$b\r\n"
	    "Bob:$6$c$d\n";
	struct span out;
	struct account a;

	assert_true(account_find(SPAN(file), SPAN("Ann@hERE.example"), &a));
	assert_false(account_find(SPAN(file), SPAN("ann@Here.Example"), &a));
	assert_false(account_find(SPAN(file), SPAN("bob"), &a));
	assert_true(account_is_same(SPAN("a@b@C"), SPAN("a@b@c")));
	assert_false(account_is_same(SPAN("a@B@c"), SPAN("a@b@c")));
	assert_int_equal(account_put(SPAN(file), SPAN("Ann@here.example"),
	    SPAN("$6$x$y"), &out), OK);
	want_span(out, "\xef\xbb\xbf" "Ann@Here.Example:$6$x$y\r\n"
	    "Bob:$6$c$d\n");
	free((void *)(uintptr_t)out.ptr);
}

static void
schemes_of_dovecot_are_understood(void **state)
{
	static const struct {
		const char	*line, *hash;
		bool		 is_odd;
	} rows[] = {
		{ "a:{SHA512-CRYPT}$6$a$b:x", "$6$a$b", false },
		{ "a:{blf-crypt}$2y$05$ab", "$2y$05$ab", false },
		{ "a:{CRYPT}$y$j9T$a$b", "$y$j9T$a$b", false },
		{ "a:{CRYPT}", "", true }, { "a:{PLAIN}secret", "", true },
		{ "a:{SSHA}dGVzdA==", "", true },
		{ "a:{SHA512-CRYPT", "", true },
		{ "a:*", "", false }, { "a:!$6$a$b", "", false },
		{ "a:", "", false }, { "a:a b", "", true },
	};
	struct span left;
	struct account a;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		left = span_of(rows[i].line);
		assert_true(account_next(&left, &a));
		want_span(a.hash, rows[i].hash);
		assert_int_equal(a.is_odd, rows[i].is_odd);
	}
}

static void
lines_are_told_apart(void **state)
{
	static const enum account_line want[] = {
		ACCOUNT_NOTHING, ACCOUNT_IS, ACCOUNT_NOTHING, ACCOUNT_BROKEN,
		ACCOUNT_BROKEN, ACCOUNT_NOTHING, ACCOUNT_IS,
	};
	struct span left = SPAN("\xef\xbb\xbf# a\r\nann:$6$a$b\r\n \t\r\n"
	    "no colon\r\n:$6$a$b\n  # b\nbob:x");
	struct span line;
	struct account a;

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(account_line(&left, &line, &a), want[i]);
	assert_int_equal(left.len, 0);
	want_span(line, "bob:x");
}

static void
what_a_hash_takes_is_known(void **state)
{
	assert_true(account_hash_bytes(SPAN("$y$j9T$a$b")) == 16u << 20);
	assert_true(account_hash_bytes(SPAN("$gy$jFT$a$b")) == 1ull << 30);
	assert_true(account_hash_bytes(SPAN("$7$CU..../....a$b")) == 64u << 20);
	assert_true(account_hash_bytes(SPAN("$y$jzT$a$b")) == UINT64_MAX);
	assert_true(account_hash_bytes(SPAN("$6$a$b")) == 0);
	assert_true(account_hash_bytes(SPAN("$y$j9")) == 0);
	assert_true(account_hash_bytes(SPAN("")) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accounts_come_in_the_order_of_the_file),
		cmocka_unit_test(the_first_line_of_a_name_counts),
		cmocka_unit_test(a_locked_account_has_no_hash),
		cmocka_unit_test(names_are_judged),
		cmocka_unit_test(domains_of_names_have_no_case),
		cmocka_unit_test(schemes_of_dovecot_are_understood),
		cmocka_unit_test(lines_are_told_apart),
		cmocka_unit_test(what_a_hash_takes_is_known),
		cmocka_unit_test(putting_a_new_one_adds_a_line_at_the_end),
		cmocka_unit_test(
		    putting_again_changes_the_hash_and_nothing_else),
		cmocka_unit_test(nothing_that_would_break_the_file_is_put),
		cmocka_unit_test(removing_takes_all_lines_of_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
