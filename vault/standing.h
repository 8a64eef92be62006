/*
 * standing - what is remembered of those who try passwords, over all sessions:
 * failures by network (IPv4 /24, IPv6 /48) and by user, and which addresses
 * have logged in well within a day.
 *
 * Failures fade to half in ten minutes.  The same wrong password of a user
 * counts once, for a device that has an old one says it over and over.  Each
 * failure costs the next one time, and a right password none, so that nobody
 * is kept out by what others do with his name.
 *
 * Owns	   a table of fixed size: the least telling entries give way; nothing
 *	   of a password but 64 bits that say nothing without a secret
 * Errors  ERR_FULL no memory; ERR_SYS no random bits
 */
#ifndef VAULT_STANDING_H
#define VAULT_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define STANDING_DELAY_MAX_MS	5000
#define STANDING_FADE_MS	600000
#define STANDING_GOOD_MS	86400000
#define STANDING_STRIKES	10	/* failures of a good address until it
				 * is one like others			*/

struct standing;

MUST_CHECK enum err standing_new(struct standing **out);
void	standing_free(struct standing **);

/* Numbers of an address "192.0.2.1" or "2001:db8::/64" and of its network; any
 * other text is its own network. */
uint64_t standing_network(const struct standing *, struct span client);
uint64_t standing_key(const struct standing *, struct span client);

/* A right password. */
void	standing_good(struct standing *, struct span client, int64_t now_ms);
/* A wrong one; for how long its answer is held back. */
int64_t	standing_bad(struct standing *, struct span client, struct span user,
	    struct span password, int64_t now_ms);
/* Has this address logged in well within a day, and done little else since? */
bool	standing_is_good(struct standing *, struct span client,
	    int64_t now_ms);

#endif
