/*
 * check_users - the users of postern's processes, by name.
 *
 * An installed postern needs the users that its package makes.  In a build tree
 * a number of the role's own stands in for each, from a range that Debian keeps
 * free (policy 9.2.2), so that no two roles share a user there either.
 *
 * Blocks  for the name service
 */
#ifndef MASTER_CHECK_USERS_H
#define MASTER_CHECK_USERS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Load what looks users up, which the sandbox refuses later, and find out where
 * we are.
 */
void		 check_users_start(void);

/* As conf_host.user_ids. */
bool		 check_users_ids(void *arg, const char *name, uint32_t *uid,
		    uint32_t *gid);

/* The command that makes them; NULL in a build tree. */
const char	*check_users_command(void);

#endif
