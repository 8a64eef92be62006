/*
 * status - what status shows: processes with their counters, listeners and
 * queues, as control told them.
 *
 * Blocks  until all is told
 */
#ifndef CTL_TOOL_STATUS_H
#define CTL_TOOL_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "ctl/tool/run.h"
#include "sys/counters.h"
#include "sys/roles.h"

#define STATUS_WHERE_MAX	128

struct status_process {
	enum role	 role;
	char		 block[BLOCK_NAME_MAX + 1];
	uint32_t	 no, start, pid;
	uint16_t	 worker, workers;
	uint64_t	 up_ms;
	enum process_state state;
	char		 why[BUS_STR_MAX + 1];	/* it is in trouble, or "" */
	bool		 has_counters;
	uint64_t	 counters[COUNTER__COUNT];
};

struct status_listener {
	char		 block[BLOCK_NAME_MAX + 1];
	char		 where[STATUS_WHERE_MAX];
};

struct status_queue {
	char		 name[BLOCK_NAME_MAX + 1];
	bool		 is_away;	/* the numbers are not known	*/
	enum queue_full	 full;
	uint64_t	 messages, deliveries, active, held;
	uint64_t	 oldest_ms;	/* wall clock; 0 there is none	*/
	uint64_t	 quarantined;	/* rows that cannot be used	*/
	uint32_t	 suspended;	/* relays and destinations	*/
	bool		 lost;		/* mail waits, none known to be due */
	uint32_t	 down;		/* destinations			*/
	uint64_t	 disk_free, disk_size;	/* bytes; 0: has none	*/
	enum queue_utf8	 utf8;
	char		 utf8_relay[BLOCK_NAME_MAX + 1]; /* that takes none */
	enum hop_utf8	 utf8_hop;	/* what is known of its hop	*/
};

struct status {
	uint32_t	 generation;
	uint64_t	 up_ms;
	struct status_process *processes;
	size_t		 process_cnt, process_cap;
	struct status_listener *listeners;
	size_t		 listener_cnt, listener_cap;
	struct status_queue *queues;
	size_t		 queue_cnt, queue_cap;
};

/* Ask for all of it.  *h is zeroed first; status_fini() it in any case. */
enum run_end	 status_ask(struct talk *, struct status *h);
void		 status_fini(struct status *);

/* Does a process of that role use the counter?  See counters.def. */
bool		 status_counts(enum role, enum counter);

const char	*status_state(enum process_state);

#endif
