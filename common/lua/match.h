/*
 * match - the patterns of Lua (string.find, match, gmatch, gsub), with a bound.
 *
 * What they mean is as the manual of Lua 5.4 says, 6.4.1, with the classes of
 * ASCII.  A search of Lua's own can take time that doubles with each `.-' of
 * the pattern, within one instruction; this one counts its steps and gives up.
 * Pure, and fuzzed.
 *
 *	uint64_t steps = 100000;
 *	struct match m = { .text = text, .pattern = pattern, .steps = &steps };
 *
 *	for (size_t at = 0; at <= text.len; at++)
 *		if (match_at(&m, at, &end) == MATCH_YES) ...
 *
 * Owns	   nothing
 */
#ifndef LUA_MATCH_H
#define LUA_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define MATCH_CAPTURES	32u
#define MATCH_DEPTH	200u	/* of what is tried within what is tried */

enum match_result {
	MATCH_NO,
	MATCH_YES,
	MATCH_WRONG,	/* it is no pattern: m->wrong says why	*/
	MATCH_SPENT	/* it would cost too much		*/
};

struct match_part {
	size_t		 at, len;
	/* PLACE: of `()'; OPEN in a match: its `)' is missing */
	enum { PART_OPEN, PART_DONE, PART_PLACE } is;
};

struct match {
	struct span	 text, pattern;	/* borrowed; without its first ^ */
	uint64_t	*steps;		/* left; borrowed		*/
	const char	*wrong;
	unsigned	 cnt;
	struct match_part parts[MATCH_CAPTURES];
	unsigned	 depth;		/* match.c's			*/
	enum match_result failed;	/* likewise			*/
};

/* Does it match here, and up to where?  The parts are those of this match. */
enum match_result match_at(struct match *, size_t at, size_t *end);

/* Is there nothing in it but what stands for itself? */
bool	match_is_plain(struct span pattern);

#endif
