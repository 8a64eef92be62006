/*
 * who - which user of this host a name is, found by a process that has no
 * rights at all.
 *
 * A look-up runs code of others: name service modules, which open sockets and
 * read what they are sent.  Whoever may become users must not run it; so it is
 * done by the finder, forked before the courier locks itself in: a user of its
 * own, no capabilities, no IP network (sandbox role FINDER).  Each question is
 * a child of it, which loads the modules anew: what hangs or dies is that
 * question alone, and a change of nsswitch.conf counts from the next one on.
 *
 * What the finder says is who gets the mail, so it is believed in that; that
 * it is not root's, nor one of ours, is looked at again by those who act on it.
 *
 * Blocks  who_ask() for as long as it is told
 * Errors  ERR_NONE there is no such user; ERR_SYS it cannot be told now
 */
#ifndef RELAY_LOCAL_WHO_H
#define RELAY_LOCAL_WHO_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/sandbox.h"

#define WHO_NAME_MAX	256	/* bytes with NUL			*/
#define WHO_HOME_MAX	1024
#define WHO_SHELL_MAX	256
#define WHO_NAMES_MAX	4	/* that a question tries		*/

struct who {
	uint32_t	 uid, gid;
	char		 name[WHO_NAME_MAX];	/* as the host has it	*/
	char		 home[WHO_HOME_MAX];
	char		 shell[WHO_SHELL_MAX];	/* never ""		*/
};

/* May it be a user's name, and a file's?  Neither dots first nor slashes. */
bool		 who_is_name(const char *);

/* Is this his own or root's, and may nobody else write to it? */
bool		 who_owns(const struct who *, const struct stat *);

/* Fork the finder; *out is where it is asked.  Before the sandbox. */
MUST_CHECK enum err who_start(int *out, const struct sandbox *);

/* The first of these names that is a user. */
MUST_CHECK enum err who_ask(int finder, const char *const *names, unsigned cnt,
	    int patience_ms, struct who *out);

#endif
