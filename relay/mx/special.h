/*
 * special - addresses that are not a host's of the public Internet: IANA's
 * registries of special purpose (RFC 6890) and what is given to nobody.
 *
 * An IPv4 address that stands within an IPv6 one (mapped, NAT64, 6to4) counts
 * as itself.
 *
 * Blocks  never; pure
 */
#ifndef RELAY_SPECIAL_H
#define RELAY_SPECIAL_H

#include "ask/resolve.h"

enum special {
	SPECIAL_NOT,		/* a host anywhere may have it		*/
	SPECIAL_PRIVATE,	/* a host near by may, or this one	*/
	SPECIAL_NOBODY,		/* no host can				*/
};

enum special	 special_of(const struct resolve_address *);

#endif
