/*
 * header - where the header section of a message ends, seen while it arrives:
 * RFC 5322 2.2.  Feed it the text behind eod.h; it holds none of it.
 *
 * The section ends with the first empty line, which belongs to it, or with the
 * text.  A line before it that is neither a field ("Name:", blanks before the
 * colon allowed) nor the continuation of one is a mistake in the section and
 * not its end: what follows is still read as fields.  Which of it is meant as
 * text nobody can know, and nothing of it is altered.
 *
 * A first line "From ..." as in a mbox is no part of the message when a field
 * follows it.
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
	bool		 has_blank;	/* with an empty line		    */
	bool		 has_odd;	/* a line of it is no field	    */
	bool		 is_8bit;	/* an 8-bit byte within the section */
	unsigned	 received_cnt;	/* Received fields, RFC 5321 6.3    */
	unsigned	 has;		/* HEADER_* seen		    */
	size_t		 len;		/* bytes of the section so far, the
					 * empty line's CRLF included	    */
	size_t		 mbox_len;	/* bytes of a line of a mbox in front,
					 * for the caller to leave out	    */

	/* Private. */
	unsigned	 state;
	bool		 is_mbox;	/* the first line looks like it	    */
	size_t		 first_len;	/* bytes of the first line	    */
	size_t		 line_at;	/* where the line begins	    */
	size_t		 name_len;
	char		 name[HEADER_NAME_KEPT];
};

void	header_init(struct header_scan *);

/*
 * How many bytes at the front of in belong to the section: all of them while
 * it is not done, none when it has ended before.  len grows by as much.
 */
size_t	header_feed(struct header_scan *, struct span in);

/* The text is over, and the section with it.  Nothing when done already. */
void	header_end(struct header_scan *);

/*
 * Have the section end before the line that is under way, for a caller who can
 * hold no more of it: len goes back, and what lies beyond is body.
 */
void	header_cut(struct header_scan *);

#endif
