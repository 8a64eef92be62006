/* files.c - a directory opens like a file and is told apart afterwards. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/files.h"

static enum err
read_whole(int fd, size_t max, char **bytes, size_t *len)
{
	char *buf = NULL, *more;
	size_t used = 0, cap = 0;
	ssize_t got = 1;

	while (used <= max && got != 0) {
		if (used == cap) {
			cap = cap == 0 ? 16384 : cap * 2;
			if (cap > max + 1)
				cap = max + 1;
			more = realloc(buf, cap);
			if (more == NULL)
				break;
			buf = more;
		}
		got = read(fd, buf + used, cap - used);
		if (got == -1 && errno != EINTR)
			break;
		if (got > 0)
			used += (size_t)got;
	}
	if (got == 0 && used <= max) {
		*bytes = buf;
		*len = used;
		return OK;
	}
	free(buf);
	return used > max ? ERR_FULL : ERR_SYS;
}

/* Of an open file, which is closed; -1: errno says why there is none. */
static enum err
read_open(int fd, size_t max, char **bytes, size_t *len)
{
	struct stat st;
	enum err e = ERR_SYS;

	if (fd == -1)
		return errno == ENOENT ? ERR_NONE : ERR_SYS;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		errno = EISDIR;
	else
		e = read_whole(fd, max, bytes, len);
	close(fd);
	return e;
}

/* A FIFO must not stop us. */
#define OPEN_FLAGS	(O_RDONLY | O_CLOEXEC | O_NONBLOCK)

enum err
files_read(void *arg, const char *path, size_t max, char **bytes, size_t *len)
{
	return read_open(open(path, OPEN_FLAGS), max, bytes, len);
}

/* The next one on the way, in place of the directory. */
static int
step(int dir, const char *name, size_t len)
{
	bool is_last = name[len] == '\0';
	char one[NAME_MAX + 1];
	int fd = -1;

	if (len >= sizeof(one)) {
		errno = ENAMETOOLONG;
	} else {
		memcpy(one, name, len);
		one[len] = '\0';
		fd = openat(dir, one, OPEN_FLAGS | O_NOFOLLOW |
		    (is_last ? 0 : O_DIRECTORY));
		if (fd == -1 && errno == ENOTDIR)	/* or a link to one */
			errno = ELOOP;
	}
	if (dir != -1)
		close(dir);
	return fd;
}

enum err
files_read_below(void *arg, const char *path, size_t dir_len, size_t max,
    char **bytes, size_t *len)
{
	char *dir = strndup(path, dir_len);
	const char *at = path + dir_len;
	int fd = dir == NULL ? -1 : open(dir, OPEN_FLAGS | O_DIRECTORY);
	int saved = errno;

	free(dir);
	errno = saved;
	while (fd != -1 && *at != '\0') {
		size_t one = strcspn(at, "/");

		fd = step(fd, at, one);
		at += one;
		at += strspn(at, "/");
	}
	return read_open(fd, max, bytes, len);
}

enum err
files_glob(void *arg, const char *pattern, files_found_fn *found,
    void *found_arg)
{
	glob_t g;
	int rc = glob(pattern, 0, NULL, &g);

	if (rc == GLOB_NOMATCH)
		return OK;
	if (rc != 0)
		return ERR_SYS;
	for (size_t i = 0; i < g.gl_pathc; i++)
		found(found_arg, g.gl_pathv[i]);
	globfree(&g);
	return OK;
}
