/*
 * one_hop - what the relay types have in common that hand everything to a
 * single next hop: static and lmtp.
 *
 * Twice as many deliveries are held as there are connections, so that one is
 * ready, its first pieces here, whenever a connection becomes free.
 *
 * What its EHLO offers is told to the queues, for an edge must not promise what
 * the only next hop cannot keep.  While nobody has heard it, and no mail brings
 * a connection about, the first worker makes one for the question alone.
 *
 * Where it was waited for in vain, all wait longer for it from then on for a
 * day: there is no other to go to.
 */
#ifndef RELAY_ONE_HOP_H
#define RELAY_ONE_HOP_H

#include "relay/relay_type.h"
#include "relay/hop/pool.h"
#include "relay/smtp/smtp_client.h"
#include "relay/hop/sources.h"

#define ONE_HOP_NAME	300	/* bytes: a domain and its port, or a path */

struct one_hop {			/* target first: see one_hop.c	*/
	struct smtp_client_target target;
	struct pool_limits limits;
	struct sources	 sources;
	struct pool	*pool;
	struct ev_loop	*loop;
	int64_t		 patient_until_ms;	/* see slow.h		*/
	const struct relay_type_env *env;
	char		 name[ONE_HOP_NAME];	/* of the hop, as configured */
	enum hop_utf8	 utf8;		/* its last EHLO, of us all	*/
	bool		 eightbit, binary, dsn;	/* likewise		*/
	uint64_t	 size;		/* likewise			*/
	struct timer	 ask;		/* until a question		*/
	int64_t		 ask_ms;	/* and the next; 0 never	*/
	struct smtp_client *asking;	/* or NULL			*/
};

/* Read the block; for prepare().  size: of the struct that begins with it. */
MUST_CHECK enum err one_hop_new(void **out, size_t size,
	    const struct relay_type_env *);

/* The rest of a row of relay_type.h. */
enum err	 one_hop_open(void **out, const struct relay_type_env *);
uint32_t	 one_hop_slots(const void *);
void		 one_hop_take(void *, struct delivery *);
void		 one_hop_drain(void *);
bool		 one_hop_is_busy(const void *);
void		 one_hop_can(const void *, struct msg_relay_can *out);

#endif
