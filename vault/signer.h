/*
 * signer - signs for edges and relays, as far as each of them may ask for it.
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
#ifndef VAULT_SIGNER_H
#define VAULT_SIGNER_H

#include "base/err.h"
#include "bus/link.h"
#include "sys/ev.h"
#include "vault/keyring.h"

#define SIGNER_RATE	2000	/* signatures a second, of one link	*/

struct signer;

/* The link has died; pass it on to boot_link_lost(). */
typedef void signer_lost_fn(const struct link_peer *, enum err why, void *arg);

/* The ring is yours no more, whatever the result. */
MUST_CHECK enum err	 signer_open(struct signer **out, struct ev_loop *,
			    struct keyring *, signer_lost_fn *, void *arg);
/* What is answered and not yet sent goes out, if the kernel takes it. */
void			 signer_close(struct signer **);

/* Another ring is in force; yours no more. */
void			 signer_set_keyring(struct signer *, struct keyring *);

/* Somebody has come, or come back; fd is taken. */
MUST_CHECK enum err	 signer_add(struct signer *, int fd,
			    const struct link_peer *);
void			 signer_drop(struct signer *, uint32_t no);

#endif
