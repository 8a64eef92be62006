/*
 * launcher_child - what the relay and its launcher say to each other: packets
 * of one struct, both ends being the same program on the same host.
 */
#ifndef RELAY_LAUNCHER_CHILD_H
#define RELAY_LAUNCHER_CHILD_H

#include <stdbool.h>

#include "relay/pipe/launcher.h"

enum launcher_wish { LAUNCH_RUN, LAUNCH_END_TEXT, LAUNCH_KILL };

struct launcher_ask {			/* RUN with its descriptors	*/
	uint32_t	 wish;
	uint32_t	 arg_cnt, len;
	uint32_t	 name_cnt;	/* of the words, in front	*/
	uint64_t	 no;
	char		 args[PIPE_ARGS_BYTES];	/* len of them are sent	*/
};

struct launcher_report {
	uint64_t	 no;
	int32_t		 status;	/* wait(2)'s, or LAUNCHER_*	*/
};

struct launcher_life {
	int		 sock;		/* the launcher's end		*/
	int		 program;	/* its file; -1: none		*/
	bool		 is_script;	/* it begins with "#!", and so is
					 * opened once more by name	*/
	const struct launcher_task *task;	/* or NULL		*/
	int		 kept;		/* the task's, or -1		*/
	struct sandbox	 box;
};

/* Lead it; does not return. */
__attribute__((noreturn))
void	launcher_child(struct launcher_life *);

#endif
