/*
 * date - the date and time of a header field: RFC 5322 3.3.
 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include <stdint.h>

#define DATE_TEXT_LEN	31	/* "Sat, 21 Nov 2026 04:12:00 +0000" */

/*
 * Write ms, milliseconds since 1970 UTC, with a NUL into buf of DATE_TEXT_LEN
 * + 1 bytes.  Always UTC, always that long.  Times before 1970 read as 1970,
 * those after 9999 as the last second of it.
 */
void	date_text(int64_t ms, char *buf);

#endif
