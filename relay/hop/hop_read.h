/*
 * hop_read - what a block says about any next hop: TLS, login, and how many
 * connections there may be.
 *
 * Owns	   the TLS client, the places and the password, which live as long as
 *	   the process
 * Blocks  on the files that master opened for us; for prepare()
 * Errors  ERR_PEER a file is not what it should be, ERR_SYS; after a log line
 */
#ifndef RELAY_HOP_READ_H
#define RELAY_HOP_READ_H

#include "base/err.h"
#include "relay/hop/hop.h"
#include "relay/relay_type.h"

/* immediately: connections begin with TLS, without STARTTLS. */
MUST_CHECK enum err hop_read_tls(struct hop_tls *, bool immediately,
	    const struct relay_type_env *);
MUST_CHECK enum err hop_read_login(struct hop_login *,
	    const struct relay_type_env *);
/* limit: connections to one host, of all workers. */
MUST_CHECK enum err hop_read_places(struct places **out, unsigned limit,
	    const struct relay_type_env *);

#endif
