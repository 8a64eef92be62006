/*
 * become - from the names that a recipient may have to being that user, in a
 * child of a launcher that may (roles COURIER and RUNNER).
 *
 * He is never root, nor of root's group, nor a user of postern's own.  He has
 * his number and his group, no other groups and no capabilities; so a link he
 * made leads nowhere that he could not go himself.
 *
 * Blocks  become_find() for as long as it is told
 * Errors  ERR_NONE there is no such user; ERR_PEER he may not be become;
 *	   ERR_SYS errno
 */
#ifndef RELAY_LOCAL_BECOME_H
#define RELAY_LOCAL_BECOME_H

#include "relay/local/who.h"
#include "relay/pipe/launcher.h"
#include "sys/sandbox.h"

/* In the launcher: fork the finder, and note who is ours for the sandbox. */
MUST_CHECK enum err become_begin(int *finder, struct sandbox *);

/* In a child: the first of these names that is a user. */
MUST_CHECK enum err become_find(int finder, const char *const *names,
	    unsigned cnt, uint32_t minimum_uid, int patience_ms,
	    struct who *out);

/*
 * For good, with gid in place of his own group for files; *note is set to
 * whom.  Not started as root, all we can be is who we are.
 */
MUST_CHECK enum err become_user(const struct who *, gid_t gid,
	    volatile uint32_t *note);

#endif
