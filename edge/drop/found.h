/*
 * found - the names of files that were found and wait for their turn, a line
 * for each user, who take turns: nobody waits for another's hundred thousand.
 *
 * What is over the bounds is not kept, and found again once these are done.
 *
 * Owns	   the names
 * Errors  ERR_FULL as many as it holds, of that user or in all; no memory
 */
#ifndef EDGE_DROP_FOUND_H
#define EDGE_DROP_FOUND_H

#include <sys/queue.h>

#include <stdint.h>

#include "base/err.h"

#define FOUND_MAX	16384u	/* names in all				*/
#define FOUND_USER_MAX	1024u	/* of one user				*/
#define FOUND_USERS_MAX	1024u	/* who have some			*/
#define FOUND_NAME_MAX	255u	/* bytes of one without NUL		*/

struct found_user;

struct found {
	TAILQ_HEAD(found_users, found_user) users; /* whose turn it is: first */
	unsigned	 cnt, user_cnt;
};

void	found_init(struct found *);
MUST_CHECK enum err found_add(struct found *, uint32_t uid, const char *name);
/* The next one, into a buffer of FOUND_NAME_MAX + 1; ERR_NONE: none is left. */
MUST_CHECK enum err found_take(struct found *, char *name);
void	found_clear(struct found *);

#endif
