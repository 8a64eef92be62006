/*
 * read - one written value as what its option's type says.
 */
#ifndef CONF_READ_H
#define CONF_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/read/net.h"
#include "conf/options.h"
#include "conf/read/parse.h"

/* A value as it was understood. */
struct reading {
	struct span	 text;		/* for the slice		*/
	uint64_t	 num;		/* for the slice		*/
	struct net	 net;		/* of addresses and networks	*/
	struct span	 made;		/* what was read in place of a
					 * directory; empty: nothing	*/
	struct place	 place;
};

struct read_place {
	struct mistakes	*mistakes;	/* borrowed			*/
	struct span	 cwd;		/* absolute			*/
	struct span	 credentials;	/* absolute			*/
	/* Of conf_opener, or NULL. */
	enum err	(*regex)(struct span, size_t *at, char *why, size_t);
};

/* False when it cannot be; the reason has been reported. */
bool		 read_value(const struct read_place *,
		    const struct option_row *, const struct value *,
		    struct reading *out);

/* Its mistake: "`TEXT' is not FITS".  False. */
bool		 read_unfit(const struct read_place *, const struct value *,
		    const char *fits);

/* Is it a full host name by RFC 1123 2.1, not an address? */
bool		 read_is_hostname(struct span);

/* Is it the word for each of our own domains, in place of a pattern? */
bool		 read_is_local(struct span);

/*
 * The host name that is written there, perhaps in U-labels or with a dot at its
 * end: as DNS, TLS and EHLO have it.  Empty: it is none.
 */
struct span	 read_hostname(struct arena *, struct span);

#endif
