/*
 * client_address - who is at the other end: an IP address, or the user at the
 * other end of a unix socket.  Pure.
 *
 * What one host can take for itself is one network: an IPv4 address, or an
 * IPv6 /64.
 */
#ifndef EDGE_CLIENT_ADDRESS_H
#define EDGE_CLIENT_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define CLIENT_ADDRESS_TEXT 48	/* bytes of one as text, with NUL	*/

struct sockaddr;

/* An address as the rules see it; IPv4 in IPv6 is IPv4. */
struct client_address {
	uint8_t	 family;	/* 4 or 6; 0 a unix socket		*/
	uint8_t	 bytes[16];	/* network order; IPv4 the first four, and
				 * so the uid at the other end of a unix
				 * socket				*/
};

/* The address of a socket's peer; false when it is neither IPv4 nor IPv6. */
bool	client_address_of(const struct sockaddr *, struct client_address *out);
/* That of a unix socket's peer, and its uid again. */
struct client_address client_address_user(uint32_t uid);
uint32_t client_address_uid(const struct client_address *);
bool	client_address_is_loopback(const struct client_address *);
/* Are they of one network? */
bool	client_address_is_same(const struct client_address *,
	    const struct client_address *);
bool	client_address_is_local(const struct client_address *);

/* "192.0.2.1", "2001:db8::1", "unix uid=1000"; buf of CLIENT_ADDRESS_TEXT. */
void	client_address_text(const struct client_address *, char *buf);
/* "192.0.2.1", "2001:db8::/64", "uid:1000": the tenant of a client without a
 * login. */
void	client_address_net_text(const struct client_address *, char *buf);

#endif
