/*
 * id - the name of a message: a UUIDv7 (RFC 9562 5.7), 16 bytes big-endian,
 * so that ids sort by age.  Only the queue mints them.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define ID_TEXT_LEN	36	/* characters of the dashed form */

struct id {
	uint8_t	 b[16];
};

/*
 * The next id after *last, which it replaces.  now_ms is the wall clock since
 * 1970 and may go back; the ids never do.  random8 are eight random bytes, the
 * last two of which may be a node's number.
 */
struct id	 id_next(struct id *last, int64_t now_ms,
		    const uint8_t random8[8]);

/*
 * The number of this host among several, which then never mint the same id: its
 * last four digits.  0: it has none, and nothing is changed.
 */
void		 id_set_node(uint8_t random8[8], uint16_t node);

/* The dashed form in lower case, with a NUL; buf of ID_TEXT_LEN + 1 bytes. */
void		 id_text(struct id, char *buf);

/* Read the dashed form, either case.  False when it is anything else. */
bool		 id_parse(struct span, struct id *out);
/* Read a beginning of it: the first and the last id that begin so. */
bool		 id_range(struct span, struct id *first, struct id *last);

int		 id_cmp(struct id, struct id);

#endif
