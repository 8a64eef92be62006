/* duty.c - RFC 3461 5.2.2 to 5.2.6, a case each. */
#include "mail/dsn.h"
#include "queue/bounce/duty.h"

/*
 * Success is reported once: by the next hop where it took that over (5.2.1),
 * by us where the message stays (5.2.3), or where the next server would say
 * nothing (5.2.2 b).
 */
static enum report
success(const struct duty *d)
{
	if (!d->has_sender || !dsn_wants(d->notify, DSN_SUCCESS) ||
	    d->flags & RESULT_PASSED)
		return REPORT_NONE;
	return d->flags & RESULT_FINAL ? REPORT_DELIVERED : REPORT_RELAYED;
}

enum report
duty_report(const struct duty *d)
{
	switch (d->class) {
	case CLASS_DONE:
		return success(d);
	case CLASS_NEVER:
		return dsn_wants(d->notify, DSN_FAILURE) ? REPORT_FAILED :
		    REPORT_NONE;
	default:
		return d->has_sender && d->is_old && !d->is_warned &&
		    dsn_wants(d->notify, DSN_DELAY) ? REPORT_DELAYED :
		    REPORT_NONE;
	}
}
