/*
 * keyring - the keys of one configuration, each with the block that may use it:
 * an edge or a relay, which may have one name.
 *
 * A ring does not change: a reload makes another, and the old one lives as
 * long as somebody who was introduced under it does.
 *
 * Owns	   the keys; never the files
 * Blocks  no
 * Errors  ERR_PEER a file is of no use, after a line event=trouble; ERR_SYS
 */
#ifndef VAULT_KEYRING_H
#define VAULT_KEYRING_H

#include "base/err.h"
#include "base/span.h"
#include "sys/roles.h"
#include "vault/key.h"

struct keyring;

/* The descriptor of a file by its number in the slice, or -1; borrowed. */
typedef int keyring_file_fn(unsigned index, void *arg);

/* Of a slice of role KEYS: all its blocks' keys, or none. */
MUST_CHECK enum err	 keyring_open(struct keyring **out, struct span slice,
			    keyring_file_fn *, void *arg);

/* One more that uses it; one less, and *r becomes NULL. */
struct keyring		*keyring_share(struct keyring *);
void			 keyring_release(struct keyring **r);

unsigned		 keyring_cnt(const struct keyring *);
/* The key of that id, if who comes from that block may use it; else NULL. */
const struct key	*keyring_find(const struct keyring *, enum role,
			    const char *block, struct span id);

#endif
