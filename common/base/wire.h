/*
 * wire - bytes as they cross the bus and lie in records: little-endian
 * integers of fixed width, and length-prefixed strings.
 *
 * Both sides carry a flag that sticks: write or read as much as you like and
 * ask once at the end.  A reader that went wrong yields zeros and empty spans.
 * What a reader yields points into its input.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct wire_out {
	uint8_t	*buf;		/* borrowed			*/
	size_t	 len, cap;	/* bytes used and available	*/
	bool	 bad;		/* something did not fit	*/
};

struct wire_in {
	const uint8_t	*pos, *end;	/* borrowed	*/
	bool		 bad;		/* ran short, or a length lied */
};

void		wire_u8(struct wire_out *, uint8_t);
void		wire_u16(struct wire_out *, uint16_t);
void		wire_u32(struct wire_out *, uint32_t);
void		wire_u64(struct wire_out *, uint64_t);
void		wire_bytes(struct wire_out *, const void *, size_t);
/* A u16 length, then that many bytes; longer than max is bad. */
void		wire_str(struct wire_out *, struct span, size_t max);

uint8_t		wire_get_u8(struct wire_in *);
uint16_t	wire_get_u16(struct wire_in *);
uint32_t	wire_get_u32(struct wire_in *);
uint64_t	wire_get_u64(struct wire_in *);
void		wire_get_bytes(struct wire_in *, void *, size_t);
struct span	wire_get_str(struct wire_in *, size_t max);

/* Did all reads succeed, and is nothing left over? */
bool		wire_done(const struct wire_in *);

#endif
