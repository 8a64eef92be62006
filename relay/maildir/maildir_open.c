/*
 * maildir_open.c - by openat2(2); where that is not to be had (systemd hides it
 * from a unit with RestrictSUIDSGID=yes), part by part.
 */
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "base/span.h"
#include "relay/maildir/maildir_open.h"

#define OPEN_TRIES	8	/* openat2() fails with EAGAIN when somebody
				 * renames while it looks		*/

/* One name.  For a directory the kernel calls a link no directory. */
static int
open_part(int dir_fd, const char *name, int flags, mode_t mode)
{
	int fd = openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);
	struct stat st;

	if (fd == -1 && errno == ENOTDIR)
		errno = fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
	return fd;
}

/* Into name, without the slashes behind it; an error is in errno. */
static bool
take_part(struct span *path, char *name, size_t cap)
{
	size_t len = span_find(*path, '/');

	if (span_eq(span_head(*path, len), SPAN("..")) ||
	    path->ptr[0] == '/') {
		errno = EXDEV;
		return false;
	}
	if (!span_cstr(span_head(*path, len), name, cap)) {
		errno = ENAMETOOLONG;
		return false;
	}
	*path = span_tail(*path, len);
	while (path->len > 0 && path->ptr[0] == '/')
		*path = span_tail(*path, 1);
	return true;
}

static int
open_by_parts(int dir_fd, struct span path, int flags, mode_t mode)
{
	char name[NAME_MAX + 1];
	int at = dir_fd, fd, saved;

	if (path.len == 0) {
		errno = ENOENT;
		return -1;
	}
	do {
		fd = !take_part(&path, name, sizeof(name)) ? -1 :
		    path.len > 0 ?
		    open_part(at, name, O_PATH | O_DIRECTORY, 0) :
		    open_part(at, name, flags, mode);
		saved = errno;
		if (at != dir_fd)
			close(at);
		errno = saved;
		at = fd;
	} while (fd != -1 && path.len > 0);
	return fd;
}

int
maildir_open(int dir_fd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC | O_NOFOLLOW,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
		    RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	for (int i = 0; i < OPEN_TRIES; i++) {
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
		if (fd != -1 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd == -1 && errno == ENOSYS ?
	    open_by_parts(dir_fd, span_of(path), flags, mode) : (int)fd;
}
