/*
 * launcher_program - a child of a launcher: it does the task, becomes the
 * program, or the one and then the other.
 *
 * Owns	   the descriptors it is given; all others of the launcher's it closes
 */
#ifndef RELAY_PIPE_LAUNCHER_PROGRAM_H
#define RELAY_PIPE_LAUNCHER_PROGRAM_H

#include "relay/pipe/launcher_child.h"

#define SOCK_FD		3	/* where they lie once all else is closed */
#define KEPT_FD		4
#define PROGRAM_FD	5

/* What a child tells its launcher: in memory that both have. */
struct launcher_note {
	volatile uint32_t uid;		/* whom it becomes, 0 nobody	*/
	volatile int32_t why;		/* LAUNCHER_*; 0 the status counts */
};

/* Whose programs are all the same user's, who he is. */
struct launcher_user {
	char		 home[256], name[256];	/* "" without a name	*/
};

/* Lead its life; fds are its first three. */
__attribute__((noreturn))
void	launcher_program(const struct launcher_life *, struct launcher_ask *,
	    const int fds[3], int sure, const struct launcher_user *,
	    struct launcher_note *);

#endif
