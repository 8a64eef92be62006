/* rights.c - the table, and the groups of a peer. */
#include <sys/socket.h>

#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/messages.h"
#include "ctl/control/rights.h"

#define GROUPS_MAX	1024		/* of one peer; more count as none */
#define NO_GROUP	((gid_t)-1)

static gid_t	group_all = NO_GROUP, group_read = NO_GROUP;

static const enum right needed[MSG__COUNT] = {
#define RIGHT(message, right)	[MSG_##message] = RIGHT_##right,
#include "ctl/control/rights.def"
#undef RIGHT
};

static gid_t
gid_of(const char *name)
{
	const struct group *g = getgrnam(name);

	return g == NULL ? NO_GROUP : g->gr_gid;
}

void
rights_set(gid_t all, gid_t read)
{
	group_all = all;
	group_read = read;
}

void
rights_learn(void)
{
	rights_set(gid_of(RIGHTS_GROUP_ALL), gid_of(RIGHTS_GROUP_READ));
}

static enum right
right_of(gid_t gid)
{
	if (gid == NO_GROUP)
		return RIGHT_NONE;
	return gid == group_all ? RIGHT_ALL :
	    gid == group_read ? RIGHT_READ : RIGHT_NONE;
}

enum right
rights_by(uid_t uid, gid_t gid, const gid_t *gids, size_t cnt)
{
	enum right best = right_of(gid);

	if (uid == 0 || uid == geteuid())
		return RIGHT_ALL;
	for (size_t i = 0; i < cnt; i++)
		if (right_of(gids[i]) > best)
			best = right_of(gids[i]);
	return best;
}

enum right
rights_of(int fd)
{
	gid_t gids[GROUPS_MAX];
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1 ||
	    len != sizeof(who))
		return RIGHT_NONE;
	len = sizeof(gids);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &len) == -1)
		len = 0;
	return rights_by(who.uid, who.gid, gids, len / sizeof(gids[0]));
}

void
rights_who(int fd, char buf[RIGHTS_WHO_MAX])
{
	struct ucred who;
	socklen_t len = sizeof(who);

	buf[0] = '\0';
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1 ||
	    len != sizeof(who))
		(void)strlcpy(buf, "nobody known", RIGHTS_WHO_MAX);
	else if (who.uid != 0 && who.uid != geteuid())
		(void)snprintf(buf, RIGHTS_WHO_MAX, "uid %lu",
		    (unsigned long)who.uid);
}

bool
rights_allow(enum right right, unsigned type)
{
	return type < MSG__COUNT && needed[type] != RIGHT_NONE &&
	    right >= needed[type];
}
