/*
 * maildir_path - which Maildir is a recipient's: a template with {user} and
 * {domain}, filled in so that no recipient can lead out of his place.
 *
 * {user} is the local part as given, its quotes undone, or as much of it as the
 * delimiter leaves, or that in lower case; {domain} is the domain
 * as domain_key() has it, or that of this host's name for a bare "postmaster".
 * Neither may be empty, begin with a dot, or hold a slash, a NUL or a control;
 * no part of the path may be longer than a file name.
 *
 * Errors  ERR_PEER no such place: 550 5.1.3
 */
#ifndef RELAY_MAILDIR_PATH_H
#define RELAY_MAILDIR_PATH_H

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

#define MAILDIR_PATH_MAX	1024	/* bytes with NUL		*/

struct maildir_naming {
	struct span	 template;	/* relative to whatever is the root */
	struct span	 hostname;
	bool		 fold_case;	/* of {user}, ASCII alone	*/
	char		 delimiter;	/* of "user+detail"; 0 none	*/
};

#define MAILDIR_FOLDER_MAX	(NAME_MAX + 1)	/* bytes with NUL	*/

/* buf has MAILDIR_PATH_MAX bytes. */
MUST_CHECK enum err maildir_path_fill(const struct maildir_naming *,
    struct span rcpt, char *buf);

/*
 * The folder in it that the detail names, ".DETAIL", or "": there is no detail,
 * it is INBOX, or no folder can have that name.  A dot within makes it a folder
 * of a folder (Maildir++); one in front, at the end or behind another does not.
 */
void	maildir_path_folder(const struct maildir_naming *, struct span rcpt,
    char buf[MAILDIR_FOLDER_MAX]);

#endif
