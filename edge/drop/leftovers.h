/*
 * leftovers - the files that are not taken: those that are odd, so that each is
 * told of once and not opened again before it has changed, and those that had
 * to wait, with when they are tried next.  Known by number and time of change,
 * so whatever is done to a file makes it a new one.
 *
 * The table grows to LEFTOVERS_MAX.  When it is full no more are learnt: they
 * are looked at in each round.  What a whole round has not seen is forgotten.
 *
 * Owns	   its table, which it has from the first one on
 */
#ifndef EDGE_DROP_LEFTOVERS_H
#define EDGE_DROP_LEFTOVERS_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stdint.h>

#define LEFTOVERS_MAX	262144u	/* places, a power of two: 8 MiB	*/
#define LEFTOVERS_ODD	INT64_MAX	/* due_ms: never		*/

struct leftover {
	uint64_t	 inode;
	int64_t		 changed_ns;	/* 0: the place is free	*/
	int64_t		 due_ms;	/* monotonic; 0: now		*/
	uint32_t	 round;		/* it was seen in last		*/
	uint32_t	 tries;		/* that were answered: not now	*/
};

struct leftovers {
	struct leftover *files;	/* place_cnt of them, or NULL	*/
	unsigned	 place_cnt, cnt;
	uint32_t	 round;
};

/* NULL: it is none of them.  Seen in this round from here on. */
struct leftover *leftovers_find(struct leftovers *, const struct stat *);
/* The same, made if need be; NULL: it is full, and does not know that one. */
struct leftover *leftovers_add(struct leftovers *, const struct stat *);
bool	leftovers_is_full(const struct leftovers *);

/* A round has seen the whole directory: forget what was not there.  The next
 * one begins. */
void	leftovers_end_round(struct leftovers *);
/* Those that wait are due, whatever they were told. */
void	leftovers_hurry(struct leftovers *);
void	leftovers_free(struct leftovers *);

#endif
