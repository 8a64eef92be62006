/*
 * dial - from a host's name to a connected socket, through all its addresses.
 *
 * dial_start() looks the name up; each dial_next() then connects to the next
 * address, so that whoever finds the host behind one address not willing goes
 * on with another within the same attempt.  Addresses that no host can have
 * (unspecified, multicast, broadcast) are passed over, and where a stranger has
 * named the host, those of private networks too: see special.h.  One that leads
 * back to ourselves ends it: failed() then says CLASS_NEVER, 5.4.6.
 *
 * The host is waited for until it has a place for us (places.h), which is kept,
 * whoever has the socket, until dial_fini(); one that others wait for is left
 * and waited for again before another address is tried.
 *
 * Owns	   its socket until `connected' takes it; its place
 * Blocks  never
 */
#ifndef RELAY_DIAL_H
#define RELAY_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "ask/resolve.h"
#include "base/err.h"
#include "base/span.h"
#include "relay/mx/ourselves.h"
#include "relay/hop/places.h"
#include "relay/hop/sources.h"
#include "relay/verdict.h"
#include "sys/ev.h"

#define DIAL_HOP_MAX	400	/* bytes of "host[address]:port" with NUL */
#define DIAL_WHY_MAX	128	/* bytes of a reason with NUL		*/

struct dial_target {			/* borrowed for the dial's life	*/
	struct span	 host;		/* name or address		*/
	uint16_t	 port;
	unsigned	 families;	/* RESOLVE_ bits: looked up	*/
	bool		 private_too;	/* addresses of private networks */
	int64_t		 connect_ms;	/* patience for each address	*/
	struct sources	*sources;	/* NULL: the kernel's choice	*/
	const struct ourselves *ourselves; /* NULL: go there too	*/
	struct places	*places;	/* NULL: as many as we like	*/
};

struct dial_calls {
	/* fd is yours, non-blocking; hop is borrowed for the dial's life. */
	void	(*connected)(int fd, struct span hop, void *arg);
	/* No address is left; why is about the last one tried. */
	void	(*failed)(const struct verdict *why, struct span hop,
		    void *arg);
};

struct dial {
	struct ev_loop	*loop;
	struct resolve	*resolve;
	const struct dial_target *target;
	const struct dial_calls *calls;
	void		*arg;
	struct resolve_query *query;
	struct resolve_found found;
	unsigned	 next;		/* address to try		*/
	struct place	 place;
	uint64_t	 number;	/* of the host, for its place	*/
	int		 fd;
	struct ev	 ev;
	struct timer	 timer;
	struct later	 later;		/* calls never come from dial_next() */
	struct verdict	 why;
	char		 why_bytes[DIAL_WHY_MAX];
	char		 hop[DIAL_HOP_MAX];
};

void	dial_init(struct dial *, struct ev_loop *, struct resolve *,
	    const struct dial_target *, const struct dial_calls *, void *arg);
void	dial_fini(struct dial *);	/* allowed on a zeroed one */

/* Both answer by a call, never before they have returned. */
void	dial_start(struct dial *);
void	dial_next(struct dial *);

/* Connect once more to the address we were at last; answers likewise. */
void	dial_again(struct dial *);

/* May this address be connected to?  The one place that decides. */
enum dial_use {
	DIAL_USABLE,
	DIAL_NOBODY,		/* no host can have it			*/
	DIAL_PRIVATE,		/* not for a host that a stranger names	*/
};

enum dial_use	dial_use(const struct dial_target *,
		    const struct resolve_address *);

/* Is one of these a usable one? */
bool	dial_is_usable(const struct dial_target *,
	    const struct resolve_found *);
/* It is not: a line for the log that says why not. */
void	dial_log_unusable(const struct dial_target *, struct span host,
	    const struct resolve_found *);

/* Is there an address left that dial_next() would try? */
bool	dial_has_more(const struct dial *);

#endif
