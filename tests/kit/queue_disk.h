/*
 * queue_disk - a small disk of its own for a test, which runs in a child: a
 * tmpfs in a mount namespace, with or without root.
 */
#ifndef TESTS_QUEUE_DISK_H
#define TESTS_QUEUE_DISK_H

#include <sys/mount.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <sched.h>

#include "queue_kit.h"

#define DISK_PATIENCE_S	40

static inline bool
disk_put_line(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY);
	ssize_t len = (ssize_t)strlen(line);
	bool ok = fd != -1 && write(fd, line, (size_t)len) == len;

	if (fd != -1)
		close(fd);
	return ok;
}

/* May mount from here on, and leaves what is mounted when it ends. */
static inline bool
disk_enter_namespace(void)
{
	char uids[64], gids[64];

	if (geteuid() == 0)
		return unshare(CLONE_NEWNS) == 0;
	snprintf(uids, sizeof(uids), "0 %u 1", geteuid());
	snprintf(gids, sizeof(gids), "0 %u 1", getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	    disk_put_line("/proc/self/uid_map", uids) &&
	    disk_put_line("/proc/self/setgroups", "deny") &&
	    disk_put_line("/proc/self/gid_map", gids);
}

/*
 * Call fn with a directory on such a disk; size as in "size=24m".  No store may
 * be open here: a child inherits the locks its threads hold, not the threads.
 */
static inline void
disk_try(const char *size, void (*fn)(const char *dir))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		char dir[] = "/tmp/postern-disk-XXXXXX";

		alarm(DISK_PATIENCE_S);	/* a failed assertion may hang here */
		if (mkdtemp(dir) == NULL || !disk_enter_namespace() ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
		    mount("tmpfs", dir, "tmpfs", 0, size) == -1)
			_exit(2);
		fn(dir);
		umount(dir);
		rmdir(dir);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#endif
