/* clock.c - clock_gettime() in milliseconds; it cannot fail for these two. */
#include <time.h>

#include "sys/clock.h"

static int64_t
read_ms(clockid_t which)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(which, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t
clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}
