/*
 * maildir_file.c - names are those of the Maildir convention: seconds, then
 * microseconds, process and a counter, then the host.
 *
 * What a death leaves in tmp/ nobody reads.  Each so many deliveries the
 * Maildir at hand is swept of files of more than 36 hours, which the
 * convention lets anybody remove.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "relay/maildir/maildir_file.h"
#include "relay/maildir/maildir_open.h"
#include "sys/clock.h"

#define DIR_MODE	0700
#define FILE_MODE	0600
#define SIZE_ROOM	32	/* bytes of ",S=" and a number		*/
#define SWEEP_EVERY	256	/* deliveries				*/
#define SWEEP_AGE_MS	(36 * 3600 * INT64_C(1000))

static atomic_uint counter;

static int
open_dir(int dir_fd, const char *path)
{
	return maildir_open(dir_fd, path, O_RDONLY | O_DIRECTORY, 0);
}

/* Close on the way out of an error, keeping its errno. */
static void
close_quietly(int *fd)
{
	int saved = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = saved;
}

/* Open a directory, making it first when there is none; it survives a cut. */
static int
make_dir(int dir_fd, const char *name)
{
	int fd = open_dir(dir_fd, name);

	if (fd != -1 || errno != ENOENT)
		return fd;
	if (mkdirat(dir_fd, name, DIR_MODE) == -1 && errno != EEXIST)
		return -1;
	if (fsync(dir_fd) == -1)
		return -1;
	return open_dir(dir_fd, name);
}

static enum err
make_folders(int dir_fd)
{
	static const char *const folders[] = { "cur", "new", "tmp" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int fd = make_dir(dir_fd, folders[i]);

		if (fd == -1)
			return ERR_SYS;
		close(fd);
	}
	return OK;
}

/* The Maildir itself, part by part. */
static int
make_maildir(int root_fd, const char *path)
{
	struct span rest = span_of(path);
	char name[NAME_MAX + 1];
	int fd = root_fd, below;

	while (rest.len > 0) {
		size_t len = span_find(rest, '/');

		if (len > 0) {
			if (!span_cstr(span_head(rest, len), name,
			    sizeof(name))) {
				errno = ENAMETOOLONG;
				below = -1;
			} else {
				below = make_dir(fd, name);
			}
			if (fd != root_fd)
				close_quietly(&fd);
			if ((fd = below) == -1)
				return -1;
		}
		rest = span_tail(rest, len + 1);
	}
	if (fd == root_fd)
		fd = open_dir(root_fd, ".");
	if (fd != -1 && make_folders(fd) != OK)
		close_quietly(&fd);
	return fd;
}

static void
sweep(int dir_fd)
{
	int fd = open_dir(dir_fd, "tmp");
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	int64_t oldest = clock_wall_ms() - SWEEP_AGE_MS;
	struct dirent *e;
	struct stat st;

	if (dir == NULL) {
		close_quietly(&fd);
		return;
	}
	while ((e = readdir(dir)) != NULL)
		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) &&
		    (int64_t)st.st_mtim.tv_sec * 1000 < oldest)
			(void)unlinkat(fd, e->d_name, 0);
	closedir(dir);
}

/* A slash or colon in a host's name may not stand in a Maildir's.  There is
 * room left for the length. */
static void
name_file(struct maildir_file *f, struct span host, unsigned no)
{
	struct timespec now;
	size_t len;
	int n;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	n = snprintf(f->name, sizeof(f->name), "tmp/%lld.M%06ldP%ldQ%u.",
	    (long long)now.tv_sec, now.tv_nsec / 1000, (long)getpid(), no);
	len = (size_t)n;
	for (size_t i = 0; i < host.len && len + SIZE_ROOM < NAME_MAX; i++) {
		char c = host.ptr[i];

		f->name[len++] = c == '/' || c == ':' ? '_' : c;
	}
	f->name[len] = '\0';
}

static const char *
bare_name(const struct maildir_file *f)
{
	return f->name + sizeof("tmp/") - 1;
}

static int
create_file(struct maildir_file *f)
{
	return maildir_open(f->dir_fd, f->name, O_WRONLY | O_CREAT | O_EXCL,
	    FILE_MODE);
}

enum err
maildir_file_root(const char *path, int *out)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int probe;

	if (dir == -1)
		return ERR_SYS;
	if ((probe = open_dir(dir, ".")) == -1) {
		close_quietly(&dir);
		return ERR_SYS;
	}
	close(probe);
	*out = dir;
	return OK;
}

/* A file without which others take a folder for no folder. */
static enum err
mark_folder(int dir_fd)
{
	int fd = maildir_open(dir_fd, "maildirfolder", O_WRONLY | O_CREAT,
	    FILE_MODE);

	if (fd == -1)
		return ERR_SYS;
	close(fd);
	return OK;
}

/* From the Maildir to its folder, where that is there or to be made. */
static enum err
enter_folder(struct maildir_file *f, const struct maildir_wish *w)
{
	int fd;

	if (w->folder[0] == '\0')
		return OK;
	fd = w->makes_folder ? make_dir(f->dir_fd, w->folder) :
	    open_dir(f->dir_fd, w->folder);
	if (fd == -1 && !w->makes_folder && (errno == ENOENT ||
	    errno == ENOTDIR || errno == ELOOP))
		return OK;
	if (fd != -1 && w->makes_folder && mark_folder(fd) != OK)
		close_quietly(&fd);
	if (fd == -1)
		return ERR_SYS;
	close(f->dir_fd);
	f->dir_fd = fd;
	return OK;
}

static enum err
see_to_wish(struct maildir_file *f, const struct maildir_wish *w)
{
	if (w->quota != NULL) {
		f->quota = w->quota;
		f->box_fd = fcntl(f->dir_fd, F_DUPFD_CLOEXEC, 0);
		if (f->box_fd == -1 || maildir_quota_room(f->box_fd, w->quota,
		    w->len) != OK)
			return ERR_SYS;
	}
	return enter_folder(f, w);
}

enum err
maildir_file_create(struct maildir_file *f, int root_fd, const char *path,
    struct span host, const struct maildir_wish *wish)
{
	unsigned no = atomic_fetch_add(&counter, 1);

	f->quota = NULL;
	f->box_fd = f->fd = -1;
	f->has_cr = false;
	f->len = 0;
	f->dir_fd = open_dir(root_fd, *path != '\0' ? path : ".");
	if (f->dir_fd == -1 && errno == ENOENT)
		f->dir_fd = make_maildir(root_fd, path);
	if (f->dir_fd != -1 && (wish == NULL || see_to_wish(f, wish) == OK)) {
		name_file(f, host, no);
		f->fd = create_file(f);
		if (f->fd == -1 && errno == ENOENT &&
		    make_folders(f->dir_fd) == OK)
			f->fd = create_file(f);
	}
	if (f->fd == -1) {
		close_quietly(&f->dir_fd);
		close_quietly(&f->box_fd);
		return ERR_SYS;
	}
	if (no % SWEEP_EVERY == 0)
		sweep(f->dir_fd);
	return OK;
}

static enum err
write_all(struct maildir_file *f, const char *bytes, size_t len)
{
	f->len += len;
	while (len > 0) {
		ssize_t n = write(f->fd, bytes, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return ERR_SYS;
		bytes += n;
		len -= (size_t)n;
	}
	return OK;
}

static void
put_address(char *buf, size_t *len, size_t cap, struct span s)
{
	for (size_t i = 0; i < s.len && *len < cap; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		buf[(*len)++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
}

enum err
maildir_file_envelope(struct maildir_file *f, struct span sender,
    struct span rcpt)
{
	static const char head[] = "Return-Path: <", middle[] =
	    ">\nDelivered-To: ";
	char buf[2400];
	size_t len = sizeof(head) - 1;

	memcpy(buf, head, len);
	put_address(buf, &len, len + 1024, sender);
	memcpy(buf + len, middle, sizeof(middle) - 1);
	len += sizeof(middle) - 1;
	put_address(buf, &len, len + 1024, rcpt);
	buf[len++] = '\n';
	return write_all(f, buf, len);
}

/* Copy without the CR of each CRLF; a CR at the end waits for what follows. */
static size_t
undo_crlf(struct maildir_file *f, struct span s, char *out)
{
	size_t len = 0;

	while (s.len > 0) {
		size_t run = span_find(s, '\r');

		if (f->has_cr && s.ptr[0] != '\n')
			out[len++] = '\r';
		f->has_cr = false;
		memcpy(out + len, s.ptr, run);
		len += run;
		if (run < s.len)
			f->has_cr = true;
		s = span_tail(s, run + 1);
	}
	return len;
}

enum err
maildir_file_text(struct maildir_file *f, struct span s)
{
	char buf[PIECE_MAX + 1];

	return write_all(f, buf, undo_crlf(f, s, buf));
}

static enum err
move_to_new(struct maildir_file *f)
{
	char name[MAILDIR_FILE_NAME_MAX];
	int tmp_fd = -1, new_fd = -1;
	enum err e = ERR_SYS;

	snprintf(name, sizeof(name), "%s,S=%llu", bare_name(f),
	    (unsigned long long)f->len);

	if ((tmp_fd = open_dir(f->dir_fd, "tmp")) == -1)
		goto out;
	if ((new_fd = open_dir(f->dir_fd, "new")) == -1)
		goto out;
	if (renameat2(tmp_fd, bare_name(f), new_fd, name, RENAME_NOREPLACE) ==
	    -1)
		goto out;
	if (fsync(new_fd) == -1) {
		int saved = errno;

		(void)unlinkat(new_fd, name, 0);
		errno = saved;
		goto out;
	}
	(void)strlcpy(f->name + sizeof("tmp/") - 1, name,
	    sizeof(f->name) - (sizeof("tmp/") - 1));
	e = OK;
out:
	close_quietly(&new_fd);
	close_quietly(&tmp_fd);
	return e;
}

enum err
maildir_file_commit(struct maildir_file *f)
{
	if ((f->has_cr && write_all(f, "\r", 1) != OK) ||
	    (f->quota != NULL && maildir_quota_room(f->box_fd, f->quota,
	    f->len) != OK) || fsync(f->fd) == -1 || move_to_new(f) != OK) {
		maildir_file_abort(f);
		return ERR_SYS;
	}
	if (f->quota != NULL)
		maildir_quota_add(f->box_fd, f->len);
	close_quietly(&f->fd);
	close_quietly(&f->dir_fd);
	close_quietly(&f->box_fd);
	return OK;
}

void
maildir_file_abort(struct maildir_file *f)
{
	int saved = errno;

	if (f->fd != -1)
		(void)unlinkat(f->dir_fd, f->name, 0);
	errno = saved;
	close_quietly(&f->fd);
	close_quietly(&f->dir_fd);
	close_quietly(&f->box_fd);
}
