/*
 * users.c - a file beside it is written, forced to disk, and takes its name;
 * then the name is forced to disk.  The lock is on that new file, which nobody
 * else can open: so nobody else can hold us up.  Who has waited finds that it
 * took the name of the old one, and begins again with the next.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/tool/users.h"
#include "mail/account.h"
#include "sys/files.h"

struct place {
	int	 dir_fd;
	char	 name[NAME_MAX + 1];
	char	 temporary[NAME_MAX + 1];
};

enum err
users_read(const char *path, struct span *out)
{
	char *bytes = NULL;
	size_t len = 0;
	enum err e = files_read(NULL, path, ACCOUNT_FILE_MAX, &bytes, &len);

	if (e == ERR_FULL) {
		errno = EFBIG;
		e = ERR_SYS;
	}
	if (e == OK)
		*out = (struct span){ bytes, len };
	return e;
}

/* Is it a link that leads nowhere?  It would be replaced, not followed. */
static bool
is_dangling(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/*
 * Who may write the directory may put a file of his own in the place of ours,
 * and so name who may log in; where a sticky bit keeps him from that, he may
 * still hold our temporary file.
 */
static enum err
judge_dir(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return ERR_SYS;
	if ((st.st_mode & S_IWOTH) != 0 || ((st.st_mode & S_IWGRP) != 0 &&
	    st.st_gid != 0 && st.st_gid != getegid()))
		return ERR_PEER;
	return st.st_uid == geteuid() || st.st_uid == 0 || geteuid() == 0 ?
	    OK : ERR_PEER;
}

/* Split a path whose links are followed; the directory must be there. */
static enum err
open_place(struct place *p, const char *path)
{
	char whole[PATH_MAX], *slash;
	const char *dir = ".", *name = whole;

	if (realpath(path, whole) == NULL) {
		if (errno != ENOENT)
			return ERR_SYS;
		if (is_dangling(path)) {
			errno = ENOENT;
			return ERR_SYS;
		}
		if (strlcpy(whole, path, sizeof(whole)) >= sizeof(whole)) {
			errno = ENAMETOOLONG;
			return ERR_SYS;
		}
	}
	if ((slash = strrchr(whole, '/')) != NULL) {
		*slash = '\0';
		name = slash + 1;
		dir = slash == whole ? "/" : whole;
	}
	if (strlcpy(p->name, name, sizeof(p->name)) >= sizeof(p->name) ||
	    (size_t)snprintf(p->temporary, sizeof(p->temporary), ".%s.new",
	    name) >= sizeof(p->temporary)) {
		errno = ENAMETOOLONG;
		return ERR_SYS;
	}
	p->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->dir_fd == -1 ? ERR_SYS : judge_dir(p->dir_fd);
}

static enum err
write_all(int fd, struct span text)
{
	while (text.len > 0) {
		ssize_t n = write(fd, text.ptr, text.len);

		if (n == -1 && errno != EINTR)
			return ERR_SYS;
		text = span_tail(text, n > 0 ? (size_t)n : 0);
	}
	return OK;
}

/* Is that still the file of this name, and not the one that took another? */
static bool
is_in_place(const struct place *p, int fd)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && fstatat(p->dir_fd, p->temporary,
	    &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

/* What another of us has left, or is at; nobody else can have made it. */
static bool
is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && st.st_nlink == 1;
}

static int
open_temporary(const struct place *p)
{
	int fd = openat(p->dir_fd, p->temporary, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd != -1 || errno != EEXIST)
		return fd;
	fd = openat(p->dir_fd, p->temporary, O_WRONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 || is_ours(fd))
		return fd;
	close(fd);
	errno = EEXIST;
	return -1;
}

/* The new file, empty and ours alone; what was killed may have left one. */
static enum err
open_new(const struct place *p, int *out)
{
	for (;;) {
		int fd = open_temporary(p);

		if ((*out = fd) == -1 && errno == ENOENT)
			continue;	/* it has just taken its name */
		if (fd == -1)
			return ERR_SYS;
		while (flock(fd, LOCK_EX) == -1)
			if (errno != EINTR)
				return ERR_SYS;
		if (is_in_place(p, fd))
			return ftruncate(fd, 0) == -1 ? ERR_SYS : OK;
		close(fd);
		*out = -1;
	}
}

/*
 * Fill the new file; whose it will be, and for which group, is as with the old
 * one.  Others never.
 */
static enum err
fill(const struct place *p, int fd, struct span text)
{
	struct stat old = { .st_mode = 0600 }, new;

	if (fchmod(fd, 0600) == -1 || fstat(fd, &new) == -1)
		return ERR_SYS;
	if (fstatat(p->dir_fd, p->name, &old, 0) == 0) {
		if ((old.st_uid != new.st_uid || old.st_gid != new.st_gid) &&
		    fchown(fd, old.st_uid, old.st_gid) == -1)
			return ERR_SYS;
	} else if (errno != ENOENT)
		return ERR_SYS;
	if (write_all(fd, text) != OK || fchmod(fd, old.st_mode & 0770) == -1 ||
	    fsync(fd) == -1)
		return ERR_SYS;
	return OK;
}

/* What the file holds now, changed, into the new one. */
static enum err
write_new(const struct place *p, int fd, users_change_fn *fn, void *arg)
{
	struct span old = { NULL, 0 }, new = { NULL, 0 };
	char path[64 + NAME_MAX];
	enum err e;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", p->dir_fd,
	    p->name);
	e = users_read(path, &old);
	if (e == ERR_NONE)
		e = OK;
	if (e == OK)
		e = fn(old, &new, arg);
	if (e == OK)
		e = fill(p, fd, new);
	free((void *)(uintptr_t)old.ptr);
	free((void *)(uintptr_t)new.ptr);
	return e;
}

static enum err
change(const struct place *p, int fd, users_change_fn *fn, void *arg)
{
	enum err e = write_new(p, fd, fn, arg);
	int error;

	if (e == OK && renameat(p->dir_fd, p->temporary, p->dir_fd,
	    p->name) == 0)
		return fsync(p->dir_fd) == -1 ? ERR_SYS : OK;
	error = errno;
	(void)unlinkat(p->dir_fd, p->temporary, 0);
	errno = error;
	return e == OK ? ERR_SYS : e;
}

enum err
users_change(const char *path, users_change_fn *fn, void *arg)
{
	struct place p = { .dir_fd = -1 };
	enum err e = open_place(&p, path);
	int error, fd = -1;

	if (e == OK)
		e = open_new(&p, &fd);
	if (e == OK)
		e = change(&p, fd, fn, arg);
	error = errno;
	if (fd != -1)
		close(fd);
	if (p.dir_fd != -1)
		close(p.dir_fd);
	errno = error;
	return e;
}
