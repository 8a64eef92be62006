/*
 * http_target - what a block of type http says about its next hop: url, TLS,
 * login, patience, and the fields that carry the envelope.
 *
 * Owns	   what hop_read.h does, and the login as it is sent; all live as long
 *	   as the process
 * Blocks  on the files that master opened for us
 * Errors  as hop_read.h
 */
#ifndef RELAY_HTTP_TARGET_H
#define RELAY_HTTP_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "relay/hop/dial.h"
#include "relay/hop/hop.h"
#include "relay/hop/pool.h"
#include "relay/relay_type.h"

#define HTTP_TARGET_NAME_MAX	64	/* bytes of a field's name with NUL */

struct http_learnt {			/* of the next hop, by all	*/
	bool		 is_deaf;	/* it does not say 100 Continue	*/
};

struct http_target {			/* borrowed by all its clients	*/
	struct dial_target dial;	/* its host is who TLS must find */
	const struct hop_endpoint *endpoint; /* instead of dialling, or NULL */
	struct hop_tls	 tls;
	struct hop_login login;
	struct span	 authorization;	/* "Basic ...", empty: none	*/
	struct span	 method;
	struct span	 path, host;	/* of the request		*/
	struct span	 ehlo_as;
	char		 ehlo_name[HTTP_TARGET_NAME_MAX];
	char		 sender_name[HTTP_TARGET_NAME_MAX];
	char		 rcpt_name[HTTP_TARGET_NAME_MAX];
	bool		 is_coded;	/* addresses are in base64	*/
	bool		 may_chunk;	/* a length need not be known	*/
	bool		 keeps;		/* a connection for the next	*/
	int64_t		 step_ms;	/* patience for each step	*/
	int64_t		 done_ms;	/* for the answer to a text	*/
	struct http_learnt *learnt;
};

/*
 * Fill in what the block says.  The type's to say are dial's sources, the
 * endpoint and learnt.
 */
MUST_CHECK enum err http_target_read(struct http_target *,
	    struct pool_limits *, const struct relay_type_env *);

#endif
