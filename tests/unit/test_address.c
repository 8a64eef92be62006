/* What is a mailbox and what is none: ADR-01 to 05 and the RLY rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/address.h"

static enum err
parse(const char *text, bool utf8)
{
	struct address a;

	return address_parse(span_of(text), utf8, &a);
}

static void
assert_span(struct span got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.len > 0 ? got.ptr : "", want, got.len);
}

static void
good_mailboxes_are_taken(void **state)
{
	static const char *const good[] = {
		"a@x", "a@x_y.z", "a.b+c@x.example", "\"a b\"@x",
		"\"a\\\"b\"@x", "\"a\\\\\"@x", "\"\"@x", "\"v@o\"@x",
		"a@[127.0.0.1]", "a@[IPv6:::1]", "a@[ipv6:2001:db8::1]",
		"o!v@x", "v%o@x", "a@127.0.0.1", "\"a>b\"@x", "a@3com.example",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (parse(good[i], false) != OK)
			fail_msg("refused: %s", good[i]);
}

static void
bad_mailboxes_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "a", "@x", "a@", "..a@x", "a..b@x", ".a@x", "a.@x",
		"a@-x", "a@x-", "a@x..y", "a@x.", "a@.x", "a b@x", "a@x y",
		"\"a@x", "\"a\"b@x", "a\"b\"@x", "\"a\rb\"@x", "\"a\nb\"@x",
		"\"a\\\nb\"@x", "\"\\", "\"a\x7f\"@x", "v@o@x", "a@[1.2.3]",
		"a@[1.2.3.256]", "a@[IPv6:1::2::3]", "a@[IPv6:127.0.0.1]",
		"a@[::1]", "a@[X:y]", "a@[127.0.0.1", "a@[]", "a@x\t",
		"a@[01.2.3.4]", "<a@x>", "postmaster", "\"v@o\"", "a@x/y",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i], true) != ERR_PEER)
			fail_msg("taken: %s", bad[i]);
}

static void
nul_is_refused_everywhere(void **state)
{
	const struct span good = SPAN("\"a\\b\"@x.y");
	char text[16];
	struct address a;

	(void)state;
	for (size_t i = 0; i < good.len; i++) {
		memcpy(text, good.ptr, good.len);
		text[i] = '\0';
		assert_int_equal(address_parse((struct span){ text, good.len },
		    true, &a), ERR_PEER);
	}
}

static void
fill(char *buf, const char *head, size_t cnt, char c, const char *tail)
{
	size_t len = strlen(head);

	memcpy(buf, head, len);
	memset(buf + len, c, cnt);
	memcpy(buf + len + cnt, tail, strlen(tail) + 1);
}

static void
limits_hold_to_the_octet(void **state)
{
	char label[64], text[600];

	(void)state;
	fill(text, "", 252, 'a', "@x");
	assert_int_equal(parse(text, false), OK);
	fill(text, "", 253, 'a', "@x");
	assert_int_equal(parse(text, false), ERR_PEER);
	fill(text, "a@", 63, 'b', ".x");
	assert_int_equal(parse(text, false), OK);
	fill(text, "a@", 64, 'b', ".x");
	assert_int_equal(parse(text, false), ERR_PEER);

	/* 2 + 4 * 63 = 254 octets of path, then 255. */
	fill(label, "", 62, 'b', ".");
	strlcpy(text, "a@", sizeof(text));
	for (int i = 0; i < 4; i++)
		strlcat(text, label, sizeof(text));
	text[253] = 'b';
	assert_int_equal(strlen(text), 254);
	assert_int_equal(parse(text, false), OK);
	memmove(text + 1, text, 255);
	assert_int_equal(parse(text, false), ERR_PEER);
}

static void
a_domain_ends_at_255_octets(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 50; i < sizeof(text); i += 50)
		text[i] = '.';
	assert_true(address_is_domain((struct span){ text, 255 }, false));
	assert_false(address_is_domain((struct span){ text, 256 }, false));
	assert_false(address_is_domain(SPAN(""), false));
	assert_false(address_is_domain(SPAN("[1.2.3.4]"), false));
	assert_false(address_is_domain(SPAN("\xce\xb4.example"), false));
	assert_true(address_is_domain(SPAN("\xce\xb4.example"), true));
}

static void
utf8_needs_leave_and_good_form(void **state)
{
	static const char *const bad[] = {
		"\xc0\xaf@x", "\xe0\x80\xaf@x", "\xed\xa0\x80@x",
		"\xf4\x90\x80\x80@x", "\xc3@x", "\x80@x", "a@\xff",
		"\xc2\x80@x", "\"\xf0\x80\x80\x80\"@x", "\"\\\xce\xb4\"@x",
	};
	struct address a;

	(void)state;
	assert_int_equal(parse("\xce\xb4@x", false), ERR_NONE);
	assert_int_equal(parse("a@\xce\xb4.x", false), ERR_NONE);
	assert_int_equal(parse("\"\xce\xb4\"@x", true), OK);
	assert_int_equal(address_parse(SPAN("\xce\xb4@x"), true, &a), OK);
	assert_true(a.is_utf8);
	assert_int_equal(address_parse(SPAN("a@x"), true, &a), OK);
	assert_false(a.is_utf8);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i], true) != ERR_PEER)
			fail_msg("taken: %zu", i);
		assert_int_equal(parse(bad[i], false), ERR_NONE);
	}
}

static void
parts_are_spans_of_the_input(void **state)
{
	struct address a;

	(void)state;
	assert_int_equal(address_parse(SPAN("\"a b\"@[IPv6:::1]"), false, &a),
	    OK);
	assert_span(a.whole, "\"a b\"@[IPv6:::1]");
	assert_span(a.local, "\"a b\"");
	assert_span(a.domain, "[IPv6:::1]");
	assert_int_equal(a.kind, ADDRESS_LITERAL);
	assert_int_equal(address_parse(SPAN("A@X.y"), false, &a), OK);
	assert_int_equal(a.kind, ADDRESS_DOMAIN);
}

static void
mailboxes_are_equal_only_when_they_are_the_same_for_sure(void **state)
{
	static const struct {
		const char	*a, *b;
		bool		 same;
	} cases[] = {
		{ "ann@x.example", "ann@x.example", true },
		{ "ann@x.example", "ann@X.EXAMPLE", true },
		{ "ann@x.example", "Ann@x.example", false },
		{ "ann@x.example", "ann@x.examplf", false },
		{ "ann@x.example", "amm@x.example", false },
		{ "ann@x", "ann@xy", false },
		{ "\"a@X\"@y", "\"a@x\"@y", false },
		{ "\"a@X\"@y", "\"a@X\"@Y", true },
		{ "a@bcd", "ab@cd", false },
		{ "a@\xc3\x9c.example", "a@xn--TDA.example", true },
		{ "A@\xc3\xbc.example", "a@xn--tda.example", false },
		{ "a@[IPv6:::1]", "a@[ipv6:::1]", true },
		{ "postmaster", "PostMaster", true },
		{ "postmaster", "a@postmast", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char a[ADDRESS_KEY_MAX], b[ADDRESS_KEY_MAX];
		size_t len = address_key(span_of(cases[i].a), a);

		assert_true(len > 0);
		assert_int_equal(len == address_key(span_of(cases[i].b), b) &&
		    memcmp(a, b, len) == 0, cases[i].same);
	}
}

static void
a_path_is_taken_off_the_front(void **state)
{
	static const struct {
		const char	 *line, *whole, *rest;
		enum address_kind kind;
	} cases[] = {
		{ "<> SIZE=1", "", " SIZE=1", ADDRESS_NULL },
		{ "<PostMaster>", "PostMaster", "", ADDRESS_POSTMASTER },
		{ "<root>", "root", "", ADDRESS_USER },
		{ "<postmasters> X", "postmasters", " X", ADDRESS_USER },
		{ "<\"a@b\">", "\"a@b\"", "", ADDRESS_USER },
		{ "<postmaster@x>", "postmaster@x", "", ADDRESS_DOMAIN },
		{ "<a@x>y", "a@x", "y", ADDRESS_DOMAIN },
		{ "<@r:a@x>", "a@x", "", ADDRESS_DOMAIN },
		{ "<@r,@[IPv6:::1]:a@x>", "a@x", "", ADDRESS_DOMAIN },
		{ "<\"a>b\"@x> ", "\"a>b\"@x", " ", ADDRESS_DOMAIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span line = span_of(cases[i].line);
		struct address a;

		assert_int_equal(address_path(&line, false, &a), OK);
		assert_span(a.whole, cases[i].whole);
		assert_span(line, cases[i].rest);
		assert_int_equal(a.kind, cases[i].kind);
	}
}

static void
a_bad_path_moves_nothing(void **state)
{
	static const char *const bad[] = {
		"", "<", "a@x", "<a@x", "<a", "<a.>", "< a@x>", "<a@x >",
		"<@r>",
		"<@r:>", "<@r a@x>", "<@:a@x>", "<<a@x>>", "<a >",
		"<a@x\r\nRCPT TO:<v@o>>", "<@r,a@x>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct span line = span_of(bad[i]);
		struct address a = { .is_utf8 = true };

		if (address_path(&line, false, &a) != ERR_PEER)
			fail_msg("taken: %s", bad[i]);
		assert_span(line, bad[i]);
		assert_true(a.is_utf8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_mailboxes_are_taken),
		cmocka_unit_test(bad_mailboxes_are_refused),
		cmocka_unit_test(nul_is_refused_everywhere),
		cmocka_unit_test(limits_hold_to_the_octet),
		cmocka_unit_test(a_domain_ends_at_255_octets),
		cmocka_unit_test(utf8_needs_leave_and_good_form),
		cmocka_unit_test(parts_are_spans_of_the_input),
		cmocka_unit_test(
		    mailboxes_are_equal_only_when_they_are_the_same_for_sure),
		cmocka_unit_test(a_path_is_taken_off_the_front),
		cmocka_unit_test(a_bad_path_moves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
