/*
 * health - what of a status wants somebody's attention, and how badly.
 *
 * Pure: the time is the caller's.
 */
#ifndef CTL_TOOL_HEALTH_H
#define CTL_TOOL_HEALTH_H

#include <stdio.h>

#include "ctl/tool/status.h"

/* Exit status of posternctl status, and that of a plugin of Nagios. */
enum health { HEALTH_GOOD, HEALTH_ATTENTION, HEALTH_TROUBLE };

/* From so many messages, from such an age on; 0: never. */
struct health_limits {
	uint64_t	 count[HEALTH_TROUBLE + 1];
	uint64_t	 age_ms[HEALTH_TROUBLE + 1];
};

/* One thing that is wrong: "relay", "world", "is down".  NULL: nobody asks. */
typedef void health_fn(enum health, const char *role, const char *block,
    const char *what, void *arg);

/* The worst of all. */
enum health	 health_of(const struct status *, const struct health_limits *,
		    int64_t now_ms, health_fn *, void *arg);

/* Sums over all queues; oldest_ms: age of the oldest, 0: there is none. */
struct health_sums {
	uint64_t	 messages, held, down, oldest_ms, quarantined;
};
void		 health_sum(const struct status *, int64_t now_ms,
		    struct health_sums *);

/* One line, as plugins of Nagios say it. */
enum health	 health_print_check(FILE *, const struct status *,
		    const struct health_limits *, int64_t now_ms);

/* All that is known, in the text format of Prometheus. */
void		 health_print_prometheus(FILE *, const struct status *);

#endif
