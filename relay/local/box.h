/*
 * box - the mailbox of a user, whichever form it has: a file, or a Maildir
 * where the path ends with a slash.
 *
 * "~/" in front is his home; {user} is his name.  The directory up to the part
 * with the first brace, or the home, is opened as it is; below it no symbolic
 * link is followed.
 *
 * Owns	   its descriptors
 * Blocks  all but box_name()
 * Errors  ERR_SYS errno
 */
#ifndef RELAY_LOCAL_BOX_H
#define RELAY_LOCAL_BOX_H

#include "relay/local/mbox.h"
#include "relay/local/who.h"
#include "relay/maildir/maildir_file.h"

#define BOX_PATH_MAX	1024	/* bytes with NUL */

struct box {
	bool		 is_maildir;
	bool		 is_home;	/* below it			*/
	bool		 wants_group;	/* a file of the host's		*/
	bool		 is_locked;	/* by others, for too long	*/
	struct span	 hostname;
	char		 root[BOX_PATH_MAX];	/* opened as it is	*/
	char		 path[BOX_PATH_MAX];	/* below it		*/
	char		 name[BOX_PATH_MAX + WHO_HOME_MAX]; /* for words */
	int		 root_fd;
	int		 dir_fd;	/* of the file			*/
	const char	*file;		/* its last part		*/
	struct mbox_place place;
	union {
		struct mbox	 mbox;
		struct maildir_file maildir;
	};
};

/* Which it is.  False: its path would be too long, or none. */
bool		 box_name(struct box *, struct span path, struct span hostname,
		    const struct who *);
/* As the user, its root.  False: errno says why. */
bool		 box_reach(struct box *);

MUST_CHECK enum err box_open(struct box *, int patience_ms,
		    bool (*wait)(int ms));
MUST_CHECK enum err box_envelope(struct box *, struct span sender,
		    struct span rcpt);
MUST_CHECK enum err box_text(struct box *, struct span);
MUST_CHECK enum err box_commit(struct box *);
void		 box_abort(struct box *);

/* After a commit: what it is called there; "" a file's has no name. */
const char	*box_where(const struct box *);

#endif
