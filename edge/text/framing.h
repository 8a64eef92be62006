/*
 * framing - how a text comes: behind DATA, up to the line with one dot; or in
 * chunks whose octets are counted (BDAT, RFC 3030).  What the framing takes off
 * the client's bytes it puts into a text.
 *
 * Blocks  never
 */
#ifndef EDGE_FRAMING_H
#define EDGE_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "mail/eod.h"

struct text;

enum framing_step {
	FRAMING_MORE,	/* all input is used				*/
	FRAMING_FULL,	/* no room: go on when framing_room() is not 0	*/
	FRAMING_CHUNK,	/* all of a chunk; others follow, and a command
			 * comes first					*/
	FRAMING_END	/* end of data; what is left is a command	*/
};

struct framing {
	struct text	*text;		/* borrowed			*/
	struct eod	 eod;
	uint64_t	 left;		/* octets of the chunk		*/
	bool		 is_last;	/* no other follows it		*/
	bool		 is_binary;	/* no line ends are looked at	*/
	char		 end;		/* its last octet so far	*/
};

/* is_lax: lines may end with LF alone. */
void	framing_begin(struct framing *, struct text *, bool is_lax);
/* is_binary: BINARYMIME, whose body is whatever octets come (RFC 3030 3). */
void	framing_begin_chunks(struct framing *, struct text *, bool is_lax,
	    bool is_binary);
/* The next chunk has so many octets: all of them will be taken, whatever is
 * wrong with the text by then. */
void	framing_chunk(struct framing *, uint64_t len, bool is_last);

/*
 * Take input from the front of *in; of chunks no octet beyond the one that
 * comes.  A bare CR, a bare LF or a NUL, by which others may see a second
 * message in it, is a fault (550 5.5.2), whatever else is wrong; it ends the
 * connection where the end of the text has to be looked for.  The last line of
 * a counted text gets an end where it has none; if that is binary, a header's
 * last line alone.
 */
enum framing_step framing_take(struct framing *, struct span *in);

/* Bytes of input that framing_take() can use now; 0 is back pressure. */
size_t	framing_room(const struct framing *);

#endif
