/*
 * cmd_adopt.c - queue adopt: the store of a queue that does not run becomes
 * postern's, as after a move to another host.  Offline, as root, and only for
 * what a store is made of: regular files with a single name.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/tool/cmd.h"
#include "sys/roles.h"

#define STORE_FILE	"data.mdb"
#define STORE_MODE	0700

/* With passwd NULL only see whether it may be given away. */
static bool
give_file(int dir_fd, const char *name, const struct passwd *to)
{
	int fd = openat(dir_fd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	bool good = false;

	if (fd == -1 || fstat(fd, &st) == -1)
		run_complain("%s: %s", name, strerror(errno));
	else if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		run_complain("%s is not a file that a queue has made", name);
	else if (to != NULL && fchown(fd, to->pw_uid, to->pw_gid) == -1)
		run_complain("%s: %s", name, strerror(errno));
	else
		good = true;
	if (fd != -1)
		close(fd);
	return good;
}

static bool
give_all(int dir_fd, const struct passwd *to)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	const struct dirent *d;
	bool good = dir != NULL;

	if (dir == NULL && fd != -1)
		close(fd);
	while (good && (d = readdir(dir)) != NULL)
		good = strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0 ||
		    strcmp(d->d_name, "lost+found") == 0 ||
		    give_file(dir_fd, d->d_name, to);
	if (dir != NULL)
		closedir(dir);
	return good;
}

/* The store's file, locked as its queue would; -1 after a complaint. */
static int
lock_store(int dir_fd, const char *path)
{
	int fd = openat(dir_fd, STORE_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		run_complain("%s: no store of a queue: %s: %s", path,
		    STORE_FILE, strerror(errno));
	else if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		run_complain("%s: its queue runs", path);
		close(fd);
		fd = -1;
	}
	return fd;
}

static enum run_end
adopt(const char *path, int dir_fd, const struct passwd *to)
{
	int lock_fd = lock_store(dir_fd, path);
	enum run_end end = END_NOTHING;

	if (lock_fd == -1)
		return END_NOTHING;
	if (!give_all(dir_fd, NULL) || !give_all(dir_fd, to))
		goto out;
	if (fchown(dir_fd, to->pw_uid, to->pw_gid) == -1 ||
	    fchmod(dir_fd, STORE_MODE) == -1) {
		run_complain("%s: %s", path, strerror(errno));
		goto out;
	}
	printf("%s belongs to %s (%u) now\n", path, to->pw_name,
	    (unsigned)to->pw_uid);
	end = END_DONE;
out:
	close(lock_fd);
	return end;
}

enum run_end
cmd_queue_adopt(struct run *r)
{
	const struct passwd *to = getpwnam(role_row(ROLE_QUEUE)->user);
	enum run_end end;
	int fd;

	if (r->arg_cnt != 1) {
		run_complain("queue adopt: which directory?  "
		    "Say the path of a queue");
		return END_USAGE;
	}
	if (geteuid() != 0) {
		run_complain("queue adopt is for root");
		return END_DENIED;
	}
	if (to == NULL) {
		run_complain("this host has no user %s",
		    role_row(ROLE_QUEUE)->user);
		return END_NOTHING;
	}
	fd = open(r->args[0], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		run_complain("%s: %s", r->args[0], strerror(errno));
		return END_NOTHING;
	}
	end = adopt(r->args[0], fd, to);
	close(fd);
	return end;
}
