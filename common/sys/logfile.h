/*
 * logfile - where log lines go: our own open description of standard error.
 *
 * Each line is one write.  What would block is dropped and counted, and the
 * next line that gets through says how many (dropped=).  Lines begin with the
 * time in UTC; where standard error is the journal, which stamps them itself,
 * with their level, as <3>, which it takes off.
 */
#ifndef SYS_LOGFILE_H
#define SYS_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"

/*
 * Send the lines of base/log.h to standard error from here on.  Tries to give
 * this process a description of its own, so that non-blocking mode is nobody
 * else's; a plain file's becomes descriptor 2, append-only.  Must come before
 * the sandbox.  prefix as for log_setup().
 */
void	logfile_open(const char *prefix, bool debug);

/* What the journal wants in front of a line, "" elsewhere. */
const char *logfile_level(enum log_level);

/* Write a line (newline included) of a trace: no time, no prefix. */
void	logfile_trace(const char *line, size_t len);

/* The same with another prefix, later. */
void	logfile_rename(const char *prefix);

#endif
