/*
 * maildir_path - which Maildir is a recipient's: a template with {user} and
 * {domain}, filled in so that no recipient can lead out of his place.
 *
 * {user} is the local part as given, its quotes undone; {domain} is the domain
 * in lower case, or the name of this host for a bare "postmaster".  Neither
 * may be empty, begin with a dot, or hold a slash, a NUL or a control; no part
 * of the path may be longer than a file name.
 *
 * Errors  ERR_PEER no such place: 550 5.1.3
 */
#ifndef RELAY_MAILDIR_PATH_H
#define RELAY_MAILDIR_PATH_H

#include "base/err.h"
#include "base/span.h"

#define MAILDIR_PATH_MAX	1024	/* bytes with NUL		*/

/* template is relative, to whatever is the root; buf has MAILDIR_PATH_MAX. */
MUST_CHECK enum err maildir_path_fill(struct span template, struct span rcpt,
    struct span hostname, char *buf);

#endif
