/*
 * check - read and check the configuration in a process that can do nothing
 * but read: `postern -n`, for the administrator and for master alike.
 *
 * Blocks  yes
 */
#ifndef MASTER_CHECK_H
#define MASTER_CHECK_H

#include <stdbool.h>

/*
 * Lock ourselves in, check the file, and tell every mistake on standard
 * error; with wants_facts also what comes of what is not written.  Where
 * plan_fd is not -1 the plan goes there.  The exit status: 0 the file is good,
 * 1 it is not, EX_OSERR it was not looked at.
 */
int	check_run(const char *file, int plan_fd, bool wants_facts);

#endif
