/* Dates of header fields, held against the C library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "mail/date.h"

static void
known_dates_are_right(void **state)
{
	char buf[DATE_TEXT_LEN + 1];

	(void)state;
	date_text(0, buf);
	assert_string_equal(buf, "Thu, 01 Jan 1970 00:00:00 +0000");
	date_text(1795234320999, buf);
	assert_string_equal(buf, "Sat, 21 Nov 2026 04:12:00 +0000");
	date_text(951782400000, buf);
	assert_string_equal(buf, "Tue, 29 Feb 2000 00:00:00 +0000");
}

static void
times_out_of_range_are_clamped(void **state)
{
	char buf[DATE_TEXT_LEN + 1];

	(void)state;
	date_text(INT64_MIN, buf);
	assert_string_equal(buf, "Thu, 01 Jan 1970 00:00:00 +0000");
	date_text(INT64_MAX, buf);
	assert_string_equal(buf, "Fri, 31 Dec 9999 23:59:59 +0000");
}

static void
every_day_is_as_the_library_has_it(void **state)
{
	char buf[DATE_TEXT_LEN + 1], want[64];

	(void)state;
	for (time_t t = 0; t < 253402300800; t += 86400 - 1) {
		struct tm tm;

		if (t > 8000000000 && t % 7 != 0)
			continue;
		assert_non_null(gmtime_r(&t, &tm));
		strftime(want, sizeof(want), "%a, %d %b %Y %T +0000", &tm);
		date_text((int64_t)t * 1000, buf);
		assert_string_equal(buf, want);
		assert_int_equal(strlen(buf), DATE_TEXT_LEN);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_dates_are_right),
		cmocka_unit_test(times_out_of_range_are_clamped),
		cmocka_unit_test(every_day_is_as_the_library_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
