/*
 * everybody - values that look like a choice, and choose everybody.  Pure.
 *
 * Networks: one of length 0, or many that together hold 16 /8 or more of what
 * is public of IPv4, or /8 and more of IPv6's.  Nobody has so many.
 * Patterns: all names below one label, such as @.com, but not below a label
 * that is kept for private use, such as @.lan (RFC 6761, RFC 6762, RFC 8375).
 */
#ifndef CONF_EVERYBODY_H
#define CONF_EVERYBODY_H

#include "conf/block.h"

/* The value to be shown: the one that makes it so; NULL: a choice. */
const struct reading *everybody_networks(const struct setting *);
const struct reading *everybody_pattern(const struct setting *);

#endif
