/*
 * counters - the page of numbers that a process keeps for control to read.
 *
 * Each process has one page, made by master, which outlives it: written by the
 * process alone, read by control.  Before counters_open() counting goes to a
 * page nobody sees, so that no caller need ask.
 *
 * Owns	   the mapping
 * Blocks  never; counting is one addition
 * Errors  ERR_SYS
 */
#ifndef SYS_COUNTERS_H
#define SYS_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define COUNTERS_PAGE	4096		/* bytes of the page		*/

enum counter {
#define COUNTER(name, who, meaning)	COUNTER_##name,
#define GAUGE(name, who, meaning)	COUNTER_##name,
#include "sys/counters.def"
	COUNTER__COUNT
};

struct counter_row {
	const char	*name;
	const char	*who;
	const char	*meaning;
	bool		 is_gauge;
};

const struct counter_row	*counter_row(enum counter);

/* Count on this page from now on; gauges begin at 0.  fd is borrowed. */
MUST_CHECK enum err	 counters_open(int fd);

void	 counter_add(enum counter, uint64_t n);
void	 counter_set(enum counter, uint64_t n);

/*
 * A new page, all zero, whose size nobody can change; and the same once more,
 * to be read only.  The descriptors are yours.
 */
MUST_CHECK enum err	 counters_make(int *out_fd);
MUST_CHECK enum err	 counters_reader(int *out_fd, int fd);

/*
 * The other side: map a page to read it; NULL on error.  fd is borrowed.
 * counters_read() copies all of them out.
 */
const void	*counters_map(int fd);
void		 counters_unmap(const void *page);
void		 counters_read(const void *page, uint64_t out[COUNTER__COUNT]);

#endif
