/*
 * bounce - the text of a report to a sender about his recipients: RFC 3464, in
 * a multipart/report (RFC 6522); in the forms of RFC 6533 where an address or
 * the message needs them.  Pure.
 *
 * Foreign text (replies, names, the original) is made safe: it cannot break a
 * line, a part or a field, whatever it is; no line is over 998 bytes.
 */
#ifndef QUEUE_BOUNCE_H
#define QUEUE_BOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/span.h"
#include "mail/notice.h"
#include "queue/store/record.h"

#define BOUNCE_RETURN_MAX (1u << 20)	/* bytes; over it: the header alone */

struct bounce_rcpt {
	enum report	 action;	/* not REPORT_NONE		*/
	struct span	 address;
	struct span	 orcpt;		/* "rfc822;addr" as the client wrote it,
					 * in xtext (RFC 3461 4.2); or empty */
	struct span	 reply;		/* may begin with an enhanced code */
	struct span	 hop;		/* "host[address]:port"; may be empty */
	uint16_t	 code;		/* 0: there was no reply	*/
	bool		 is_theirs;	/* the hop said so, by SMTP or LMTP */
	bool		 is_late;	/* given up after trying long	*/
	bool		 is_lost;	/* what became of it is not known */
	int64_t		 tried_ms;	/* last attempt; 0: never	*/
	int64_t		 until_ms;	/* tried until then; 0: it is over */
};

struct bounce {
	struct id	 id;		/* of the report itself		*/
	struct id	 of;		/* the message it is about	*/
	int64_t		 now_ms, arrived_ms;	/* wall clock		*/
	struct span	 hostname;
	struct span	 home;		/* domain of who writes it	*/
	struct span	 to;		/* the sender to be told	*/
	struct span	 envid;		/* in xtext; may be empty	*/
	struct span	 header;	/* of the original, as stored	*/
	struct span	 body;		/* and its body, if has_body	*/
	bool		 has_body;	/* it is wanted back whole	*/
	bool		 is_utf8;	/* the original is SMTPUTF8	*/
	const struct bounce_rcpt *rcpts;
	uint32_t	 rcpt_cnt;	/* one at least			*/
	const struct notice *notice;	/* NULL: the house's own	*/
};

struct bounce_text {
	char		*text;		/* header, then body; free() it	*/
	size_t		 header_len;	/* the empty line included	*/
	size_t		 len;
	uint8_t		 flags;		/* MAIL_*: what it takes to send it */
};

/* Write it.  ERR_SYS: no memory. */
MUST_CHECK enum err bounce_write(struct bounce_text *out,
	    const struct bounce *);

#endif
