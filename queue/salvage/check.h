/*
 * check - `postern-salvage check DIR`: what is wrong with a store, without
 * touching it.
 *
 * Blocks  as the disk does
 */
#ifndef QUEUE_SALVAGE_CHECK_H
#define QUEUE_SALVAGE_CHECK_H

#include <stdbool.h>

#include "queue/salvage/rows.h"

/* Exit status. */
enum check_end {
	CHECK_WHOLE,
	CHECK_DAMAGED,
	CHECK_CANNOT		/* it cannot be read; standard error says why */
};

enum check_end	 check_run(const char *dir, bool json);

/* Open and read it all; told on standard error, but for CHECK_WHOLE. */
enum check_end	 check_read(const char *dir, struct image *, struct rows *);

/* Rows of table due that lead to no delivery, or tell of it wrongly. */
uint64_t	 check_stray_due(const struct rows *);

#endif
