/*
 * programs - the program files, opened once at our start and run by
 * descriptor, so that a package upgrade never mixes versions.
 *
 * Owns	   one descriptor a program, for the life of the process
 * Blocks  no
 * Errors  ERR_SYS, after a log line event=trouble with the file's name
 */
#ifndef MASTER_PROGRAMS_H
#define MASTER_PROGRAMS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "sys/roles.h"

#define PROGRAMS_FD	3	/* where a program finds its socket */

/* The directory of our own file, with the last slash; false: unknown. */
bool		 programs_directory(char *buf, size_t cap);

/* Find and open them beside our own file. */
MUST_CHECK enum err programs_open(void);

/*
 * Run the program of a role with `fd` (borrowed) as descriptor 3, standard
 * error shared, standard input and output nowhere, no signal blocked, a
 * process group of its own, and of our environment what the house knows.
 * argv ends in NULL.
 */
MUST_CHECK enum err programs_run(pid_t *out, enum role, char *const argv[],
    int fd);

#endif
