/*
 * slice_out - the making of what conf/slice/slice.h reads.
 *
 *	slice	u32 SLICE_MAGIC, block (its own), block (process)
 *	block	u32 length of what follows,
 *		u16 count, that many options: string name, u32 count,
 *		    that many values: u64 number, string text
 *		u16 count, that many nested: string word, block
 *
 * Little-endian; a string is a u16 length and its bytes.  There is no checksum:
 * a slice travels in sealed memory and is never stored.
 */
#ifndef CONF_SLICE_OUT_H
#define CONF_SLICE_OUT_H

#include "conf/block.h"
#include "conf/slice/slice.h"

/* A file that master opens for the process. */
struct slice_file {
	const struct reading *path;
	bool		 is_secret;
};

/* A slice, and what the numbers of its files and sockets stand for. */
struct slice_out {
	struct span	 bytes;		/* in the arena of the conf	*/
	unsigned	 file_cnt, endpoint_cnt;
	struct slice_file files[PLAN_FILES_MAX];
	const struct reading *endpoints[PLAN_ENDPOINTS_MAX];
};

/*
 * The slice of the block for a process of the role.  Besides its own nested
 * blocks it has
 *
 *	edge	`policies' of its queue
 *	queue	a `relay' for each relay it can reach, and a `queue': its
 *		bounce_queue
 *	relay	of type mx: an `edge' for each edge, with its listeners
 *	keys	an `edge' or a `relay' for each block that has a key, with its
 *		`tls'; the slice's own block is then the file
 */
MUST_CHECK enum err	slice_out_make(struct conf *, const struct block *,
			    enum role, struct slice_out *out);

#endif
