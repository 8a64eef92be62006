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
	uint64_t	 no;
	char		 args[PIPE_ARGS_BYTES];	/* len of them are sent	*/
};

struct launcher_told {
	uint64_t	 no;
	int32_t		 status;
};

/*
 * The launcher's life; does not return.  sock is its end, program the file,
 * is_script whether that begins with "#!", and so is opened once more by name.
 */
__attribute__((noreturn))
void	launcher_child(int sock, int program, bool is_script,
	    const struct sandbox *);

#endif
