/*
 * hello - how long a client says that its ClientHello is (RFC 8446 4, 5.1), as
 * the bytes of a handshake come in, in pieces of any size.
 *
 * OpenSSL makes room for the whole of a message as soon as its four bytes of
 * head are there, up to 128 KiB, for a client that need not send any of it.
 * Up to HELLO_MAX it has the room anyway.  A real one takes 200 to 2,000 bytes.
 *
 * Pure.
 */
#ifndef ASK_HELLO_H
#define ASK_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define HELLO_MAX	16384	/* bytes, one record of TLS		*/

struct hello {			/* zeroed to begin with */
	uint8_t		 record[5];	/* head of the record it is in	*/
	unsigned	 record_have;
	uint32_t	 record_left;	/* bytes of it that are to come	*/
	uint8_t		 message[4];	/* and of the message		*/
	unsigned	 message_have;
	uint32_t	 message_left;
	unsigned	 cnt;		/* messages that are whole	*/
};

/* These bytes come next.  False: a message says it is longer than that. */
bool	hello_take(struct hello *, struct span bytes);

#endif
