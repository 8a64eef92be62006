/*
 * odd - the files that are not taken, so that each is told of once and not
 * opened again before it has changed.  Known by number and time of change.
 *
 * When it is full no more are learnt: they are looked at in each round.
 *
 * Owns	   its table, which it has from the first one on
 */
#ifndef EDGE_DROP_ODD_H
#define EDGE_DROP_ODD_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stdint.h>

#define ODD_MAX		65536u	/* a power of two			*/

struct odd_file {
	uint64_t	 inode;
	int64_t		 changed_ns;	/* 0: the place is free	*/
};

struct odd {
	struct odd_file	*files;		/* ODD_MAX places, or NULL	*/
	unsigned	 cnt;
};

bool	odd_is_known(const struct odd *, const struct stat *);
/* False: it is full, and does not know that one. */
bool	odd_add(struct odd *, const struct stat *);
bool	odd_is_full(const struct odd *);
void	odd_free(struct odd *);

#endif
