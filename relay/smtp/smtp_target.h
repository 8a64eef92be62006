/*
 * smtp_target - what a block of type static, mx or lmtp says about the next
 * hops it reaches by SMTP: place, patience, name, TLS, login;
 * and how many connections there may be.
 *
 * Owns	   the TLS client, the places and the password, which live as long as
 *	   the process
 * Blocks  on the files that master opened for us
 * Errors  ERR_PEER a file is not what it should be, ERR_SYS; after a log line
 */
#ifndef RELAY_SMTP_TARGET_H
#define RELAY_SMTP_TARGET_H

#include "base/err.h"
#include "relay/relay_type.h"
#include "relay/hop/pool.h"
#include "relay/smtp/smtp_client.h"

/*
 * Fill in what the block says.  The kind's to say are dial's sources, ourselves
 * and private_too, the endpoint, is_lmtp, of limits idle_left, and for mx
 * the host.  For prepare(): secrets and certificates are read here.
 */
MUST_CHECK enum err smtp_target_read(struct smtp_client_target *,
	    struct pool_limits *, const struct relay_type_env *);

#endif
