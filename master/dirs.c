/*
 * dirs.c - a directory of ours may lie below one of a user's (a Maildir in a
 * home), so we never follow a link in its last name and never give away what
 * we did not just make.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/span.h"
#include "master/dirs.h"
#include "master/shortage.h"
#include "sys/dropdir.h"

static enum err
complain(const char *path, const char *why, int error)
{
	char words[SHORTAGE_MAX];
	struct log_line l;

	log_begin(&l, LOG_trouble);
	log_text(&l, LOG_KEY_why, why);
	log_text(&l, LOG_KEY_file, path);
	if (error != 0)
		log_text(&l, LOG_KEY_reply, shortage_text(error, words));
	log_end(&l);
	errno = error;
	return ERR_SYS;
}

/* All directories above the last name, for all to pass through. */
static enum err
make_parents(const char *path)
{
	char part[PATH_MAX];

	if (strlcpy(part, path, sizeof(part)) >= sizeof(part))
		return complain(path, "path too long", 0);
	for (char *p = strchr(part + 1, '/'); p != NULL;
	    p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(part, 0755) == -1 && errno != EEXIST)
			return complain(part, "cannot make a directory", errno);
		*p = '/';
	}
	return OK;
}

/* Nothing in it but what mkfs leaves in a new file system. */
static bool
is_empty(int dir_fd)
{
	int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	bool empty = dir != NULL;
	struct dirent *d;

	while (empty && (d = readdir(dir)) != NULL)
		empty = strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0 ||
		    strcmp(d->d_name, "lost+found") == 0;
	if (dir != NULL)
		closedir(dir);
	else if (fd != -1)
		close(fd);
	return empty;
}

/* A file system of its own, or of those that are ours below /var/lib. */
static bool
is_place_for_queue(int fd, const struct stat *st)
{
	char now[PATH_MAX], link[64];
	struct stat above;
	ssize_t len;

	if (fstatat(fd, "..", &above, 0) == -1)
		return false;
	if (above.st_dev != st->st_dev)
		return true;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, now, sizeof(now) - 1);
	if (len == -1)
		return false;
	now[len] = '\0';
	return strncmp(now, "/var/lib/", sizeof("/var/lib/") - 1) == 0;
}

/*
 * One that stands there empty and root's, a disk mounted for it, say, is taken
 * as if we had made it.  Never below a user's directory, where the user may put
 * a link to something of root's.
 */
static bool
may_adopt(int fd, const struct stat *st)
{
	mode_t mode = st->st_mode & 07777;

	return st->st_uid == 0 && (mode == 0700 || mode == 0755) &&
	    is_place_for_queue(fd, st) && is_empty(fd);
}

static enum err
give(int fd, mode_t mode, uint32_t uid, uint32_t gid)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return ERR_SYS;
	if (st.st_uid != geteuid()) {	/* not what we made */
		errno = EEXIST;
		return ERR_SYS;
	}
	/* Once it is another group's, only CAP_FSETID could set its set-gid
	 * bit; to give a directory away leaves that bit as it is. */
	if (fchmod(fd, mode) == -1)
		return ERR_SYS;
	return geteuid() == 0 && fchown(fd, uid, gid) == -1 ? ERR_SYS : OK;
}

static enum err
complain_of_owner(const char *path, const struct stat *st, uint32_t uid)
{
	char why[160];

	snprintf(why, sizeof(why), "it belongs to user %u and is to belong to "
	    "user %u, who runs the queue; for a queue's store that is: "
	    "posternctl queue adopt", (unsigned)st->st_uid, (unsigned)uid);
	return complain(path, why, 0);
}

/* What stood there already. */
static enum err
take_over(const char *path, int fd, const struct plan_process *row)
{
	struct log_line l;
	struct stat st;

	if (row->role != ROLE_QUEUE || geteuid() != 0)
		return OK;
	if (fstat(fd, &st) == -1)
		return complain(path, "cannot use a directory", errno);
	if (st.st_uid == row->uid)
		return OK;
	if (!may_adopt(fd, &st))
		return complain_of_owner(path, &st, row->uid);
	if (give(fd, 0700, row->uid, row->gid) != OK)
		return complain(path, "cannot set up a directory", errno);
	log_begin(&l, LOG_adopted);
	log_text(&l, LOG_KEY_block, row->block);
	log_text(&l, LOG_KEY_file, path);
	log_end(&l);
	return OK;
}

/* row is of the process whose directory it is; or NULL. */
static enum err
make(const char *path, const struct plan_process *row, mode_t mode)
{
	enum err e = make_parents(path);
	bool is_new;
	int fd;

	if (e != OK)
		return e;
	is_new = mkdir(path, 0700) == 0;
	if (!is_new && errno != EEXIST)
		return complain(path, "cannot make a directory", errno);
	/* One that stood there may be a link its administrator made. */
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    (is_new ? O_NOFOLLOW : 0));
	if (fd == -1)
		return complain(path, "cannot use a directory", errno);
	if (!is_new)
		e = row != NULL ? take_over(path, fd, row) : OK;
	else if ((e = give(fd, mode, row != NULL ? row->uid : 0,
	    row != NULL ? row->gid : 0)) != OK)
		(void)complain(path, "cannot set up a directory", errno);
	close(fd);
	return e;
}

/* Whose number the file has, which holds the lock. */
static enum err
complain_of_other(const char *path, int fd, int error)
{
	unsigned long long pid;
	char text[32], why[64] = "cannot take the lock";
	ssize_t len = error == EWOULDBLOCK ?
	    pread(fd, text, sizeof(text) - 1, 0) : -1;

	text[len > 0 ? len : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (error == EWOULDBLOCK)
		(void)strlcpy(why, "another postern runs here", sizeof(why));
	if (span_number(span_of(text), INT32_MAX, &pid))
		snprintf(why, sizeof(why), "another postern runs here, "
		    "process %llu", pid);
	close(fd);
	return complain(path, why, error);
}

static enum err
lock(const char *run_dir)
{
	char path[PATH_MAX], pid[16];
	int fd, len;

	snprintf(path, sizeof(path), "%s/lock", run_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return complain(path, "cannot open the lock", errno);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1)
		return complain_of_other(path, fd, errno);
	len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == -1 || write(fd, pid, (size_t)len) != len)
		return complain(path, "cannot write the lock", errno);
	return OK;	/* and open for as long as we live */
}

enum err
dirs_take(const char *run_dir)
{
	char empty[PATH_MAX];
	enum err e = make(run_dir, NULL, 0755);

	snprintf(empty, sizeof(empty), "%s" DIRS_EMPTY, run_dir);
	if (e == OK)
		e = lock(run_dir);
	if (e == OK)
		e = make(empty, NULL, 0555);
	return e;
}

enum err
dirs_own(const struct plan_process *row)
{
	return row->own_dir[0] == '\0' ? OK :
	    make(row->own_dir, row, row->role == ROLE_PICKUP ? DROPDIR_MODE :
	    0700);
}
