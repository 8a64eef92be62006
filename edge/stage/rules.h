/*
 * rules - the block `rules { }` of an edge: who may speak, in whose name, and
 * to whom mail may go.
 *
 * Owns	   copies of what the slice said
 * Errors  ERR_PEER a word of the slice is no address or network; ERR_FULL
 */
#ifndef EDGE_RULES_H
#define EDGE_RULES_H

#include "base/err.h"
#include "conf/slice/slice.h"
#include "edge/client/client_address.h"
#include "edge/stage/nets.h"
#include "mail/address.h"
#include "mail/pattern.h"
#include "sys/regex.h"

struct regexes {
	struct regex	**v;		/* cnt of them			*/
	unsigned	 cnt;
};

/* What a login may call itself in MAIL. */
struct login_row {
	char		*login;		/* as it stands in the option	*/
	bool		 has_self;	/* itself, where it is an address */
	struct patterns	*senders;
};

struct rules {
	struct nets	 clients;	/* none means everybody		*/
	struct nets	 denied;	/* but those			*/
	struct patterns	*rcpts;		/* neither of the two: any	*/
	struct regexes	 rcpt_regexes;
	struct patterns	*senders;	/* likewise			*/
	struct regexes	 sender_regexes;
	struct patterns	*login_names;	/* by number of logins; NULL: each
					 * may use any sender		*/
	struct login_row *logins;
	unsigned	 login_cnt;
};

/* Read them; block may be an absent one. */
MUST_CHECK enum err rules_init(struct rules *, const struct slice *block);
void	rules_fini(struct rules *);

/* One network, "192.0.2.0/24", "2001:db8::/32" or an address; and one entry
 * of only_recipients, "ann@example.org" or "@example.org". */
MUST_CHECK enum err rules_add_net(struct rules *, struct span);
MUST_CHECK enum err rules_add_rcpt(struct rules *, struct span);
/* An expression that has to match a whole address. */
MUST_CHECK enum err rules_add_sender_regex(struct rules *, struct span);
MUST_CHECK enum err rules_add_rcpt_regex(struct rules *, struct span);
/* A row of `senders': a login as pattern_add_login() has them, and an address
 * pattern, or "self". */
MUST_CHECK enum err rules_add_login(struct rules *, struct span login,
	    struct span sender);

/* May this client speak to us at all?  Those of a unix socket may, which the
 * file system lets in. */
bool	rules_client(const struct rules *, const struct client_address *);

/* Is it in a network of `clients' that is not everybody? */
bool	rules_trusts(const struct rules *, const struct client_address *);

/*
 * May mail go to this address?  They are compared as pattern.h says.  A bare
 * <postmaster> always may (RFC 5321 4.5.1).  An entry "@domain" does not cover
 * a local part that some next hop could read as a route of its own: one with @,
 * % or ! in it, or that begins as a pipe, a file or an include of old.
 */
bool	rules_rcpt(const struct rules *, const struct address *);

/* May mail come from this address?  From nobody, "", it always may. */
bool	rules_sender(const struct rules *, const struct address *);

/* May this login use it?  The first row whose login fits says what it may. */
bool	rules_login_sender(const struct rules *, struct span login,
	    const struct address *);

#endif
