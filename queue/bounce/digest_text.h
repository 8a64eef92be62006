/*
 * digest_text - the message that tells the postmaster what was discarded: mail
 * that failed and whose sender nobody could tell.  Pure.
 *
 * Foreign text (replies, addresses) is made safe, as in bounce_safe.h: it
 * cannot break a line or a field, and no line is over 998 bytes.
 */
#ifndef QUEUE_DIGEST_TEXT_H
#define QUEUE_DIGEST_TEXT_H

#include "queue/bounce/bounce.h"
#include "queue/store/store.h"
#include "queue/store/store_report.h"

#define DIGEST_BYTES_MAX	(256u << 10)	/* of its list; then "and N
						 * more" */

struct digest_about {
	struct id	 id;		/* of the digest itself		*/
	int64_t		 now_ms;	/* wall clock			*/
	struct span	 hostname, home, queue;
	struct span	 to;		/* the postmaster		*/
	const struct discard_rows *rows;	/* one at least		*/
};

/* Write it.  ERR_SYS: no memory. */
MUST_CHECK enum err digest_text_write(struct bounce_text *out,
	    const struct digest_about *);

#endif
