/* address - a place of the plan as the kernel has it: TCP, or a unix socket. */
#ifndef MASTER_ADDRESS_H
#define MASTER_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

#include <netinet/in.h>
#include <stdint.h>

union address {
	struct sockaddr		 any;
	struct sockaddr_in	 v4;
	struct sockaddr_in6	 v6;
	struct sockaddr_un	 un;
};

/*
 * family is 4, 6, or 1: a unix socket at path, of PLAN_SOCKET_MAX bytes; bytes
 * are in network order, port is not.  Returns the length.
 */
socklen_t	address_fill(union address *, uint8_t family,
		    const uint8_t bytes[16], uint16_t port, const char *path);

#endif
