/*
 * received - the trace field we put on top of a message: RFC 5321 4.4.
 */
#ifndef MAIL_RECEIVED_H
#define MAIL_RECEIVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/span.h"

#define RECEIVED_TEXT_MAX	1280	/* bytes; every field fits */

struct received {
	struct span	 helo;		/* as the client said it, any bytes */
	struct span	 client;	/* "192.0.2.1", "2001:db8::1"; empty
					 * when it came by no network	    */
	struct span	 name;		/* of the client, confirmed; or empty */
	bool		 is_local;	/* by a unix socket: helo and client
					 * mean nothing, uid is the sender's */
	uint32_t	 uid;
	struct span	 by;		/* our name, a domain		    */
	struct span	 with;		/* "ESMTP", see received_with()	    */
	struct id	 id;
	struct span	 for_rcpt;	/* the only recipient; empty when there
					 * are several: the others' names are
					 * nobody's business		    */
	int64_t		 when_ms;	/* wall clock since 1970	    */
};

/*
 * Write the field, folded, with its CRLF and no NUL, into buf; its length to
 * *len.  What the client called itself cannot break out: odd bytes become "?",
 * an empty name "unknown".  An internationalised recipient is named only where
 * with begins "UTF8" (RFC 6531 3.7.3).
 *
 * Errors	ERR_PEER client, by, with or for_rcpt are not what they should
 *		be; ERR_FULL cap is too small.  *len is then untouched.
 */
MUST_CHECK enum err received_build(const struct received *, char *buf,
    size_t cap, size_t *len);

/*
 * The word behind "with": RFC 5321 4.4, RFC 3848, RFC 6531 4.3.  tls and auth
 * have words only where EHLO or LHLO was said.
 */
struct span	 received_with(bool lmtp, bool extended, bool utf8, bool tls,
		    bool auth);
/* The same of what came by HTTP, which no standard names. */
struct span	 received_with_http(bool utf8, bool tls, bool auth);

#endif
