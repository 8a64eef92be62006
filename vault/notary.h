/*
 * notary - signs for edges and relays, as far as each of them may ask for it.
 *
 * They are believed nothing: the key must be their own, the text must be what
 * a TLS server signs, for an edge, or a TLS client, for a relay (purpose.h),
 * and there is a ceiling on how many each gets a second.  It may use the keys
 * of the ring in force, and those of the ring that was in force when its link
 * came.
 *
 * Owns	   the links; a share of the rings
 * Blocks  for the time of a signature
 * Errors  ERR_SYS
 */
#ifndef VAULT_NOTARY_H
#define VAULT_NOTARY_H

#include "base/err.h"
#include "bus/link.h"
#include "sys/ev.h"
#include "vault/ring.h"

#define NOTARY_RATE	2000	/* signatures a second, of one link	*/

struct notary;

/* The link has died; pass it on to boot_link_lost(). */
typedef void notary_lost_fn(const struct link_peer *, enum err why, void *arg);

/* The ring is yours no more, whatever the result. */
MUST_CHECK enum err	 notary_open(struct notary **out, struct ev_loop *,
			    struct ring *, notary_lost_fn *, void *arg);
/* What is answered and not yet sent goes out, if the kernel takes it. */
void			 notary_close(struct notary **);

/* Another ring is in force; yours no more. */
void			 notary_set_ring(struct notary *, struct ring *);

/* Somebody has come, or come back; fd is taken. */
MUST_CHECK enum err	 notary_add(struct notary *, int fd,
			    const struct link_peer *);
void			 notary_drop(struct notary *, uint32_t no);

#endif
