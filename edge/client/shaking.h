/*
 * shaking - the TLS handshakes under way, and how many there may be.
 *
 * A client that begins one and says no more costs a TLS session, up to 55 KB
 * (ask/hello.h), until its deadline.  So a network may have SHAKING_OF_NETWORK
 * of them (loopback all), and all together SHAKING_MAX, some 27 MB.  Beyond
 * that those give way whose neighbourhood (/24, /48) has most, and of them
 * whoever made a step longest ago, which is hardly ever an honest one: between
 * two of its steps lies one round trip.  So who comes alone stays, however many
 * others begin meanwhile.  A step is a message of TLS, of which there are few,
 * and not a byte that came: nobody stays by trickling.  Nobody is refused.
 *
 * Owns	   nothing: a row lies in its client
 * Blocks  never
 */
#ifndef EDGE_SHAKING_H
#define EDGE_SHAKING_H

#include <sys/queue.h>

#include <stdbool.h>

#include "edge/client/client_address.h"
#include "sys/ev.h"

#define SHAKING_MAX		500	/* handshakes			*/
#define SHAKING_OF_NETWORK	50

struct shaking_row {
	TAILQ_ENTRY(shaking_row) entry;
	struct client_address address;
	void		*client;
	unsigned	 near_cnt;	/* of its neighbourhood, itself too */
	bool		 is_listed, must_go;
};

/* Must take its row off the list. */
typedef void shaking_end_fn(void *client);

struct shaking {
	TAILQ_HEAD(, shaking_row) rows;	/* whose last step is oldest first */
	unsigned	 cnt;
	struct later	 later;
	shaking_end_fn	*end;
};

void	shaking_init(struct shaking *, struct ev_loop *, shaking_end_fn *);
void	shaking_fini(struct shaking *);

/* end() is called at the end of the turn for whoever has to give way. */
void	shaking_begin(struct shaking *, struct shaking_row *, void *client,
	    const struct client_address *);
/* It has made a step.  For one that is not listed: nothing. */
void	shaking_moved(struct shaking *, struct shaking_row *);
/* It is over, however it went.  For one that is not listed: nothing. */
void	shaking_over(struct shaking *, struct shaking_row *);

#endif
