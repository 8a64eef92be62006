/*
 * test_queue_duty - which report is due: RFC 3461 5.2, NOTIFY by outcome by
 * what the next hop can do.
 * room: queue
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mail/dsn.h"
#include "queue/bounce/duty.h"

#define S	DSN_SUCCESS
#define F	DSN_FAILURE
#define D	DSN_DELAY

static enum report
due(enum outcome_class class, unsigned flags, unsigned notify)
{
	return duty_report(&(struct duty){ .class = class, .flags = flags,
	    .notify = (uint8_t)notify, .has_sender = true, .is_old = true });
}

static void
each_notify_and_outcome_has_its_report(void **state)
{
	/* By NOTIFY: final, no DSN there, DSN there, failed, still waiting. */
	static const struct {
		unsigned	 notify;
		enum report	 final, relayed, passed, failed, waiting;
	} rows[] = {
		{ 0, REPORT_NONE, REPORT_NONE, REPORT_NONE, REPORT_FAILED,
		    REPORT_DELAYED },
		{ DSN_NEVER, REPORT_NONE, REPORT_NONE, REPORT_NONE,
		    REPORT_NONE, REPORT_NONE },
		{ S, REPORT_DELIVERED, REPORT_RELAYED, REPORT_NONE,
		    REPORT_NONE, REPORT_NONE },
		{ F, REPORT_NONE, REPORT_NONE, REPORT_NONE, REPORT_FAILED,
		    REPORT_NONE },
		{ D, REPORT_NONE, REPORT_NONE, REPORT_NONE, REPORT_NONE,
		    REPORT_DELAYED },
		{ S | F, REPORT_DELIVERED, REPORT_RELAYED, REPORT_NONE,
		    REPORT_FAILED, REPORT_NONE },
		{ S | D, REPORT_DELIVERED, REPORT_RELAYED, REPORT_NONE,
		    REPORT_NONE, REPORT_DELAYED },
		{ F | D, REPORT_NONE, REPORT_NONE, REPORT_NONE,
		    REPORT_FAILED, REPORT_DELAYED },
		{ S | F | D, REPORT_DELIVERED, REPORT_RELAYED, REPORT_NONE,
		    REPORT_FAILED, REPORT_DELAYED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned n = rows[i].notify;

		assert_int_equal(due(CLASS_DONE, RESULT_FINAL, n),
		    rows[i].final);
		assert_int_equal(due(CLASS_DONE, 0, n), rows[i].relayed);
		assert_int_equal(due(CLASS_DONE, RESULT_PASSED, n),
		    rows[i].passed);
		assert_int_equal(due(CLASS_NEVER, 0, n), rows[i].failed);
		assert_int_equal(due(CLASS_LATER, 0, n), rows[i].waiting);
	}
}

static void
a_delay_is_told_when_old_and_once(void **state)
{
	struct duty d = { .class = CLASS_LATER, .has_sender = true };

	(void)state;
	assert_int_equal(duty_report(&d), REPORT_NONE);
	d.is_old = true;
	assert_int_equal(duty_report(&d), REPORT_DELAYED);
	d.is_warned = true;
	assert_int_equal(duty_report(&d), REPORT_NONE);
}

/* That a report failed is not told to anybody, but not passed over either. */
static void
to_nobody_nothing_is_told_but_failures_show(void **state)
{
	struct duty d = { .class = CLASS_LATER, .is_old = true };

	(void)state;
	assert_int_equal(duty_report(&d), REPORT_NONE);
	d.class = CLASS_DONE;
	d.notify = S;
	assert_int_equal(duty_report(&d), REPORT_NONE);
	d.class = CLASS_NEVER;
	d.notify = 0;
	assert_int_equal(duty_report(&d), REPORT_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_notify_and_outcome_has_its_report),
		cmocka_unit_test(a_delay_is_told_when_old_and_once),
		cmocka_unit_test(to_nobody_nothing_is_told_but_failures_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
