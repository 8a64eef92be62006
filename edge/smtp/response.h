/*
 * response - a reply of our own session, as who is at its other end reads it.
 * Pure.
 */
#ifndef EDGE_SMTP_RESPONSE_H
#define EDGE_SMTP_RESPONSE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

struct response {
	unsigned	 code;
	char		 status[24];	/* enhanced code, or ""		*/
	char		 text[512];	/* of its last line, as it was said */
	bool		 has_utf8, has_dsn;	/* what EHLO offered	*/
};

/*
 * Take a whole reply off the front of *in.  ERR_AGAIN: there is none yet, and
 * nothing is taken; ERR_PEER: this is no reply.
 */
MUST_CHECK enum err response_take(struct span *in, struct response *);

#endif
