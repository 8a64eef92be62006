/*
 * ring - the keys of one configuration, each with the block that may use it: an
 * edge or a relay, which may have one name.
 *
 * A ring does not change: a reload makes another, and the old one lives as
 * long as somebody who was introduced under it does.
 *
 * Owns	   the keys; never the files
 * Blocks  no
 * Errors  ERR_PEER a file is of no use, after a line event=trouble; ERR_SYS
 */
#ifndef VAULT_RING_H
#define VAULT_RING_H

#include "base/err.h"
#include "base/span.h"
#include "sys/roles.h"
#include "vault/key.h"

struct ring;

/* The descriptor of a file by its number in the slice, or -1; borrowed. */
typedef int ring_file_fn(unsigned index, void *arg);

/* Of a slice of role KEYS: all its blocks' keys, or none. */
MUST_CHECK enum err	 ring_open(struct ring **out, struct span slice,
			    ring_file_fn *, void *arg);

/* One more that uses it; one less, and *r becomes NULL. */
struct ring		*ring_share(struct ring *);
void			 ring_release(struct ring **r);

unsigned		 ring_cnt(const struct ring *);
/* The key of that id, if who comes from that block may use it; else NULL. */
const struct key	*ring_find(const struct ring *, enum role,
			    const char *block, struct span id);

#endif
