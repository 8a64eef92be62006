/*
 * text - the text of a message: its limits, its header section, its faults.
 * Whoever takes it in (framing.h) puts it in here, run by run; it knows neither
 * how it came nor who sends it.
 *
 * The header section is held (at most max_header_size) because our fields go on
 * top of it and the trace names the id; what follows the blank line goes on
 * into the stream.  Nothing of the client's text is changed.  It holds at most
 * the header section and the stream's one piece.
 *
 * A text that cannot be taken has a fault: its stream is dropped at once, and
 * what comes behind is thrown away.
 *
 * Blocks  never
 */
#ifndef EDGE_TEXT_H
#define EDGE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "edge/client/grow.h"
#include "edge/stage/reply.h"
#include "mail/header.h"
#include "mail/received.h"
#include "mail/spf_field.h"

#define TEXT_MISSING_MAX 1024	/* bytes of fields that were missing	*/
#define TEXT_FIELDS_MAX	(RECEIVED_TEXT_MAX + TEXT_MISSING_MAX + \
			 SPF_FIELD_MAX)	/* all our fields	*/

struct stream;
struct tap;

struct text {
	struct stream	*stream;	/* borrowed: where the body goes */
	struct tap	*taps;		/* theirs			*/
	uint64_t	 max_size;	/* bytes of a message		*/
	uint64_t	 max_header_size;	/* and of its header section */
	struct header_scan scan;
	struct grow	 header;	/* room for our fields, then the
					 * client's header section	*/
	size_t		 header_at;	/* where it begins		*/
	uint64_t	 size;		/* bytes of message so far	*/
	bool		 is_binary;	/* its body is any octets	*/
	bool		 is_split;	/* header section is complete	*/
	bool		 is_ended;	/* all of it has come		*/
	bool		 is_8bit;	/* facts, final when it is ended */
	size_t		 longest;	/* bytes of its longest line	*/
	struct reply	 fault;		/* code 0: none yet		*/
};

void	text_begin(struct text *, struct stream *, uint64_t max_size,
	    uint64_t max_header_size);
void	text_fini(struct text *);
/* Before the first byte; the tap is borrowed until its on_end(). */
void	text_tap(struct text *, struct tap *);

/* So many bytes come now: more than may be taken is a fault at once. */
void	text_expect(struct text *, uint64_t len);
/* A run of it, no longer than text_room() has said. */
void	text_put(struct text *, struct span run);
/* All has come, and its facts are set: what there is must be a message now. */
void	text_end(struct text *);
/* Bytes that can be put now; 0 is back pressure.  SIZE_MAX: it has a fault, and
 * throws away what comes. */
size_t	text_room(const struct text *);

/* A field of ours on top of those there are: TEXT_FIELDS_MAX bytes for all. */
void	text_add_field(struct text *, struct span field);
/* The header section as it stands; another one in its place, behind room for
 * TEXT_FIELDS_MAX bytes, taken. */
struct span text_header(const struct text *);
void	text_set_header(struct text *, struct grow *);

/* The first fault stands, unless the new one ends the connection: drop the
 * stream and all that is held. */
void	text_fault(struct text *, const struct reply *);
bool	text_has_fault(const struct text *);

#endif
