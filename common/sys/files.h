/*
 * files - whole files and patterns, in the form that conf/conf.h wants its
 * opener in; arg is not used.
 *
 * Blocks  as the disk does
 * Errors  ERR_NONE there is no such file; ERR_FULL it is over max bytes;
 *	   ERR_SYS errno says why not
 */
#ifndef SYS_FILES_H
#define SYS_FILES_H

#include <stddef.h>

#include "base/err.h"

typedef void files_found_fn(void *found_arg, const char *path);

/* On OK *bytes is yours, to be given to free(3).  FIFOs are not waited for. */
MUST_CHECK enum err files_read(void *arg, const char *path, size_t max,
	    char **bytes, size_t *len);

/*
 * The same of a file below a directory, the first dir_len bytes of its path,
 * with the slash, to which no symbolic link leads from there: ELOOP.
 */
MUST_CHECK enum err files_read_below(void *arg, const char *path,
	    size_t dir_len, size_t max, char **bytes, size_t *len);

/* What matches, in sorted order; nothing is no error. */
MUST_CHECK enum err files_glob(void *arg, const char *pattern,
	    files_found_fn *, void *found_arg);

#endif
