/*
 * mx_number - a number for a host by its addresses and port, in whatever order
 * they come, so that its names do not matter.  A host without address has one
 * by its name, and so has one with more than are looked at.
 *
 * With a seed that is kept secret nobody can make a host of the same number as
 * another's, nor several that come to it together.
 */
#ifndef RELAY_MX_NUMBER_H
#define RELAY_MX_NUMBER_H

#include <stdint.h>

#include "ask/resolve.h"

/* Never 0. */
uint64_t mx_number(const struct resolve_found *, const char *host,
	    uint16_t port, uint64_t seed);

#endif
