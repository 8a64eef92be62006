/* Two names are one domain, however they are written, or they are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "mail/address.h"
#include "mail/domain.h"
#include "mail/pattern.h"

#define BUECHER	"b\xc3\xbc" "cher"
#define A_LABEL	"xn--bcher-kva"

static void
all_ways_to_write_a_domain_have_one_key(void **state)
{
	static const char *const cases[][2] = {
		{ BUECHER ".example", A_LABEL ".example" },
		{ "B\xc3\x9c" "CHER.Example", A_LABEL ".example" },
		{ "bu\xcc\x88" "cher.example", A_LABEL ".example" },
		{ "XN--BCHER-KVA.EXAMPLE.", A_LABEL ".example" },
		{ BUECHER "\xe3\x80\x82" "example", A_LABEL ".example" },
		{ BUECHER ".example.", A_LABEL ".example" },
		{ "stra\xc3\x9f" "e.example", "xn--strae-oqa.example" },
		{ "_dmarc." BUECHER, "_dmarc." A_LABEL },
		{ "MX1.Example.ORG", "mx1.example.org" },
		{ "\xd0\x9f\xd0\x9e\xd0\xa7\xd0\xa2\xd0\x90.example",
		    "xn--80a1acny.example" },
		{ "[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]" },
	};
	char key[DOMAIN_KEY_MAX], again[DOMAIN_KEY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = domain_key(span_of(cases[i][0]), key);

		assert_string_equal(key, cases[i][1]);
		assert_int_equal(len, strlen(key));
		assert_int_equal(domain_key(span_of(key), again), len);
		assert_string_equal(again, key);
		assert_true(domain_same(span_of(cases[i][0]),
		    span_of(cases[i][1])));
	}
	assert_false(domain_same(SPAN("strasse.example"),
	    SPAN("stra\xc3\x9f" "e.example")));
	assert_false(domain_same(SPAN(""), SPAN("")));
}

static void
what_is_no_domain_has_no_key(void **state)
{
	static const char *const cases[] = {
		"", ".", "a..b", ".a", "a b", "-a", "a-", "a@b", "a/b",
		"a\xef\xbc\xa0" "b", "\xe2\x84\x80.example", "\xff.example",
		"\xf0\x9f\x92\xa9.example", "\xc2\xad", "\xc3\xbc-.example",
		"\xd9\xa3" "a.example", "\xc3\xbc..example", "[192.0.2.1",
	};
	char key[DOMAIN_KEY_MAX] = "kept", wide[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(domain_key(span_of(cases[i]), key), 0);
	for (size_t i = 0; i < sizeof(wide); i += 2)
		memcpy(wide + i, "\xc3\xbc", 2);
	assert_int_equal(domain_key((struct span){ wide, sizeof(wide) }, key),
	    0);
	assert_int_equal(domain_key((struct span){ wide, 200 }, key), 0);
	assert_int_equal(domain_key((struct span){ "a\0b", 3 }, key), 0);
	assert_string_equal(key, "kept");
}

static void
no_mailbox_has_a_domain_without_an_a_label(void **state)
{
	struct address a;

	(void)state;
	assert_int_equal(address_parse(SPAN("a@" BUECHER), true, &a), OK);
	assert_int_equal(address_parse(SPAN("a@" BUECHER), false, &a),
	    ERR_NONE);
	assert_int_equal(address_parse(SPAN("a@\xe2\x84\x80.x"), true, &a),
	    ERR_PEER);
	assert_int_equal(address_parse(SPAN("a@\xef\xbc\xa0.x"), true, &a),
	    ERR_PEER);
}

static bool
fits(struct span pattern, const char *address)
{
	struct patterns *p;
	struct address a;
	bool found;
	uint32_t no;

	assert_int_equal(pattern_new(&p), OK);
	assert_int_equal(pattern_add(p, pattern, 0), OK);
	assert_int_equal(address_parse(span_of(address), true, &a), OK);
	found = pattern_find(p, &a, &no);
	pattern_free(&p);
	return found;
}

static void
what_is_taken_for_a_pattern_can_be_added(void **state)
{
	static const struct { const char *text; bool is_good; } cases[] = {
		{ "ann@" BUECHER ".example.", true },
		{ "@x.example.", true }, { "@.x.example.", true },
		{ "@" BUECHER ".example", true }, { "@[192.0.2.1]", true },
		{ "@x.example..", false }, { "@.", false }, { "@", false },
		{ "@..x.example", false }, { "@[192.0.2.1].", true },
		{ "a..b@x.example", false }, { "ann", false }, { "", false },
		{ "@\xf0\x9f\x92\xa9.example", false },
		{ "a@\xe2\x84\x80.example", false },
	};
	struct patterns *p;

	(void)state;
	assert_int_equal(pattern_new(&p), OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span text = span_of(cases[i].text);

		assert_int_equal(pattern_is_good(text), cases[i].is_good);
		assert_int_equal(pattern_add(p, text, 0),
		    cases[i].is_good ? OK : ERR_PEER);
	}
	pattern_free(&p);
	assert_true(fits(SPAN("@" BUECHER ".example."),
	    "ann@" A_LABEL ".example"));
}

static void
a_pattern_fits_a_domain_however_both_are_written(void **state)
{
	static const char *const ways[] = {
		BUECHER ".example", A_LABEL ".example",
		("B\xc3\x9c" "CHER.example"), "xn--BCHER-kva.EXAMPLE",
	};
	char pattern[64], address[64];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 4; k++) {
			snprintf(address, sizeof(address), "Ann@%s", ways[k]);
			snprintf(pattern, sizeof(pattern), "@%s", ways[i]);
			assert_true(fits(span_of(pattern), address));
			snprintf(pattern, sizeof(pattern), "ann@%s", ways[i]);
			assert_true(fits(span_of(pattern), address));
			snprintf(address, sizeof(address), "ann@mx.%s",
			    ways[k]);
			assert_false(fits(span_of(pattern), address));
			snprintf(pattern, sizeof(pattern), "@.%s", ways[i]);
			assert_true(fits(span_of(pattern), address));
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_ways_to_write_a_domain_have_one_key),
		cmocka_unit_test(what_is_no_domain_has_no_key),
		cmocka_unit_test(no_mailbox_has_a_domain_without_an_a_label),
		cmocka_unit_test(what_is_taken_for_a_pattern_can_be_added),
		cmocka_unit_test(
		    a_pattern_fits_a_domain_however_both_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
