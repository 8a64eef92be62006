/*
 * asking - what queues ask about users: the courier's children answer, and what
 * they wrote is read when they have ended, for a pipe holds all of it.
 *
 * So many children at the same time; further questions wait for one, in their
 * order, and those that find no room, or that nobody waits for any more, are
 * answered with "later".  A child that hangs, in a home of another host or by a
 * trick of its user, is killed.
 *
 * Owns	   a pipe for each question under way
 * Blocks  never
 */
#ifndef RELAY_LOCAL_ASKING_H
#define RELAY_LOCAL_ASKING_H

#include <sys/queue.h>

#include "base/limits.h"
#include "conf/slice/slice.h"
#include "relay/attempts.h"
#include "relay/pipe/launcher.h"
#include "sys/ev.h"

#define ASKING_RUNS	32	/* at the same time			*/
#define ASKING_MAX	4096	/* with those that wait			*/
#define ASKING_MS	4500	/* for an answer: less than a queue waits */

struct asking_row {
	TAILQ_ENTRY(asking_row) entry;
	struct attempts_queue *queue;
	uint32_t	 start;		/* of its process		*/
	uint64_t	 no;		/* its number			*/
	uint64_t	 run;		/* the launcher's		*/
	int64_t		 until_ms;
	int		 out;
	size_t		 len;
	char		 rcpt[PATH_MAX_SMTP];
};

TAILQ_HEAD(asking_rows, asking_row);

struct asking {
	struct launcher	*launcher;
	const struct slice *block;
	bool		 by_names;	/* the launcher has a program, which a
					 * question does not run	*/
	uint64_t	*last_run;	/* numbers are the launcher's	*/
	struct asking_rows waiting, running;
	unsigned	 cnt, run_cnt;
	struct timer	 patience;
};

/* All borrowed. */
void	asking_init(struct asking *, struct ev_loop *, struct launcher *,
	    const struct slice *, bool by_names, uint64_t *last_run);
void	asking_begin(struct asking *, struct attempts_queue *, uint64_t no,
	    struct span rcpt);
/* A run is over; it may be another's. */
void	asking_ended(struct asking *, uint64_t run, int status);
bool	asking_is_busy(const struct asking *);

#endif
