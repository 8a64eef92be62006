/* carry.c - one line a table. */
#include "queue/salvage/carry.h"

static const enum carry carried[TABLE__COUNT] = {
	[TABLE_MESSAGE] = CARRY_MESSAGE,
	[TABLE_HEADER] = CARRY_MESSAGE,
	[TABLE_BODY] = CARRY_MESSAGE,
	[TABLE_CRC] = CARRY_MESSAGE,
	[TABLE_RECIPIENT] = CARRY_MESSAGE,
	[TABLE_DELIVERY] = CARRY_MESSAGE,
	[TABLE_REPORT] = CARRY_MESSAGE,
	[TABLE_HISTORY] = CARRY_ALONE,
	[TABLE_STORY] = CARRY_ALONE,
	[TABLE_LOOKUP] = CARRY_ALONE,
	[TABLE_DISCARD] = CARRY_ALONE,
	[TABLE_SUSPENSION] = CARRY_ALONE,
	[TABLE_DUE] = CARRY_MADE,
	[TABLE_TOTAL] = CARRY_MADE,
	/* Uploads that were never acknowledged. */
	[TABLE_LOOSE] = CARRY_NOT,
	/* Notes about rows of the old store. */
	[TABLE_QUARANTINE] = CARRY_NOT,
};

enum carry
carry_of(enum table t)
{
	return carried[t];
}
