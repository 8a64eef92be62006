/*
 * hash - checking passwords against crypt(3) hashes on threads of our own, so
 * that the loop never waits for one, nor a cheap hash for a dear one.
 *
 * At most HASH_USER_MAX checks of one user and HASH_CLIENT_MAX for one client
 * run at the same time: who tries passwords by the dozen waits for himself, and
 * a dear hash leaves room for others, even behind one address.  Of those that
 * wait, first comes the asker that was served longest ago; of his, first the
 * clients that are good, then whose network was served longest ago, and within
 * it the client.  Where the room is full, the asker that holds most of it gives
 * way, of his the network that does, and within it the client: what an edge
 * says of its clients costs itself alone.
 *
 * Owns	   its threads; copies of what is being checked, wiped when done
 * Blocks  hash_open() and hash_close() only
 * Errors  ERR_SYS; ERR_FULL too many wait, or no memory
 */
#ifndef VAULT_HASH_H
#define VAULT_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "sys/ev.h"

#define HASH_THREADS	4
#define HASH_USER_MAX	2	/* running, of one user			*/
#define HASH_CLIENT_MAX	3	/* running, for one client		*/
#define HASH_WAITING_SAME 32	/* waiting, likewise			*/
#define HASH_WAITING_PAIR 8	/* of one user for one client: nobody alone
				 * can keep a user out by his name	*/
#define HASH_WAITING_MAX 256	/* in all				*/

struct hash_pool;

enum hash_verdict {
	HASH_BAD,	/* another password, or no user			*/
	HASH_GOOD,
	HASH_GAVE_WAY,	/* to others who wait; it was not looked at	*/
	HASH_CANNOT	/* it takes more memory than there is: nobody knows */
};

/* All spans are borrowed for the call. */
struct hash_question {
	struct span	 user, client, password;
	struct span	 setting;	/* a hash, or empty		*/
	bool		 is_stand_in;	/* it is somebody else's	*/
	uint64_t	 network;	/* of the client: any number	*/
	bool		 is_good;	/* the client goes first	*/
};

/* asker, request and the question are hash_check()'s. */
typedef void hash_fn(uint64_t asker, uint64_t request, enum hash_verdict,
	    const struct hash_question *, void *arg);

/* Start the threads.  fn is called from the loop. */
MUST_CHECK enum err hash_open(struct hash_pool **out, struct ev_loop *,
	    hash_fn *, void *arg);
/* Waits for what runs; fn is not called any more. */
void	hash_close(struct hash_pool **);

/*
 * Is password the one that setting is the hash of?  A stand-in is for a user
 * that does not exist: the work is done all the same, and the answer is no; an
 * empty setting likewise, with a hash of the usual kind.
 */
MUST_CHECK enum err hash_check(struct hash_pool *,
	    const struct hash_question *, uint64_t asker, uint64_t request);

/* Nobody waits for this asker's answers any more. */
void	hash_forget(struct hash_pool *, uint64_t asker);

/* Checks waiting or running. */
unsigned hash_cnt(const struct hash_pool *);

#endif
