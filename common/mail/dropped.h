/*
 * dropped - the form of a file in the drop directory: one message of
 * sendmail(1), which found nobody to give it to.  Pure.
 *
 *	postern-drop 1
 *	from ann@here.example		"from" alone: nobody
 *	ret hdrs			these four only where they are wanted
 *	envid order+207
 *	notify failure,delay
 *	has 8bit utf8
 *	rcpt bob@there.example		1 to DROPPED_RCPTS_MAX of them
 *	text 1234
 *
 * in this order, each line with a LF, then so many bytes of text, lines with
 * CRLF, as the end of the file.  A line holds no control character and at most
 * DROPPED_LINE_MAX bytes.  What is written today is read for good: another
 * form has another number.
 *
 * A file is written under a name that begins with DROPPED_UNDER_WAY, synced,
 * and renamed to one that begins with DROPPED_DONE; no other name is taken.
 */
#ifndef MAIL_DROPPED_H
#define MAIL_DROPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define DROPPED_UNDER_WAY "tmp."
#define DROPPED_DONE	"new."
#define DROPPED_LINE_MAX 1024	/* bytes without LF			*/
#define DROPPED_RCPTS_MAX 100	/* what every edge takes of a message	*/
#define DROPPED_HEAD_MAX (128u << 10)	/* bytes: more than all that fits */

struct dropped {
	struct span	 sender;	/* empty: nobody		*/
	uint8_t		 ret;		/* enum dsn_ret			*/
	struct span	 envid;		/* xtext			*/
	uint8_t		 notify;	/* DSN_*, of each recipient	*/
	bool		 is_8bit, is_utf8;
	struct span	 rcpts;		/* lines, for dropped_rcpt()	*/
	unsigned	 rcpt_cnt;
	size_t		 head_len;	/* bytes in front of the text	*/
	uint64_t	 text_len;
};

/*
 * Read the front of a file, all of it or its first DROPPED_HEAD_MAX bytes.
 * ERR_AGAIN: what there is may be the beginning of one; ERR_FULL: it is of a
 * form that is newer than we; ERR_PEER: it is none.  *out points into it.
 */
MUST_CHECK enum err dropped_read(struct span front, struct dropped *out);

/* Take a recipient off the front of rcpts; false when there is none. */
bool	dropped_rcpt(struct span *rcpts, struct span *out);

/*
 * Write the front of one: of *d all but rcpts and head_len counts, and there
 * are rcpt_cnt recipients.  Bytes written; 0 when they are more than cap, or
 * when what it says cannot stand in such a file.
 */
size_t	dropped_write(const struct dropped *d, char *const *rcpts, char *buf,
	    size_t cap);

#endif
