/*
 * task - what the courier's children do: find the user, become him, and write
 * one message to his mailbox.
 *
 * The relay says to whom, and what; where mailboxes are, and who has none, the
 * courier knows from the start, and takes no word of it later.  A child of it
 * becomes the user for good: his number and group, no other groups, no
 * capabilities; so a link he made leads nowhere that he could not go himself.
 * Root it never becomes, nor a user of postern's own.  For a mailbox that is a
 * file in a directory of the host it has group mail besides, as whose that
 * directory lets locks and mailboxes be made.
 *
 * Small messages are read whole before anything is locked.
 */
#ifndef RELAY_LOCAL_TASK_H
#define RELAY_LOCAL_TASK_H

#include "base/span.h"
#include "relay/pipe/launcher.h"

/*
 * For a sender, who has no blanks: nothing is written, and whom the user
 * forwards to is told, a line each; one that begins with "#" is for the log.
 */
#define TASK_ASK	"who is he"

enum task_arg {				/* words of a request		*/
	TASK_ARG_SENDER,
	TASK_ARG_RCPT,
	TASK_ARG_NAMES			/* and on: who it may be	*/
};

/* Exit status; the words are for the log, or after DONE where it is. */
enum task_end {
	TASK_DONE,
	TASK_NO_USER,
	TASK_ROOT,		/* or of root's group			*/
	TASK_UNANSWERED,	/* the user could not be looked up	*/
	TASK_NO_HOME,
	TASK_LOCKED,
	TASK_FAILED,		/* the next ones: by errno		*/
	TASK_QUOTA,
	TASK_FULL,
	TASK_TOO_LARGE,
	TASK_NO_TEXT,		/* it did not become whole, or was to end */
	TASK__COUNT
};

struct task_rules {			/* borrowed for good		*/
	struct span	 path;		/* as the option has it		*/
	struct span	 hostname;
	uint32_t	 minimum_uid;
	int64_t		 timeout_ms;
	bool		 forwards;	/* ~/.forward counts		*/
};

/* Before launcher_start_task(). */
void	task_init(const struct task_rules *);

extern const struct launcher_task task_deliver;

#endif
