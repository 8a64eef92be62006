/*
 * bounce - the text of a report that mail could not be delivered: RFC 3464,
 * in a multipart/report (RFC 6522), returned with the header section.  Pure.
 *
 * Foreign text (replies, names, the original's header) is made safe: it cannot
 * break a line, a part or a field.
 */
#ifndef QUEUE_BOUNCE_H
#define QUEUE_BOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/span.h"

struct bounce_rcpt {
	struct span	 address;
	struct span	 reply;		/* may begin with an enhanced code */
	struct span	 hop;		/* may be empty			*/
	uint16_t	 code;		/* 0: there was no reply	*/
	bool		 is_late;	/* given up after trying long	*/
};

struct bounce {
	struct id	 id;		/* of the report itself		*/
	struct id	 of;		/* the message it is about	*/
	int64_t		 now_ms, arrived_ms;	/* wall clock		*/
	struct span	 hostname;
	struct span	 to;		/* the sender to be told	*/
	struct span	 header;	/* of the original, as stored	*/
	const struct bounce_rcpt *rcpts;
	uint32_t	 rcpt_cnt;
};

struct bounce_text {
	char		*text;		/* header, then body; free() it	*/
	size_t		 header_len;	/* the empty line included	*/
	size_t		 len;
};

/* Needs RFC 6531 to be delivered: an address in it is not ASCII. */
bool	bounce_is_utf8(const struct bounce *);

/* Write it.  ERR_SYS: no memory. */
MUST_CHECK enum err bounce_write(struct bounce_text *out,
	    const struct bounce *);

/* The enhanced code a reply begins with, which it points into, or a fit one. */
struct span	bounce_status(const struct bounce_rcpt *);

#endif
