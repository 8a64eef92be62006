/*
 * eod - the reader of message text behind DATA: where it ends, with the dots
 * undone.  RFC 5321 4.1.1.4, 4.5.2 and 2.3.8.
 *
 *	struct eod e;
 *	struct span run;
 *
 *	eod_init(&e);			once, after 354
 *	for (;;)
 *		switch (eod_next(&e, &in, &run)) {
 *		case EOD_RUN:		store run
 *		case EOD_MORE:		read again into in
 *		case EOD_END:		in holds what the client sent next
 *		}
 *
 * Only CR LF . CR LF ends the text (or . CR LF as the very first thing, which
 * is the empty message).  Bare CR, bare LF and NUL end nothing and excuse
 * nothing: once one is seen the message is spoilt, no run comes any more, and
 * the reader goes on until the true end only.  The caller then refuses the
 * message (550 5.5.2) and closes, so that nothing behind it is ever run.
 *
 * A text that comes counted (BDAT, RFC 3030) has no end in it and no dots to
 * undo: is_counted, set after eod_init().  Line ends are judged as ever, those
 * that two chunks share too; eod_finish() says where the text ends.
 *
 * For clients that are trusted a bare LF may be let pass: is_lax, set after
 * eod_init().  Then it comes out as CR LF, and it is no part of an end even so:
 * a dot behind a bare LF, or before one, is undone like any other.
 */
#ifndef MAIL_EOD_H
#define MAIL_EOD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

enum eod_step {
	EOD_RUN,	/* *run holds bytes of the message, at least one    */
	EOD_MORE,	/* *in is used up				    */
	EOD_END		/* the end was consumed; *in is not the message's   */
};

struct eod {
	unsigned	 state;		/* private			    */
	size_t		 line_len;	/* private: bytes of this line	    */
	bool		 is_lax;	/* the caller's: LF is CR LF	    */
	bool		 is_counted;	/* the caller's: dots are text	    */

	/* Facts; they stick until eod_init(), and are final at EOD_END. */
	bool		 bare;		/* CR without LF, LF without CR	    */
	bool		 nul;
	bool		 is_8bit;
	size_t		 longest;	/* bytes of the longest line, its CRLF
					 * and an undone dot not counted    */
};

void		 eod_init(struct eod *);

/*
 * Take bytes from the front of *in.  *run, set on EOD_RUN only, points into
 * the input, or to a line end of our own: if lax, there may come out twice as
 * many bytes as went in.  The CRLF before the closing dot belongs to the
 * message.  The runs of a message that turns out spoilt are void, those before
 * it too.
 */
enum eod_step	 eod_next(struct eod *, struct span *in, struct span *run);

/* All of a counted text was read: its facts are final.  False: its last line
 * has no end. */
bool		 eod_finish(struct eod *);

#endif
