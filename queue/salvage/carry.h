/*
 * carry - what becomes of each table of the store when a new one is made.
 *
 * A table that is added to the store has no place here at first, and a unit
 * test says so.
 *
 * Pure
 */
#ifndef QUEUE_SALVAGE_CARRY_H
#define QUEUE_SALVAGE_CARRY_H

#include "queue/store/lmdb/store_table.h"

enum carry {
	CARRY_UNDECIDED,	/* nobody has thought of it: a fault of ours */
	CARRY_MESSAGE,		/* with the message, once it is judged	*/
	CARRY_ALONE,		/* each row that is whole, as it is	*/
	CARRY_MADE,		/* made anew from other tables		*/
	CARRY_NOT,		/* of no use to the new store		*/
};

enum carry carry_of(enum table);

#endif
