/*
 * text - the message on standard input, read to its end before anybody is
 * talked to: who writes it may take hours (a cron job), an edge does not wait.
 *
 * Line ends become CRLF: a line may end in LF, in a CR alone, or in any number
 * of CRs and a LF.  NULs are dropped, and a first line "From ..." of a mailbox
 * file is.  Lines of over TEXT_LINE_MAX bytes are cut, in the header folded.
 *
 * Owns	   the header in memory, the body in a file without a name
 * Blocks  on the input
 * Errors  ERR_FULL a header of over TEXT_HEADER_MAX bytes; ERR_SYS errno;
 *	   ERR_CLOSED the line that has to come did not
 */
#ifndef CTL_SENDMAIL_TEXT_H
#define CTL_SENDMAIL_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/span.h"

#define TEXT_HEADER_MAX	(1u << 20)	/* bytes */

struct text {
	struct span	 header;	/* fields, without the empty line */
	FILE		*body;		/* at its beginning		*/
	uint64_t	 body_len;	/* bytes			*/
	bool		 is_8bit;
};

enum text_end {
	TEXT_EOF,		/* all of the input		*/
	TEXT_DOT,		/* a line with nothing but a dot, or that */
	TEXT_DOTTED		/* that line, and it has to come; a dot in
				 * front of any other is taken off */
};

/* *has_ended, also on error: that line was read. */
MUST_CHECK enum err	text_read(struct text *out, FILE *in, enum text_end,
			    bool *has_ended);
void			text_free(struct text *);

#endif
