/*
 * hash - checking passwords against crypt(3) hashes on threads of our own, so
 * that the loop never waits for one, nor a cheap hash for a dear one.
 *
 * At most HASH_USER_MAX checks of one user and HASH_CLIENT_MAX for one client
 * run at the same time: who tries passwords by the dozen waits for himself, and
 * a dear hash leaves room for others, even behind one address.
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
#define HASH_WAITING_MAX 256	/* in all				*/

struct hash_pool;

/* good: the password is right.  asker and request are hash_check()'s. */
typedef void hash_fn(uint64_t asker, uint64_t request, bool good, void *arg);

/* Start the threads.  fn is called from the loop. */
MUST_CHECK enum err hash_open(struct hash_pool **out, struct ev_loop *,
	    hash_fn *, void *arg);
/* Waits for what runs; fn is not called any more. */
void	hash_close(struct hash_pool **);

/*
 * Is password the one that setting is the hash of?  All spans are borrowed for
 * the call.  An empty setting stands for "no such user": the work is done all
 * the same, as dear as a usual one, and the answer is no.
 */
MUST_CHECK enum err hash_check(struct hash_pool *, struct span user,
	    struct span client, struct span password, struct span setting,
	    uint64_t asker, uint64_t request);

/* Nobody waits for this asker's answers any more. */
void	hash_forget(struct hash_pool *, uint64_t asker);

/* Checks waiting or running. */
unsigned hash_cnt(const struct hash_pool *);

#endif
