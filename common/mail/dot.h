/*
 * dot - the writer of message text behind DATA: dots doubled at the start of
 * a line, the end added.  RFC 5321 4.5.2.  The other side of eod.h.
 *
 *	dot_init(&d);
 *	while (dot_next(&d, &in, &run))
 *		send run		for each part of the text
 *	if (d.bad)			break off; never send dot_end()
 *	send dot_end(&d)
 */
#ifndef MAIL_DOT_H
#define MAIL_DOT_H

#include <stdbool.h>

#include "base/span.h"

struct dot {
	unsigned	 state;	/* private				*/
	bool		 bad;	/* bare CR, bare LF or NUL in the text:
				 * it must not go out by DATA		*/
	bool		 is_counted;	/* by BDAT: no dot is doubled	*/
};

void		 dot_init(struct dot *);

/* The same of text that goes by BDAT (RFC 3030), as it is if it is not bad. */
void		 dot_init_counted(struct dot *);

/*
 * The next run of wire bytes, at least one, pointing into the input; true, and
 * *in moves on.  (The dot that is doubled is shown twice, at the end of a run
 * and at the front of the next.)  False when *in is used up, or when the text
 * is bad, which sticks.  A run may go before the bad byte that follows it.
 */
bool		 dot_next(struct dot *, struct span *in, struct span *run);

/*
 * What to send behind the last run: ".\r\n" with the CRLF before it where the
 * text did not end in one.
 */
struct span	 dot_end(const struct dot *);

/* Was the last octet a CR, to which nothing can be added any more? */
bool		 dot_ends_bare(const struct dot *);

#endif
