/*
 * fault - what the deaths of a process in a row come to: when it is started
 * again, whether at all, and the one sentence that is said of it.
 *
 * Three things are told apart.  A death now and then costs a short wait that
 * doubles.  One that never comes to work ends at each start: FAULT_STARTS of
 * them in a row are named, and from then on it is tried each FAULT_SLOW_MS,
 * without a line from us.  And the end that a damaged store explains (a signal
 * of a bad memory access, for a store is a mapped file, or BOOT_DAMAGED): the
 * second in a row, FAULT_SOUND_MS of life between them being no row any more,
 * is named and is the last; what would be started could only harm more.
 *
 * Blocks  no
 */
#ifndef MASTER_FAULT_H
#define MASTER_FAULT_H

#include <stdbool.h>
#include <stdint.h>


#define FAULT_STARTS	8	/* that fail before it is named	*/
#define FAULT_SLOW_MS	30000	/* between starts of one so named */
#define FAULT_FORGET_MS	10000	/* a life so long clears the waits */
#define FAULT_SOUND_MS	60000	/* and one so long, suspicion	*/
#define FAULT_NOT_STARTED (-1)	/* in place of a status		*/
#define FAULT_WHY_MAX	960	/* bytes with NUL; a STR of the bus	*/

struct fault {
	unsigned	 fails;		/* deaths in a row		*/
	unsigned	 starts;	/* in a row that did not come to work */
	unsigned	 suspects;	/* of those that damage explains */
	bool		 is_over;	/* not to be started any more	*/
	char		 why[FAULT_WHY_MAX];	/* the sentence, or ""	*/
};

/* All is forgotten: somebody has mended what was broken, or says so. */
void	fault_clear(struct fault *);

/* It works, from now on: what was said of it is so no longer. */
void	fault_works(struct fault *);

/*
 * It has died, as waitpid() says in status (or FAULT_NOT_STARTED), after so
 * long a life, in which it had come to work or not.  store: the directory of
 * its store, or "".  True: why is new and to be said.
 */
bool	fault_died(struct fault *, int status, int64_t life_ms, bool worked,
	    const char *store);

/* After how long it is to be started, unless it is over. */
int64_t	fault_wait_ms(const struct fault *);

/* It was named: of what is more of the same nothing is said. */
bool	fault_is_named(const struct fault *);

#endif
