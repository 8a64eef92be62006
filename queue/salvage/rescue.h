/*
 * rescue - `postern-salvage salvage DIR NEWDIR`: all that is whole into a new
 * store, all else into files.
 *
 *	NEWDIR/data.mdb		messages that can go, with what can be
 *				delivered or reported of them; history,
 *				and what nobody could be told
 *	NEWDIR/incomplete/ID.txt	of a message that lacks something:
 *				what, its sender and recipients
 *	NEWDIR/incomplete/ID.eml	its text, as far as it is there
 *
 * DIR is only read.
 *
 * Blocks  as the disk does
 */
#ifndef QUEUE_SALVAGE_RESCUE_H
#define QUEUE_SALVAGE_RESCUE_H

#include "queue/salvage/check.h"

/* CHECK_WHOLE: nothing was missing.  CHECK_DAMAGED: see NEWDIR/incomplete. */
enum check_end	 rescue_run(const char *dir, const char *new_dir, bool json);

#endif
