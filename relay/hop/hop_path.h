/*
 * hop_path - the endpoint that is a unix socket: it lies outside of our empty
 * root, so master connects.
 */
#ifndef RELAY_HOP_PATH_H
#define RELAY_HOP_PATH_H

#include "relay/hop/hop.h"
#include "relay/relay_type.h"

struct hop_path {
	struct hop_endpoint endpoint;
	struct boot	*boot;
	unsigned	 index;		/* of it, in our slice		*/
};

/* That of the block's `path', which lives as long as p. */
const struct hop_endpoint *hop_path_open(struct hop_path *p,
	    const struct relay_type_env *);

#endif
