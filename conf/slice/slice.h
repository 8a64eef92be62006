/*
 * slice - the part of the configuration that one process gets, as it reads it.
 *
 * A slice is a flat, position-independent run of bytes made by plan.c from the
 * checked configuration; every option of options.def that this
 * program may see is in it, with its default where the administrator said
 * nothing.  Option names are spelled as in options.def; asking for a name that
 * is not in the slice's block gives "absent", never an error.
 *
 * Owns	   nothing: all points into the bytes given to slice_open()
 * Errors  ERR_PEER when the bytes are not a slice of this version
 */
#ifndef CONF_SLICE_H
#define CONF_SLICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/* What the format has room for; slice_out.h shows it. */
#define SLICE_MAGIC	0x31736c70u	/* changes with the format	*/
#define SLICE_MAX	(64u * 1024 * 1024) /* bytes			*/
#define SLICE_NAME_MAX	63u		/* bytes of an option's name	*/
#define SLICE_TEXT_MAX	1023u		/* bytes of a value		*/
#define SLICE_DEPTH_MAX	4u		/* blocks within each other	*/

/*
 * The numbers of a queue's `route': its values come in pairs, a pattern, whose
 * number says what is compared with it, and what is done with those it matches.
 */
enum route_by {
	ROUTE_BY_RCPT, ROUTE_BY_SENDER, ROUTE_BY_LOGIN, ROUTE_BY__COUNT
};
enum route_does {
	ROUTE_DOES_RELAY,	/* text: name of the relay		*/
	ROUTE_DOES_REFUSE,	/* text: the reply, "5.1.6 It has moved" */
	ROUTE_DOES_DISCARD,
	ROUTE_DOES__COUNT
};

struct slice {			/* one block, outermost or nested */
	struct span	 bytes;
};

/*
 * Check the bytes whole, once; reads need no more checks.  *out is the block
 * itself: for an edge, its `edge NAME { }`.
 */
MUST_CHECK enum err slice_open(struct slice *out, struct span bytes);

/* Of `process { }`, which every slice carries: hostname and the like. */
struct slice	 slice_process(const struct slice *);

/*
 * Values of an option: an option given as "a b c", or given several times
 * where options.def allows it, has several.
 */
unsigned	 slice_count(const struct slice *, const char *option);
struct span	 slice_text(const struct slice *, const char *option,
		    unsigned i);	/* empty when absent */
/* Numbers: plain, bytes for a size, milliseconds for a duration. */
uint64_t	 slice_num(const struct slice *, const char *option);
bool		 slice_flag(const struct slice *, const char *option);

/*
 * All values in their order, for options that may have thousands: slice_text()
 * walks from the first one each time.  text is borrowed from the slice.
 */
typedef void slice_value_fn(struct span text, uint64_t num, void *arg);
void		 slice_each(const struct slice *, const char *option,
		    slice_value_fn *, void *arg);

/* Nested blocks: listener { }, rules { }, retry { }. */
unsigned	 slice_block_count(const struct slice *, const char *option);
/* The i-th; an empty block (all absent) when there is none. */
struct slice	 slice_block(const struct slice *, const char *option,
		    unsigned i);

#endif
