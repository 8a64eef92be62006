/*
 * hop - a connection to a next hop as its pool sees it, whatever is spoken on
 * it, and what the kinds of them have in common.
 *
 * Life: start() dials, and goes through the host's addresses until one will
 * have mail of us; then ready() is called, and again whenever the connection is
 * free for another delivery.  gone() is its end.  A delivery that was given
 * ends in delivery_finish(), or comes back by back() when the next hop has
 * certainly not looked at it: that was no attempt.
 */
#ifndef RELAY_HOP_H
#define RELAY_HOP_H

#include <stdbool.h>
#include <stdint.h>

#include "ask/resolve.h"
#include "ask/tls_client.h"
#include "base/span.h"
#include "bus/boot.h"
#include "relay/delivery.h"
#include "relay/hop/places.h"
#include "relay/hop/tls_policy.h"
#include "relay/verdict.h"
#include "sys/ev.h"

struct hop_tls {
	struct tls_policy policy;
	bool		 is_certified;	/* we have a certificate to show */
	struct tls_client *client;	/* NULL only with TLS_OFF	*/
};

#define HOP_LOGIN_MAX	512	/* bytes of username and of password	*/

struct hop_login {			/* empty username: none		*/
	struct span	 username;
	struct span	 password;	/* never in a log or a verdict	*/
};

/*
 * Where connections come from that are not ours to open: master makes them.
 * open() and cancel() are as boot_endpoint() and boot_endpoint_cancel().
 */
struct hop_endpoint {
	uint64_t	(*open)(const struct hop_endpoint *, boot_endpoint_fn *,
			    void *arg);
	void		(*cancel)(const struct hop_endpoint *,
			    uint64_t request);
	struct span	 hop;		/* what we call it in logs	*/
};

/* What a connection tells its owner. */
struct hop_calls {
	/* Free for a delivery.  May give one, or say quit. */
	void	(*ready)(void *arg);
	/* Not tried; with another connection it may be. */
	void	(*back)(struct delivery *, void *arg);
	/*
	 * The end; free it here.  why and hop say what kept us from getting as
	 * far as ready() even once; why is NULL when we did.
	 */
	void	(*gone)(const struct verdict *why, struct span hop, void *arg);
};

/* What is spoken: smtp_hop.c and http_hop.c have a row each. */
struct hop_kind {
	/* target: what the kind connects to, borrowed; NULL: no memory. */
	void	*(*make)(struct ev_loop *, struct resolve *,
		    const void *target, const struct hop_calls *, void *arg);
	void	(*free)(void *);	/* closes without a word	*/
	void	(*start)(void *);
	/* Does it wait for a delivery? */
	bool	(*is_free)(const void *);
	/* Has it carried one? */
	bool	(*was_used)(const void *);
	/*
	 * As is_free(), and asks the kernel whether the next hop has hung up
	 * or spoken unasked; then it is not free, and gone() follows.
	 */
	bool	(*is_alive)(void *);
	/* Kept from dialling to the end; wanted() and who are the owner's. */
	struct place *(*place)(void *);
	/*
	 * Take a delivery, of which nothing was decided yet.  It may be
	 * finished when this returns, and the connection ready without another
	 * ready().
	 */
	void	(*deliver)(void *, struct delivery *);
	void	(*quit)(void *);	/* say so, and be gone		*/
	void	(*close)(void *);	/* be gone at once		*/
};

#endif
