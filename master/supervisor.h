/*
 * supervisor - all that master knows: the processes, who is linked to whom, and
 * what the house as a whole is doing.
 *
 * Owns	   processes, pairs, listeners
 * Blocks  no
 */
#ifndef MASTER_SUPERVISOR_H
#define MASTER_SUPERVISOR_H

#include <sys/queue.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "bus/link.h"
#include "conf/slice/plan.h"
#include "master/fault.h"
#include "master/folder.h"
#include "master/listen.h"
#include "master/plan.h"
#include "sys/ev.h"
#include "sys/sandbox.h"

struct supervisor;

struct process {
	TAILQ_ENTRY(process) entry;
	struct supervisor	*supervisor;
	struct link_peer id;		/* no: never used twice; start
					 * counts its lives		*/
	struct plan_process row;
	int		 slice_fd;
	struct folder	*folder;	/* its files			*/
	struct plan_endpoint endpoints[PLAN_ENDPOINTS_MAX];
	LIST_HEAD(, dial) dials;	/* connections under way for it	*/
	unsigned	 dial_cnt;
	int		 counters_fd;	/* its page, through all its lives */
	int		 marks_fd;	/* of its block, if a relay's; or -1 */
	uint32_t	 generation;	/* of its slice			*/
	pid_t		 pid;		/* 0: not running		*/
	struct link	*link;		/* NULL: not running, or given up */
	bool		 is_ready;
	bool		 is_leaving;	/* told to end, for good	*/
	int64_t		 started_ms;
	int64_t		 ping_ms;	/* ping not answered yet, or 0	*/
	struct fault	 fault;		/* what its deaths come to	*/
	bool		 has_worked;	/* in this life		*/
	struct timer	 again;		/* until it is started anew	*/
	struct timer	 patience;	/* until it is killed		*/
	uint64_t	 held;		/* a queue's answer to reload	*/
	bool		 is_asked, has_answered;

	/* Of pair.c, through all its lives. */
	unsigned	 alone_cnt;	/* accusations that nobody shared */
	int64_t		 alone_ms;	/* since then			*/
	char		 accuser[BLOCK_NAME_MAX + 1];	/* the last, or "" */
	int64_t		 accused_ms;
};

/* Two processes that have a link; `from` asks, `to` answers. */
struct pair {
	TAILQ_ENTRY(pair) entry;
	struct process	*from, *to;
	unsigned	 lost_cnt;	/* since lost_since_ms		*/
	int64_t		 lost_since_ms;
	bool		 from_late, to_late; /* has yet to report the loss
					 * the other has reported	*/
	unsigned	 blamed_cnt;	/* of the one that is deeper, since */
	int64_t		 blamed_since_ms;
	bool		 is_resting;	/* no link until the timer rings */
	struct timer	 again;		/* when no link could be made	*/
};

/* What control has asked and waits for; one of a kind at a time. */
struct query {
	bool		 is_open;
	uint32_t	 request;
	uint32_t	 no;		/* of the process it is about	*/
	struct timer	 patience;
};

/* What becomes true when all processes are ready. */
enum awaited { AWAIT_NOTHING, AWAIT_START, AWAIT_RELOAD };

struct supervisor {
	struct ev_loop	*loop;
	TAILQ_HEAD(, process) processes;
	TAILQ_HEAD(, pair) pairs;
	struct listeners listeners;
	const char	*file;		/* the configuration		*/
	char		 run_dir[PLAN_PATH_MAX];
	enum sandbox_wish wish;
	bool		 debug, is_root;
	uint32_t	 next_no, generation;
	enum awaited	 awaited;
	bool		 edges_wait;	/* for all others to be ready	*/
	struct timer	 edges;		/* but no longer than this	*/
	struct timer	 ping, alive;
	uint64_t	 ping_turn;
	int		 stage;		/* of stopping, -1: we run	*/
	bool		 is_hurried;	/* told to stop twice		*/
	struct plan	*next;		/* a reload that waits for queues */
	struct timer	 answers;	/* their patience		*/
	bool		 reload_again;
	struct query	 reload_query, users_query;
	int64_t		 started_ms;	/* of this house		*/
	int64_t		 reloaded_ms;	/* the end of the last try	*/
};

/* In place; loop and file are borrowed. */
void	supervisor_init(struct supervisor *, struct ev_loop *, const char *file,
	    bool debug);

/* Start what a first plan wants.  Takes slices out of the plan. */
MUST_CHECK enum err supervisor_start(struct supervisor *, struct plan *);

/*
 * See whether what we wait for has come true.  Nobody waits for a process that
 * was named for not coming to work: the others have work to do.
 */
void	supervisor_look(struct supervisor *);

/* Collect the children that have died. */
void	supervisor_reap(struct supervisor *);

#endif
