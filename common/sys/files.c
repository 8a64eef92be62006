/* files.c - a directory opens like a file and is told apart afterwards. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
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

enum err
files_read(void *arg, const char *path, size_t max, char **bytes, size_t *len)
{
	struct stat st;
	enum err e = ERR_SYS;
	int fd;

	/* A FIFO must not stop us. */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return errno == ENOENT ? ERR_NONE : ERR_SYS;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		errno = EISDIR;
	else
		e = read_whole(fd, max, bytes, len);
	close(fd);
	return e;
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
