/*
 * proxy_header - the line or the bytes by which a proxy says whose connection
 * it passes on: PROXY protocol, versions 1 and 2.  Pure.
 *
 * It is read to its last byte and not beyond: what follows is the client's.
 *
 *	while ((n = proxy_header_room(buf, len)) > 0)
 *		read at most n bytes behind buf, of a line only to its LF
 *	proxy_header_read(buf, len, &out)
 */
#ifndef MAIL_PROXY_HEADER_H
#define MAIL_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PROXY_HEADER_LINE	107	/* bytes of version 1 with CRLF	*/
#define PROXY_HEADER_MAX	1024	/* bytes of version 2, what stands
					 * behind the addresses with them */

struct proxy_header {
	bool	 is_own;	/* the proxy speaks for itself, or does not
				 * know for whom			*/
	uint8_t	 family;	/* 4 or 6				*/
	uint8_t	 address[16];	/* of the client, network order		*/
	uint16_t port;
};

/*
 * How many bytes may be read next; 0: it is whole, or none.  Of version 1, as
 * *is_line says, only those up to the first LF.
 */
size_t	proxy_header_room(const uint8_t *buf, size_t len, bool *is_line);

/* ERR_PEER: it is none. */
MUST_CHECK enum err proxy_header_read(const uint8_t *buf, size_t len,
	    struct proxy_header *out);

#endif
