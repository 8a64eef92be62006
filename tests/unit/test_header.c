/* Where the header section ends, at every split point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/header.h"

static const struct {
	const char	*text;
	size_t		 len;
	bool		 has_blank, is_8bit;
	unsigned	 received_cnt, has;
} cases[] = {
	{ "A: b\r\n\r\nbody", 8, true, false, 0, 0 },
	{ "\r\nbody", 2, true, false, 0, 0 },
	{ "", 0, false, false, 0, 0 },
	{ "A: b\r\n", 6, false, false, 0, 0 },
	{ "Received: x\r\nrECEIVED : y\r\n\tfolded: z\r\nDate:\r\n\r\n"
	    "Received:",
	    48, true, false, 2, HEADER_RECEIVED | HEADER_DATE },
	{ "Received-SPF: x\r\nReceive: y\r\nXReceived: z\r\n\r\n", 45, true,
	    false, 0, 0 },
	{ "Message-Id: a\r\nFROM: \xff\r\nreturn-path:\r\n\r\n\xff", 40, true,
	    true, 0, HEADER_MESSAGE_ID | HEADER_FROM | HEADER_RETURN_PATH },
	{ "A: b\r\n\r\n\xff", 8, true, false, 0, 0 },
	{ "Hello world\r\n\r\n", 0, false, false, 0, 0 },
	{ "Hello\r\n\r\n", 0, false, false, 0, 0 },
	{ "Hello", 0, false, false, 0, 0 },
	{ " A: b\r\n\r\n", 0, false, false, 0, 0 },
	{ ": b\r\n\r\n", 0, false, false, 0, 0 },
	{ "A\xff: b\r\n\r\n", 0, false, false, 0, 0 },
	{ "From me Mon Jan 1\r\nA: b\r\n\r\n", 0, false, false, 0, 0 },
	{ "A: b\r\nHello world\r\n\r\nReceived: x", 6, false, false, 0, 0 },
	{ "A: b\r\n \r\nC: d\r\n\r\n", 17, true, false, 0, 0 },
	{ "A: b\r\nHello\xff", 6, false, false, 0, 0 },
	{ "Received\r\n\r\n", 0, false, false, 0, 0 },
	{ "A-very-long-name-of-a-field: b\r\n\r\nx", 34, true, false, 0, 0 },
};

static void
feed_cut(struct header_scan *h, struct span text, size_t cut1, size_t cut2)
{
	const size_t to[] = { cut1, cut2, text.len };
	size_t at = 0;

	header_init(h);
	for (int i = 0; i < 3; at = to[i++]) {
		struct span part = { text.ptr + at, to[i] - at };
		bool was_done = h->done;
		size_t took = header_feed(h, part);

		assert_true(took <= part.len);
		assert_true(h->done || took == part.len);
		assert_true(!was_done || took == 0);
		if (h->has_blank && !was_done)
			assert_int_equal(at + took, h->len);
	}
	header_end(h);
	assert_true(h->done);
}

static void
the_section_ends_in_the_same_place_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span text = span_of(cases[i].text);
		struct header_scan h;

		for (size_t a = 0; a <= text.len; a++)
			for (size_t b = a; b <= text.len; b++) {
				feed_cut(&h, text, a, b);
				if (h.len != cases[i].len ||
				    h.has_blank != cases[i].has_blank ||
				    h.is_8bit != cases[i].is_8bit ||
				    h.received_cnt != cases[i].received_cnt ||
				    h.has != cases[i].has)
					fail_msg("row %zu at %zu %zu: %zu", i,
					    a, b, h.len);
			}
	}
}

static void
what_was_taken_too_early_is_given_back(void **state)
{
	struct header_scan h;

	(void)state;
	header_init(&h);
	assert_int_equal(header_feed(&h, SPAN("A: b\r\nHel")), 9);
	assert_int_equal(h.len, 9);
	assert_int_equal(header_feed(&h, SPAN("lo you\r\n")), 0);
	assert_true(h.done);
	assert_false(h.has_blank);
	assert_int_equal(h.len, 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_section_ends_in_the_same_place_at_every_split),
		cmocka_unit_test(what_was_taken_too_early_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
