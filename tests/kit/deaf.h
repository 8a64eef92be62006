/*
 * deaf - every eventfd of this process stops to take what is written to it, as
 * after a fault of the kernel or a descriptor closed by mistake.
 */
#ifndef TESTS_DEAF_H
#define TESTS_DEAF_H

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEAF_FDS	1024

/* How many there were. */
static inline unsigned
deaf_make(void)
{
	int broken = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char path[64], name[PATH_MAX];
	unsigned cnt = 0;

	for (int fd = 3; fd < DEAF_FDS; fd++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if ((len = readlink(path, name, sizeof(name) - 1)) == -1)
			continue;
		name[len] = '\0';
		if (strstr(name, "[eventfd]") != NULL &&
		    dup2(broken, fd) == fd)
			cnt++;
	}
	close(broken);
	return cnt;
}

#endif
