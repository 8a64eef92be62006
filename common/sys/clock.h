/*
 * clock - the two times there are.  Monotonic milliseconds for timers and
 * durations; wall milliseconds since 1970 UTC for what is written down.
 */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stdint.h>

int64_t	clock_mono_ms(void);
int64_t	clock_wall_ms(void);

#endif
