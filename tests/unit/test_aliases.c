/* A file of aliases, word by word, and the table that is made of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mail/alias_table.h"

static char told[4096];
static size_t told_len;

static void
put(const char *mark, struct span s, const char *why)
{
	int n = snprintf(told + told_len, sizeof(told) - told_len,
	    "%s%.*s%s%s\n", mark, (int)s.len, s.ptr, why[0] == '\0' ? "" :
	    ": ", why);

	if (n > 0 && (size_t)n < sizeof(told) - told_len)
		told_len += (size_t)n;
}

static void
on_word(void *arg, enum aliases_word what, struct span s)
{
	static const char *const marks[ALIASES__COUNT] = {
		[ALIASES_KEY] = "= ", [ALIASES_NAME] = "+ ",
		[ALIASES_STOP] = "\\ ", [ALIASES_DOMAIN] = "d ",
		[ALIASES_INCLUDE] = "i ",
	};

	put(marks[what], s, "");
}

static void
on_fault(void *arg, struct span at, const char *why)
{
	put("? ", at, why);
}

static const struct aliases_calls calls = { on_word, on_fault };

static const char *
read_text(const char *text)
{
	told_len = 0;
	told[0] = '\0';
	aliases_read(span_of(text), &calls, NULL);
	return told;
}

static void
the_usual_form_is_read(void **state)
{
	assert_string_equal(read_text(
	    "# comment\n\n"
	    "root:\tann, bob@example.net\t# and so on\n"
	    "  \t\n"
	    "\"a b\": carol , \\carol\r\n"
	    "   # within\n"
	    "\tdave,\n"
	    " \"e, f\"@example.org x#y\n"
	    "\tgus\n"
	    "Owner-Team:ann\n"
	    "team : :include:lists/team, \":include:/etc/a b\"\n"
	    "sales@Example.org: ann\n"
	    "@example.net: @example.org\n"
	    "\"a:b\": \\\"c d\"@example.org"),
	    "= root\n+ ann\n+ bob@example.net\n"
	    "= \"a b\"\n+ carol\n\\ carol\n+ dave\n"
	    "+ \"e, f\"@example.org\n+ x#y\n+ gus\n"
	    "= Owner-Team\n+ ann\n"
	    "= team\ni lists/team\ni /etc/a b\n"
	    "= sales@Example.org\n+ ann\n"
	    "= @example.net\nd @example.org\n"
	    "= \"a:b\"\n\\ \"c d\"@example.org\n");
}

static void
what_runs_or_writes_is_refused_with_what_to_use(void **state)
{
	static const struct {
		const char *text, *at, *why;
	} cases[] = {
		{ "a: |/usr/bin/x -v, b", "|/usr/bin/x -v, b",
		    "relay of type pipe" },
		{ "a: \"|/usr/bin/x -v, b\", b", "\"|/usr/bin/x -v, b\"",
		    "relay of type pipe" },
		{ "a: /var/mail/x", "/var/mail/x", "relay of type maildir" },
		{ "a: \"/var/mail/x y\"", "\"/var/mail/x y\"",
		    "relay of type maildir" },
		{ "a: /dev/null", "/dev/null", "discard" },
		{ "a: :fail: gone", ":fail:", "route to NAME@DOMAIN error" },
		{ "a: :include:", ":include:", "the path of a file" },
		{ "a: Ann <ann@example.org>", "<ann@example.org>",
		    "stands here alone" },
		{ "a:", "a", "must stand somebody" },
		{ "a: # nobody", "a", "must stand somebody" },
		{ "a b", "a b", "with a colon" },
		{ "a@b@c: d", "a@b@c", "before the colon" },
		{ ": d", ":", "before the colon" },
		{ "  b", "b", "there is none" },
		{ "a: b..c", "b..c", "no user, no address" },
		{ "a: b@-c", "b@-c", "no user, no address" },
		{ "a: \\@c", "\\@c", "no user, no address" },
		{ "a: \"b", "\"b", "no user, no address" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char mark[64];

		snprintf(mark, sizeof(mark), "? %s: ", cases[i].at);
		if (strstr(read_text(cases[i].text), mark) == NULL ||
		    strstr(told, cases[i].why) == NULL)
			fail_msg("%s: %s", cases[i].text, told);
	}
}

static void
one_fault_costs_one_word_and_a_bad_key_its_lines(void **state)
{
	assert_string_equal(read_text("a: b..c d\n"), "= a\n? b..c: this is "
	    "no user, no address and no `@domain'\n+ d\n");
	assert_string_equal(read_text("a@@b: c\n d\ne: f\n"), "? a@@b: before "
	    "the colon stands a user, an address, or `@domain'\n= e\n+ f\n");
}

static void
a_list_is_just_names(void **state)
{
	told_len = 0;
	aliases_read_list(SPAN("# members\nann, bob\n  carol@example.org\n"
	    "@example.net\n:include:more\n|prog\n"), &calls, NULL);
	assert_string_equal(told, "+ ann\n+ bob\n+ carol@example.org\n"
	    "d @example.net\n"
	    "? :include:more: a file that is included includes no other\n"
	    "? |prog: no program is run from here: give it a relay of type "
	    "pipe, and a route such as `route to NAME@DOMAIN relay PIPE'\n");
}

static void
assert_finds(const struct alias_table *t, const char *written,
    const char *want)
{
	char all[512] = "";
	struct alias_row row;
	enum aliases_word what;

	if (!alias_table_find(t, alias_table_key(span_of(written)), &row)) {
		assert_string_equal("", want);
		return;
	}
	for (uint32_t i = 0; i < row.cnt; i++) {
		struct span s = alias_table_word(t, row.first + i, &what);

		strlcat(all, i > 0 ? " " : "", sizeof(all));
		strncat(all, s.ptr, s.len);
	}
	assert_string_equal(all, want);
}

static void
keys_are_found_as_domains_and_users_are_compared(void **state)
{
	struct alias_table *t;

	assert_int_equal(alias_table_new(&t), OK);
	assert_int_equal(alias_table_begin(t, SPAN("Root")), OK);
	assert_int_equal(alias_table_add(t, ALIASES_NAME, SPAN("ann")), OK);
	assert_int_equal(alias_table_add(t, ALIASES_STOP, SPAN("bob")), OK);
	assert_int_equal(alias_table_begin(t,
	    SPAN("\"a b\"@B\xc3\xbc" "cher.example")), OK);
	assert_int_equal(alias_table_add(t, ALIASES_NAME, SPAN("c")), OK);
	assert_int_equal(alias_table_begin(t, SPAN("@x.example")), OK);
	assert_int_equal(alias_table_add(t, ALIASES_NAME, SPAN("all")), OK);
	assert_int_equal(alias_table_begin(t, SPAN("rOOt")), ERR_NONE);
	assert_int_equal(alias_table_add(t, ALIASES_NAME, SPAN("eve")),
	    ERR_NONE);
	assert_int_equal(alias_table_begin(t, SPAN("\"a@x.example\"")), OK);
	assert_int_equal(alias_table_add(t, ALIASES_NAME, SPAN("q")), OK);
	assert_int_equal(alias_table_cnt(t), 4);
	assert_finds(t, "ROOT", "ann bob");
	assert_finds(t, "\"root\"", "ann bob");
	assert_finds(t, "root@x.example", "");
	assert_finds(t, "\"A B\"@xn--bcher-kva.example", "c");
	assert_finds(t, "@X.Example", "all");
	assert_finds(t, "a@x.example", "");
	assert_finds(t, "\"a@X.example\"", "q");
	assert_finds(t, "nobody", "");
	alias_table_free(&t);
	assert_null(t);
}

static void
a_hundred_thousand_are_all_found(void **state)
{
	struct alias_table *t;
	char key[64], name[64];
	int cnt = 100000;

	assert_int_equal(alias_table_new(&t), OK);
	for (int i = 0; i < cnt; i++) {
		snprintf(key, sizeof(key), "user%d@example.org", i);
		snprintf(name, sizeof(name), "box%d@example.net", i);
		assert_int_equal(alias_table_begin(t, span_of(key)), OK);
		assert_int_equal(alias_table_add(t, ALIASES_NAME,
		    span_of(name)), OK);
	}
	for (int i = 0; i < cnt; i++) {
		snprintf(key, sizeof(key), "USER%d@example.org", i);
		snprintf(name, sizeof(name), "box%d@example.net", i);
		assert_finds(t, key, name);
	}
	assert_finds(t, "user100000@example.org", "");
	alias_table_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_usual_form_is_read),
		cmocka_unit_test(
		    what_runs_or_writes_is_refused_with_what_to_use),
		cmocka_unit_test(
		    one_fault_costs_one_word_and_a_bad_key_its_lines),
		cmocka_unit_test(a_list_is_just_names),
		cmocka_unit_test(
		    keys_are_found_as_domains_and_users_are_compared),
		cmocka_unit_test(a_hundred_thousand_are_all_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
