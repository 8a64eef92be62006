/*
 * header - where the header section of a message ends, seen while it arrives:
 * RFC 5322 2.2.  Feed it the text behind eod.h; it holds none of it.
 *
 * The section ends with the first empty line, which belongs to it.  A line
 * that is neither a field ("Name:", blanks before the colon allowed), nor the
 * continuation of one, nor empty ends it too, as sendmail has always done: the
 * line is the first of the body, and the empty line is missing.  So a message
 * may have no header at all, and is then body from its first byte.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* Fields it knows; enough to see what a policy has to add. */
#define HEADER_RECEIVED		0x01u
#define HEADER_DATE		0x02u
#define HEADER_MESSAGE_ID	0x04u
#define HEADER_FROM		0x08u
#define HEADER_RETURN_PATH	0x10u

#define HEADER_NAME_KEPT	16	/* bytes; over the longest known name */

struct header_scan {
	/* Facts, final once done. */
	bool		 done;		/* the section has ended	    */
	bool		 has_blank;	/* with an empty line; false: the caller
					 * puts one (CRLF) in		    */
	bool		 is_8bit;	/* an 8-bit byte within the section */
	unsigned	 received_cnt;	/* Received fields, RFC 5321 6.3    */
	unsigned	 has;		/* HEADER_* seen		    */
	size_t		 len;		/* bytes of the section so far, the
					 * empty line's CRLF included	    */

	/* Private. */
	unsigned	 state;
	size_t		 line_at;	/* where the line begins	    */
	size_t		 name_len;
	char		 name[HEADER_NAME_KEPT];
};

void	header_init(struct header_scan *);

/*
 * How many bytes at the front of in belong to the section: all of them while
 * it is not done, none when it has ended before.  len grows by as much.
 *
 * One thing to know: the line that ends a section without an empty line may
 * have begun in an earlier call.  Then len goes back to where that line
 * begins, and what the caller holds beyond len is the beginning of the body.
 */
size_t	header_feed(struct header_scan *, struct span in);

/*
 * The text is over.  Sets done; a message that is all header has no empty
 * line.  len may go back as above.  Does nothing when done already.
 */
void	header_end(struct header_scan *);

#endif
