/*
 * form - what a row of each table looks like.
 *
 * Pure.
 */
#ifndef QUEUE_SALVAGE_FORM_H
#define QUEUE_SALVAGE_FORM_H

#include "queue/store/lmdb/image.h"
#include "queue/store/lmdb/store_table.h"

/* The record of a table's rows; false: they have none. */
bool	form_kind(enum table, enum record_kind *out);

/* Can it be a row of the table?  *bad: but its record is not whole. */
bool	form_fits(enum table, const struct image_row *, bool *bad);

/* Is it a row of another table, whose record is whole? */
bool	form_is_others(enum table, const struct image_row *);

#endif
