/*
 * keep.c - written under a name that nobody takes, synced, renamed, and synced
 * once more.  The directory itself can be synced by who may read it; others
 * have syncfs(2), by way of their file.
 */
#include <sys/random.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl/sendmail/keep.h"
#include "mail/dropped.h"

#define KEPT_MODE	0640		/* its group is the directory's	*/
#define NAME_LEN	40		/* bytes of a name with NUL	*/
#define FILES_MAX	(RCPTS_MAX / DROPPED_RCPTS_MAX + 1)

struct keeping {
	struct letter	*letter;
	int		 dir_fd;
	struct stat	 dir;
	unsigned	 cnt;		/* files made			*/
	char		 names[FILES_MAX][NAME_LEN];
};

static bool
write_all(int fd, const char *bytes, size_t len)
{
	ssize_t n;

	for (; len > 0; bytes += n, len -= (size_t)n)
		if ((n = write(fd, bytes, len)) == -1) {
			if (errno != EINTR)
				return false;
			n = 0;
		}
	return true;
}

static bool
write_body(struct letter *l, int fd)
{
	char buf[65536];
	size_t n;

	rewind(l->text.body);
	while ((n = fread(buf, 1, sizeof(buf), l->text.body)) > 0)
		if (!write_all(fd, buf, n))
			return false;
	return !ferror(l->text.body);
}

/* The envelope for cnt recipients from first on. */
static bool
write_front(struct letter *l, int fd, size_t first, size_t cnt)
{
	struct dropped d = {
		.sender = span_of(l->sender), .ret = l->args->ret,
		.envid = { l->args->envid, l->args->envid_len },
		.notify = l->args->notify, .is_8bit = l->text.is_8bit,
		.is_utf8 = l->is_utf8, .rcpt_cnt = (unsigned)cnt,
		.text_len = l->header_len + l->text.body_len,
	};
	char *front = malloc(DROPPED_HEAD_MAX);
	size_t len = front == NULL ? 0 : dropped_write(&d, l->rcpts + first,
	    front, DROPPED_HEAD_MAX);
	bool ok = len > 0 && write_all(fd, front, len);

	if (len == 0)
		errno = EINVAL;
	free(front);
	return ok;
}

/* What is made here must come out as the directory's, or nobody takes it. */
static bool
has_group(const struct keeping *k, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || fchmod(fd, KEPT_MODE) == -1)
		return false;
	if (st.st_gid == k->dir.st_gid)
		return true;
	errno = EPERM;
	return false;
}

static bool
sync_name(const struct keeping *k, int fd)
{
	int dir = openat(k->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = dir != -1 && fsync(dir) == 0;

	if (dir != -1)
		close(dir);
	return ok || syncfs(fd) == 0;
}

static bool
write_file(struct keeping *k, const char *name, size_t first, size_t cnt)
{
	char done[NAME_LEN];
	struct letter *l = k->letter;
	int error, fd = openat(k->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, KEPT_MODE);
	bool ok;

	if (fd == -1)
		return false;
	snprintf(done, sizeof(done), DROPPED_DONE "%s",
	    name + sizeof(DROPPED_UNDER_WAY) - 1);
	ok = has_group(k, fd) && write_front(l, fd, first, cnt) &&
	    write_all(fd, l->header, l->header_len) && write_body(l, fd) &&
	    fsync(fd) == 0 && renameat(k->dir_fd, name, k->dir_fd, done) == 0;
	if (ok) {
		(void)strlcpy(k->names[k->cnt++], done, NAME_LEN);
		ok = sync_name(k, fd);
	}
	error = errno;
	if (!ok)
		(void)unlinkat(k->dir_fd, name, 0);
	close(fd);
	errno = error;
	return ok;
}

static bool
keep_some(struct keeping *k, size_t first, size_t cnt)
{
	uint64_t random = 0;
	char name[NAME_LEN];

	if (k->cnt == FILES_MAX ||
	    getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		errno = EAGAIN;
		return false;
	}
	snprintf(name, sizeof(name), DROPPED_UNDER_WAY "%d.%016" PRIx64,
	    (int)getpid(), random);
	return write_file(k, name, first, cnt);
}

/* Half of its recipients are none. */
static void
take_back(const struct keeping *k)
{
	for (unsigned i = 0; i < k->cnt; i++)
		(void)unlinkat(k->dir_fd, k->names[i], 0);
}

static bool
keep_all(struct keeping *k, size_t first)
{
	size_t all = k->letter->rcpt_cnt, cnt;
	int error;

	for (; first < all; first += cnt) {
		cnt = all - first < DROPPED_RCPTS_MAX ? all - first :
		    DROPPED_RCPTS_MAX;
		if (keep_some(k, first, cnt))
			continue;
		error = errno;
		take_back(k);
		errno = error;
		return false;
	}
	return true;
}

int
keep_letter(struct letter *l, const char *path, size_t first)
{
	struct keeping *k = calloc(1, sizeof(*k));
	bool ok = false;

	if (k == NULL)
		return letter_complain(l, EX_TEMPFAIL, "no memory");
	k->letter = l;
	k->dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (k->dir_fd != -1)
		ok = fstat(k->dir_fd, &k->dir) == 0 && keep_all(k, first);
	if (!ok)
		(void)letter_complain(l, EX_TEMPFAIL, "it cannot be kept in %s "
		    "either: %s", path, strerror(errno));
	if (k->dir_fd != -1)
		close(k->dir_fd);
	free(k);
	return ok ? EX_OK : EX_TEMPFAIL;
}
