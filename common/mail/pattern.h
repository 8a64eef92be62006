/*
 * pattern - which of many patterns an address fits.  Pure.
 *
 *	user@domain	this address
 *	@domain		all of this domain
 *	@.domain	all of the domains below it, not of itself
 *
 * Domains are compared as domain_key() has them, local parts with ASCII letters
 * folded, and a quoted one is what it quotes.  Numbers are the caller's; where
 * several patterns fit, the lowest wins.  A look-up costs one hash for each
 * label of the domain, however many patterns there are.
 */
#ifndef MAIL_PATTERN_H
#define MAIL_PATTERN_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "mail/address.h"

#define PATTERN_LOGIN_MAX	128	/* bytes of a login that are compared */

struct patterns;

MUST_CHECK enum err pattern_new(struct patterns **out);
void	pattern_free(struct patterns **);

/* Is it a pattern?  A dot may stand at its end, and says nothing. */
bool	pattern_is_good(struct span);

/* The text is copied.  ERR_PEER: it is no pattern; ERR_SYS: no memory. */
MUST_CHECK enum err pattern_add(struct patterns *, struct span, uint32_t no);

/* The lowest number of those that fit it, in *no. */
bool	pattern_find(const struct patterns *, const struct address *,
	    uint32_t *no);

/* The lowest number of the user@domain and @domain with just this domain. */
bool	pattern_knows(const struct patterns *, struct span domain,
	    uint32_t *no);

/*
 * The lowest number of the patterns here that match each address this pattern
 * (another one) matches: behind that it can never be the first.
 */
bool	pattern_covers(const struct patterns *, struct span pattern,
	    uint32_t *no);

/*
 * A table of logins, kept apart from one of addresses: a login is compared as
 * it is but for its domain, "@domain" is all that end so, "*" all.
 */
MUST_CHECK enum err pattern_add_login(struct patterns *, struct span,
	    uint32_t no);
bool	pattern_find_login(const struct patterns *, struct span login,
	    uint32_t *no);

#endif
