/*
 * http_url - where a request goes: http://host:port/path?query, or https.
 * RFC 9110 4.2, RFC 3986 3.
 *
 * Not taken are a login before the host (RFC 9110 4.2.4), which would end in
 * logs, and a fragment, which no server gets to see.
 *
 * Blocks  never; pure
 */
#ifndef HTTP_HTTP_URL_H
#define HTTP_HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct http_url {			/* spans into what was read	*/
	bool		 is_https;
	struct span	 authority;	/* what the field Host says	*/
	struct span	 host;		/* a name, or an address without its
					 * brackets			*/
	uint16_t	 port;		/* 0: none was given		*/
	struct span	 path;		/* with its query; at least "/"	*/
};

/* NULL when it was read, else a few words that say what is wrong. */
const char	*http_url_read(struct span text, struct http_url *out);

#endif
