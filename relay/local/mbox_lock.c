/*
 * mbox_lock.c - fcntl() first, then the dot lock, each without waiting while
 * the other is held: who takes them in the other order cannot wait for us while
 * we wait for him.
 *
 * A dot lock whose time has not changed for MBOX_LOCK_STALE_MS was left by
 * somebody who died (liblockfile and mutt think so too).  It is removed under
 * the fcntl() lock, so that of several who find it one removes it, and none the
 * new one of another.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "relay/local/mbox.h"
#include "sys/clock.h"

#define STEP_MS		200	/* between two looks			*/
#define TOUCH_MS	30000	/* how often ours is touched		*/

/* Set or let go of the lock on the file as a whole. */
static bool
lock_file(int fd, short type)
{
	struct flock lk = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(fd, F_SETLK, &lk) != -1;
}

static void
remove_stale(const struct mbox *m, const char *name)
{
	struct stat st;
	int64_t ms;

	if (fstatat(m->place->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	if (clock_wall_ms() - ms > MBOX_LOCK_STALE_MS)
		(void)unlinkat(m->place->dir_fd, name, 0);
}

/* Our number in it says to others of this host whether we still live. */
static bool
make_dot(struct mbox *m)
{
	char name[NAME_MAX + 1], pid[16];
	int fd, len;

	if ((size_t)snprintf(name, sizeof(name), "%s.lock", m->place->name) >=
	    sizeof(name)) {
		errno = ENAMETOOLONG;
		return false;
	}
	fd = openat(m->place->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0444);
	if (fd == -1) {
		if (errno == EEXIST) {
			if (!mbox_mend(m, name))
				remove_stale(m, name);
			errno = EEXIST;
		}
		return false;
	}
	len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	(void)!write(fd, pid, (size_t)len);
	m->lock_fd = fd;
	(void)strlcpy(m->lock, name, sizeof(m->lock));
	m->touched_ms = clock_mono_ms();
	return true;
}

/* ERR_AGAIN: somebody has one of the two. */
static enum err
try_both(struct mbox *m)
{
	int saved;

	if (!lock_file(m->fd, F_WRLCK))
		return errno == EAGAIN || errno == EACCES ? ERR_AGAIN :
		    ERR_SYS;
	if (make_dot(m))
		return OK;
	saved = errno;
	(void)lock_file(m->fd, F_UNLCK);
	errno = saved;
	return errno == EEXIST ? ERR_AGAIN : ERR_SYS;
}

enum err
mbox_lock(struct mbox *m)
{
	int64_t until_ms = clock_mono_ms() + m->place->patience_ms;
	enum err e;

	while ((e = try_both(m)) == ERR_AGAIN) {
		if (clock_mono_ms() >= until_ms)
			return ERR_AGAIN;
		/* Not in step with others who wait. */
		if (!m->place->wait(STEP_MS / 2 + (int)getpid() % STEP_MS))
			return ERR_CLOSED;
	}
	return e;
}

void
mbox_touch_lock(struct mbox *m)
{
	if (m->lock[0] == '\0' ||
	    clock_mono_ms() - m->touched_ms < TOUCH_MS)
		return;
	m->touched_ms = clock_mono_ms();
	(void)utimensat(m->place->dir_fd, m->lock, NULL, AT_SYMLINK_NOFOLLOW);
}

/* The other goes with the descriptor. */
void
mbox_unlock(struct mbox *m)
{
	if (m->lock[0] != '\0')
		(void)unlinkat(m->place->dir_fd, m->lock, 0);
	m->lock[0] = '\0';
	if (m->lock_fd != -1)
		close(m->lock_fd);
	m->lock_fd = -1;
}
