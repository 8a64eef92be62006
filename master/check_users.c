/*
 * check_users.c - `make install' and the package put the programs into
 * PREFIX/lib/postern, and the list of users beside it.
 *
 * Name service modules are loaded by dlopen(): a look-up that finds nobody
 * makes glibc load them all.
 */
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "master/check_users.h"
#include "master/programs.h"
#include "sys/roles.h"

#define STAND_IN_UID	59900	/* and a number for each role */
#define INSTALLED	"/lib/postern/"
#define LIST		"sysusers.d/postern.conf"

static char	 command[PATH_MAX + 64];	/* "" in a build tree */

void
check_users_start(void)
{
	char dir[PATH_MAX];
	size_t len;

	(void)getpwnam("postern nobody");
	if (!programs_directory(dir, sizeof(dir)))
		return;
	len = strlen(dir);
	if (len < sizeof(INSTALLED) ||
	    strcmp(dir + len - (sizeof(INSTALLED) - 1), INSTALLED) != 0)
		return;
	dir[len - (sizeof("postern/") - 1)] = '\0';
	snprintf(command, sizeof(command), "systemd-sysusers %s" LIST, dir);
}

const char *
check_users_command(void)
{
	return command[0] != '\0' ? command : NULL;
}

/* A number that somebody has after all is no stand-in. */
static bool
stand_in(const char *name, uint32_t *uid, uint32_t *gid)
{
	if (command[0] != '\0')
		return false;
	for (unsigned r = 0; r < ROLE__COUNT; r++) {
		if (role_row(r)->user[0] != '_' ||
		    strcmp(role_row(r)->user, name) != 0)
			continue;
		*uid = *gid = STAND_IN_UID + r;
		return getpwuid(*uid) == NULL;
	}
	return false;
}

bool
check_users_ids(void *arg, const char *name, uint32_t *uid, uint32_t *gid)
{
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		return stand_in(name, uid, gid);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return true;
}
