/*
 * marks - bytes of a file of their own, by which processes agree on who has
 * what.
 *
 * A mark is a record lock (fcntl(2), F_SETLK): one process at a time has it,
 * and when that ends, however it ends, the kernel takes the mark back.  So
 * there is no account that could be wrong, and nothing to mend after a crash.
 * Marks of our own are never in our way: who needs to know them keeps account.
 *
 * The file can be written by nobody.  What stands in it is a number that only
 * those know who were given the file.
 *
 * Owns	   the file; it must stay open in one descriptor, for a process that
 *	   closes any of them loses all its marks
 * Blocks  never
 * Errors  ERR_SYS
 */
#ifndef SYS_MARKS_H
#define SYS_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define MARKS_END	((uint64_t)INT64_MAX)	/* bytes are below this	*/

/* A new file, without marks; the descriptor is yours. */
MUST_CHECK enum err	 marks_make(int *out_fd);
MUST_CHECK enum err	 marks_number(int fd, uint64_t *out);

/* Have this byte.  ERR_FULL: another process has it. */
MUST_CHECK enum err	 mark_set(int fd, uint64_t at);
void			 mark_drop(int fd, uint64_t at);

/*
 * Does another process have one of these cnt bytes, cnt not 0?  Then *end, if
 * not NULL, is behind one such, and behind those next to it that are the same
 * process's; there may be others on both sides.
 */
bool			 marks_others(int fd, uint64_t from, uint64_t cnt,
			    uint64_t *end);

#endif
