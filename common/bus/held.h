/*
 * held - why a delivery waits without a time: numbers, which are on disk, and
 * words, the same in the log and in what posternctl prints.  Of a number that
 * is not known all that is told is what is told of HELD_UNSAID.
 */
#ifndef BUS_HELD_H
#define BUS_HELD_H

enum held {
#define HELD(name, word, why, until)	HELD_##name,
#include "bus/held.def"
#undef HELD
	HELD__COUNT
};

const char	*held_word(unsigned);	/* for programs			*/
const char	*held_why(unsigned);	/* goes on from "held "		*/
const char	*held_until(unsigned);	/* what ends it			*/
const char	*held_line(unsigned);	/* all of it, for a log		*/

#endif
