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
	bool		 has_odd;
	size_t		 mbox_len;
} cases[] = {
	{ "A: b\r\n\r\nbody", 8, true, false, 0, 0, false, 0 },
	{ "\r\nbody", 2, true, false, 0, 0, false, 0 },
	{ "", 0, false, false, 0, 0, false, 0 },
	{ "A: b\r\n", 6, false, false, 0, 0, false, 0 },
	{ "Received: x\r\nrECEIVED : y\r\n\tfolded: z\r\nDate:\r\n\r\n"
	    "Received:",
	    48, true, false, 2, HEADER_RECEIVED | HEADER_DATE, false, 0 },
	{ "Received-SPF: x\r\nReceive: y\r\nXReceived: z\r\n\r\n", 45, true,
	    false, 0, 0, false, 0 },
	{ "Message-Id: a\r\nFROM: \xff\r\nreturn-path:\r\n\r\n\xff", 40, true,
	    true, 0, HEADER_MESSAGE_ID | HEADER_FROM | HEADER_RETURN_PATH,
	    false, 0 },
	{ "A: b\r\n\r\n\xff", 8, true, false, 0, 0, false, 0 },
	{ "A: b\r\n \r\nC: d\r\n\r\n", 17, true, false, 0, 0, false, 0 },
	/* lines that are no field */
	{ "Hello world\r\n\r\nx", 15, true, false, 0, 0, true, 0 },
	{ "Hello\r\n\r\nx", 9, true, false, 0, 0, true, 0 },
	{ " A: b\r\n\r\nx", 9, true, false, 0, 0, true, 0 },
	{ ": b\r\n\r\nx", 7, true, false, 0, 0, true, 0 },
	{ "A\xff: b\r\n\r\nx", 9, true, true, 0, 0, true, 0 },
	{ "A: b\r\nHello world\r\nReceived: x\r\nyet more\r\nDate: z\r\n"
	    "\r\nReceived: x", 53, true, false, 1,
	    HEADER_RECEIVED | HEADER_DATE, true, 0 },
	{ "A: b\r\nHello\xff\r\n c\r\nDate: d\r\n", 27, false, true, 0,
	    HEADER_DATE, true, 0 },
	{ "Received\r\n\r\n", 12, true, false, 0, 0, true, 0 },
	/* the line of a mbox */
	{ "From me Mon Jan 1\r\nDate: b\r\n\r\nx", 30, true, false, 0,
	    HEADER_DATE, true, 19 },
	{ "From - Mon Jan 1\r\nDate: b\r\n", 27, false, false, 0,
	    HEADER_DATE, true, 18 },
	{ "From\tme\r\n\r\nA: b", 11, true, false, 0, 0, true, 0 },
	{ "From now on\r\nyou are alone\r\nA: b\r\n", 34, false, false, 0,
	    0, true, 0 },
	{ "From : a@b\r\nFrom me\r\nDate: c\r\n\r\n", 32, true, false, 0,
	    HEADER_FROM | HEADER_DATE, true, 0 },
	{ "From \r\nDate: c\r\n\r\n", 18, true, false, 0, HEADER_DATE,
	    true, 0 },
	{ "Frog me\r\nDate: c\r\n\r\n", 20, true, false, 0, HEADER_DATE,
	    true, 0 },
	{ "A-very-long-name-of-a-field: b\r\n\r\nx", 34, true, false, 0, 0,
	    false, 0 },
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
				    h.has != cases[i].has ||
				    h.has_odd != cases[i].has_odd ||
				    h.mbox_len != cases[i].mbox_len)
					fail_msg("row %zu at %zu %zu: %zu", i,
					    a, b, h.len);
			}
	}
}

static void
a_section_that_is_cut_ends_with_a_line(void **state)
{
	struct header_scan h;

	(void)state;
	header_init(&h);
	assert_int_equal(header_feed(&h, SPAN("A: b\r\nHel")), 9);
	header_cut(&h);
	assert_true(h.done);
	assert_int_equal(h.len, 6);
	assert_int_equal(header_feed(&h, SPAN("lo you\r\n")), 0);
	header_init(&h);
	assert_int_equal(header_feed(&h, SPAN("A: b\r\nHello\r\n")), 13);
	header_cut(&h);
	assert_int_equal(h.len, 13);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_section_ends_in_the_same_place_at_every_split),
		cmocka_unit_test(a_section_that_is_cut_ends_with_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
