/*
 * date.c - the calendar by arithmetic: gmtime_r() may open the time zone file,
 * and a locked-in process has none.  Years are counted from March, so that the
 * leap day is the last of its year.
 */
#include <stdio.h>

#include "mail/date.h"

#define DAY_S		86400
#define LAST_S		253402300799ll	/* 9999-12-31 23:59:59 */
#define ERA_DAYS	146097		/* 400 years */
#define MARCH_DAYS	719468		/* from 0000-03-01 to 1970-01-01 */

static const char *const weekdays[] = {
	"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
};

static const char *const months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

struct day {
	unsigned	 year, month, mday;	/* month from 0, mday from 1 */
};

static struct day
day_of(unsigned days)
{
	unsigned all = days + MARCH_DAYS;
	unsigned era = all / ERA_DAYS, in_era = all % ERA_DAYS;
	unsigned year = (in_era - in_era / 1460 + in_era / 36524 -
	    in_era / 146096) / 365;
	unsigned yday = in_era - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * yday + 2) / 153;	/* from 0, March */
	struct day d;

	d.mday = yday - (153 * month + 2) / 5 + 1;
	d.month = (month + 2) % 12;
	d.year = era * 400 + year + (d.month < 2 ? 1 : 0);
	return d;
}

void
date_text(int64_t ms, char *buf)
{
	int64_t s = ms < 0 ? 0 : ms / 1000;
	unsigned days, in_day;
	struct day d;

	if (s > LAST_S)
		s = LAST_S;
	days = (unsigned)(s / DAY_S);
	in_day = (unsigned)(s % DAY_S);
	d = day_of(days);
	/* The remainders change nothing; they show the compiler the widths. */
	snprintf(buf, DATE_TEXT_LEN + 1,
	    "%s, %02u %s %04u %02u:%02u:%02u +0000",
	    weekdays[(days + 4) % 7], d.mday % 100, months[d.month],
	    d.year % 10000,
	    in_day / 3600, in_day / 60 % 60, in_day % 60);
}
