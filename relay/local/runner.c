/* runner.c - each step that fails says so by a LAUNCHER_* of its own. */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "relay/local/become.h"
#include "relay/local/runner.h"

#define FIND_MS	4000	/* for the name; of one that is only asked about a
			 * client waits					*/

static uint32_t	 least_uid;

void
runner_init(uint32_t minimum_uid)
{
	least_uid = minimum_uid;
}

static int
complain(int why, const char *what, const char *of, int error)
{
	char line[WHO_HOME_MAX + 128];
	int len = snprintf(line, sizeof(line), "%s%s: %s", what, of,
	    strerror(error));

	(void)!write(STDERR_FILENO, line, (size_t)len);
	return why;
}

static int
find(const struct launcher_room *room, struct who *who)
{
	switch (become_find(room->kept, room->args, room->arg_cnt, least_uid,
	    FIND_MS, who)) {
	case OK:
		return close(room->kept);
	case ERR_NONE:
		return LAUNCHER_NO_USER;
	case ERR_PEER:
		return LAUNCHER_ROOT;
	default:
		return complain(LAUNCHER_UNANSWERED, "the user cannot be "
		    "looked up", "", errno);
	}
}

static int
go_home(const struct who *who)
{
	struct stat st;

	if (chdir(who->home) == -1 || stat(".", &st) == -1)
		return complain(LAUNCHER_NO_HOME, "the home ", who->home,
		    errno);
	if (!who_owns(who, &st))
		return complain(LAUNCHER_BAD_HOME, "the home is another's, or "
		    "others may write to it: ", who->home, EPERM);
	return 0;
}

static int
run_as(struct launcher_room *room)
{
	static struct who who;
	int why;

	if ((why = find(room, &who)) != 0 || room->only_asks)
		return why;
	if (become_user(&who, who.gid, room->uid) != OK)
		return complain(LAUNCHER_NOT_RUN, "the user cannot be "
		    "become", "", errno);
	if ((why = go_home(&who)) != 0)
		return why;
	room->env = (struct launcher_env){ who.home, who.name, who.shell };
	return 0;
}

const struct launcher_task runner_task = {
	.begin = become_begin, .run = run_as,
};
