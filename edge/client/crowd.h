/*
 * crowd - how many sessions each client network has open.
 *
 * A network is one IPv4 address or one IPv6 /64: what a single host can take
 * for itself.  On a unix socket each user is one.  Networks without a session
 * take no memory.
 *
 * Owns	   its table
 * Errors  ERR_FULL no memory
 */
#ifndef EDGE_CROWD_H
#define EDGE_CROWD_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define CROWD_NET_TEXT	48	/* bytes of a network as text, with NUL	*/

struct sockaddr;

/* An address as the rules see it; IPv4 in IPv6 is IPv4. */
struct client_address {
	uint8_t	 family;	/* 4 or 6; 0 a unix socket		*/
	uint8_t	 bytes[16];	/* network order; IPv4 the first four, and
				 * so the uid at the other end of a unix
				 * socket				*/
};

struct crowd;

/* secret keeps strangers from choosing addresses that share a bucket. */
MUST_CHECK enum err crowd_new(struct crowd **out, uint64_t secret);
void	crowd_free(struct crowd **);

/* The address of a socket's peer; false when it is neither IPv4 nor IPv6. */
bool	crowd_address(const struct sockaddr *, struct client_address *out);
/* That of a unix socket's peer, and its uid again. */
struct client_address crowd_user(uint32_t uid);
uint32_t crowd_uid(const struct client_address *);
bool	crowd_is_loopback(const struct client_address *);
/* Are they of one network? */
bool	crowd_is_same(const struct client_address *,
	    const struct client_address *);
bool	crowd_is_local(const struct client_address *);

/* "192.0.2.1", "2001:db8::1", "unix uid=1000"; buf of CROWD_NET_TEXT bytes. */
void	crowd_text(const struct client_address *, char *buf);
/* "192.0.2.1", "2001:db8::/64", "uid:1000": the tenant of a client without a
 * login. */
void	crowd_net_text(const struct client_address *, char *buf);

/* One more session of this network; *cnt is how many it has with it. */
MUST_CHECK enum err crowd_enter(struct crowd *, const struct client_address *,
	    unsigned *cnt);
/* One less.  Only after crowd_enter() said OK for the same address. */
void	crowd_leave(struct crowd *, const struct client_address *);

#endif
