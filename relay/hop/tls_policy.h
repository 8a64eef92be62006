/*
 * tls_policy - how much of TLS a connection to a next hop must have, out of all
 * that is known of that hop.  Pure.
 *
 * Two deliveries may share a connection only where host, port and policy are
 * the same: what was good enough for one need not be for the other.  What more
 * is known one day of a hop (a TLSA record, a domain's MTA-STS, a message that
 * asks for REQUIRETLS) is another field of tls_policy_known, and changes this
 * file alone.
 */
#ifndef RELAY_TLS_POLICY_H
#define RELAY_TLS_POLICY_H

#include <stdbool.h>

#include "ask/tls_client.h"

struct tls_policy_known {
	enum tls_security wanted;	/* by the block			*/
	bool		 immediately;	/* likewise: no STARTTLS	*/
	bool		 is_named;	/* the block names the host, not a
					 * stranger's DNS		*/
	bool		 is_unix;	/* no network is in between	*/
};

struct tls_policy {
	enum tls_security security;
	bool		 immediately;
	bool		 is_named;
};

struct tls_policy tls_policy_of(const struct tls_policy_known *);
/* <0, 0, >0; in no order that means anything. */
int	tls_policy_compare(const struct tls_policy *,
	    const struct tls_policy *);

/* Is STARTTLS said to one that offers it? */
bool	tls_policy_starts(const struct tls_policy *);
/* Is there no delivery in the clear? */
bool	tls_policy_requires(const struct tls_policy *);
/* Must chain and name of the certificate hold? */
bool	tls_policy_verifies(const struct tls_policy *);
/*
 * STARTTLS has failed: is the address tried once more in the clear?  Never with
 * a login, but on this host.
 */
bool	tls_policy_may_go_clear(const struct tls_policy *, bool has_login,
	    bool is_local);

#endif
