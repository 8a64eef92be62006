/*
 * dropdir.c - what is opened is looked at again: the name may lead elsewhere by
 * then.  A FIFO or a device is not even opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "sys/dropdir.h"

static const char *
fault_of(const struct stat *st, const struct stat *dir)
{
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if (st->st_nlink > 1)
		return "it has a second name";
	if (st->st_gid != dir->st_gid)
		return "of another group than the directory, so not made here";
	return NULL;
}

static enum err
judge(const struct stat *st, const struct stat *dir, const char **why)
{
	if (st->st_nlink == 0)
		return ERR_NONE;
	*why = fault_of(st, dir);
	return *why == NULL ? OK : ERR_PEER;
}

enum err
dropdir_open(int *out, struct stat *st, int dir_fd, const struct stat *dir,
    const char *name, const char **why)
{
	enum err e;
	int fd;

	if (fstatat(dir_fd, name, st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? ERR_NONE : ERR_SYS;
	if ((e = judge(st, dir, why)) != OK)
		return e;
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return ERR_NONE;
	if (fd == -1 && (errno == EACCES || errno == EPERM ||
	    errno == ELOOP)) {
		*why = "it cannot be opened: not readable for its group";
		return ERR_PEER;
	}
	if (fd == -1)
		return ERR_SYS;
	e = fstat(fd, st) == -1 ? ERR_SYS : judge(st, dir, why);
	if (e != OK) {
		close(fd);
		return e;
	}
	*out = fd;
	return OK;
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
dropdir_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size && a->st_nlink == b->st_nlink &&
	    a->st_uid == b->st_uid &&
	    is_same_time(&a->st_mtim, &b->st_mtim) &&
	    is_same_time(&a->st_ctim, &b->st_ctim);
}

const char *
dropdir_fault(const struct stat *dir)
{
	if (dir->st_uid != geteuid())
		return "the drop directory is to belong to who reads it: "
		    "chown _postern-drop:_postern-drop";
	if ((dir->st_mode & 07777) != DROPDIR_MODE)
		return "the drop directory is to have mode 3733: chmod 3733";
	return NULL;
}
