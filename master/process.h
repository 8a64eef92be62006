/*
 * process - one child: started, set up, watched, ended.
 *
 * Blocks  no
 */
#ifndef MASTER_PROCESS_H
#define MASTER_PROCESS_H

#include "master/supervisor.h"

/*
 * A new one, not running, for a row of the plan, whose slice it takes; the
 * folder is taken.  NULL: no memory, or no page of counters.
 */
struct process	*process_new(struct supervisor *, struct plan *, uint32_t row,
		    struct folder *);

/* Run it, now; when that fails it is tried again later. */
void		 process_start(struct process *);

/*
 * The same for one that waits to be started anew, or is not to be any more,
 * and may have been mended.  Nothing when it runs.
 */
void		 process_retry(struct process *);

/* Give it what another plan says of it, as it runs; taken as above. */
void		 process_renew(struct process *, struct plan *, uint32_t row,
		    struct folder *);

/* The same slice with its files opened anew; the folder is taken. */
void		 process_refile(struct process *, struct folder *);

/*
 * Have it finish and end for good.  After patience_ms it is killed.  May free
 * it, when it is not running.
 */
void		 process_drain(struct process *, uint32_t patience_ms);

/* Kill it; it will be reaped, and started again unless it was leaving. */
void		 process_kill(struct process *, const char *why);

/*
 * It has died.  Starts it again in time, unless its store may be damaged; or
 * frees it when it was leaving.
 */
void		 process_ended(struct process *, int status);

/*
 * Has it answered, or ended since?  False for one that does not even die when
 * it is killed.
 */
bool		 process_answers(const struct process *);

/* Ask whether it still lives; kill it when it has been silent too long. */
void		 process_ping(struct process *, uint64_t turn);

#endif
