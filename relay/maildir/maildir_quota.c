/*
 * maildir_quota.c - one read of the file and one line at its end for a message;
 * the directories are read only where the file cannot be believed.
 *
 * Counting takes time in which others deliver.  If a directory has changed
 * since, what was counted judges this message and is not written down.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"
#include "relay/maildir/maildir_open.h"
#include "relay/maildir/maildir_quota.h"
#include "sys/clock.h"

#define FILE_NAME	"maildirsize"
#define FILE_LEN_MAX	5120	/* of Maildir++: longer ones are made anew */
#define STALE_S		(15 * 60)

struct sums {
	int64_t		 bytes, messages;
};

struct size_file {
	struct maildir_quota limits;
	struct sums	 sums;
	unsigned	 line_cnt;	/* of sums			*/
	int64_t		 changed_s;
};

/* What lies in a Maildir, and when its directories changed last. */
struct count {
	struct sums	 sums;
	struct timespec	 newest;
	bool		 has_changed;	/* when it was looked at again	*/
};

/* The file. */

static bool
take_number(struct span *s, int64_t *out)
{
	bool is_below = s->len > 0 && s->ptr[0] == '-';
	int64_t n = 0;

	if (is_below)
		*s = span_tail(*s, 1);
	if (s->len == 0 || s->ptr[0] < '0' || s->ptr[0] > '9')
		return false;
	for (; s->len > 0 && s->ptr[0] >= '0' && s->ptr[0] <= '9';
	    *s = span_tail(*s, 1))
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, s->ptr[0] - '0', &n))
			return false;
	*out = is_below ? -n : n;
	return true;
}

static struct span
take_line(struct span *s)
{
	size_t len = span_find(*s, '\n');
	struct span line = span_head(*s, len);

	*s = span_tail(*s, len < s->len ? len + 1 : len);
	return line;
}

static void
read_limits(struct span line, struct maildir_quota *out)
{
	int64_t n;

	while (line.len > 0) {
		size_t len = span_find(line, ',');
		struct span part = span_head(line, len);

		line = span_tail(line, len < line.len ? len + 1 : len);
		if (!take_number(&part, &n) || n < 0)
			continue;
		if (span_eq(part, SPAN("S")))
			out->bytes = (uint64_t)n;
		else if (span_eq(part, SPAN("C")))
			out->messages = (uint64_t)n;
	}
}

static bool
add_line(struct size_file *f, struct span line)
{
	struct sums *s = &f->sums;
	int64_t bytes, messages;

	line = span_trim(line);
	if (!take_number(&line, &bytes) || line.len == 0)
		return false;
	line = span_trim(line);
	f->line_cnt++;
	return take_number(&line, &messages) && line.len == 0 &&
	    !__builtin_add_overflow(s->bytes, bytes, &s->bytes) &&
	    !__builtin_add_overflow(s->messages, messages, &s->messages);
}

/* A last line without its end is still being written. */
static enum err
parse(struct size_file *f, struct span text)
{
	while (text.len > 0 && text.ptr[text.len - 1] != '\n')
		text.len--;
	if (text.len == 0)
		return ERR_PEER;
	read_limits(take_line(&text), &f->limits);
	while (text.len > 0)
		if (!add_line(f, take_line(&text)))
			return ERR_PEER;
	return f->line_cnt > 0 && f->sums.bytes >= 0 && f->sums.messages >= 0 ?
	    OK : ERR_PEER;
}

static int
open_file(int box_fd, int flags)
{
	int fd = maildir_open(box_fd, FILE_NAME, flags | O_NONBLOCK |
	    O_NOCTTY, 0);
	struct stat st;

	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
		errno = EINVAL;
	}
	return fd;
}

/* ERR_NONE: there is none; ERR_PEER: it cannot be used, but for its limits. */
static enum err
read_file(int box_fd, struct size_file *out)
{
	char buf[FILE_LEN_MAX];
	struct stat st;
	size_t len = 0;
	ssize_t got = 0;
	enum err e;
	int fd = open_file(box_fd, O_RDONLY);

	memset(out, 0, sizeof(*out));
	if (fd == -1)
		return errno == ENOENT ? ERR_NONE : ERR_PEER;
	while (len < sizeof(buf) && (got = read(fd, buf + len, sizeof(buf) -
	    len)) > 0)
		len += (size_t)got;
	if (fstat(fd, &st) == 0)
		out->changed_s = st.st_mtim.tv_sec;
	close(fd);
	if (got == -1)
		return ERR_PEER;
	e = parse(out, (struct span){ buf, len });
	return len == sizeof(buf) ? ERR_PEER : e;
}

/* Under a name of its own in tmp/, then in its place. */
static void
write_file(int box_fd, const struct maildir_quota *q, const struct sums *s)
{
	char name[64], text[160];
	int len, fd;

	snprintf(name, sizeof(name), "tmp/%s.%ld.%d", FILE_NAME,
	    (long)getpid(), box_fd);
	if (q->messages == 0)
		len = snprintf(text, sizeof(text), "%" PRIu64 "S\n%" PRId64
		    " %" PRId64 "\n", q->bytes, s->bytes, s->messages);
	else if (q->bytes == 0)
		len = snprintf(text, sizeof(text), "%" PRIu64 "C\n%" PRId64
		    " %" PRId64 "\n", q->messages, s->bytes, s->messages);
	else
		len = snprintf(text, sizeof(text), "%" PRIu64 "S,%" PRIu64
		    "C\n%" PRId64 " %" PRId64 "\n", q->bytes, q->messages,
		    s->bytes, s->messages);
	fd = maildir_open(box_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1)
		return;
	if (write(fd, text, (size_t)len) != len ||
	    renameat(box_fd, name, box_fd, FILE_NAME) == -1)
		(void)unlinkat(box_fd, name, 0);
	close(fd);
}

/* Counting. */

/* ",S=" and its digits, then the name's end, flags or another part. */
static bool
has_size(const char *name, int64_t *out)
{
	const char *at = strstr(name, ",S=");
	struct span s;

	if (at == NULL)
		return false;
	s = span_of(at + 3);
	return take_number(&s, out) && *out >= 0 && (s.len == 0 ||
	    s.ptr[0] == ':' || s.ptr[0] == ',');
}

static DIR *
open_dir(int dir_fd, const char *path)
{
	int fd = maildir_open(dir_fd, path, O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);

	if (dir == NULL && fd != -1)
		close(fd);
	return dir;
}

static bool
is_missing(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

static enum err
count_files(DIR *dir, struct count *c)
{
	struct dirent *e;
	struct stat st;
	int64_t size;

	while (errno = 0, (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (!has_size(e->d_name, &size)) {
			if (fstatat(dirfd(dir), e->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) == -1)
				continue;	/* gone again */
			size = st.st_size;
		}
		c->sums.bytes += size;
		c->sums.messages++;
	}
	return errno == 0 ? OK : ERR_SYS;
}

/* look: only when it changed. */
static enum err
count_dir(int folder_fd, const char *name, struct count *c, bool look)
{
	DIR *dir = open_dir(folder_fd, name);
	enum err e = OK;
	struct stat st;

	if (dir == NULL)
		return is_missing(errno) ? OK : ERR_SYS;
	if (fstat(dirfd(dir), &st) == 0 && (st.st_mtim.tv_sec >
	    c->newest.tv_sec || (st.st_mtim.tv_sec == c->newest.tv_sec &&
	    st.st_mtim.tv_nsec > c->newest.tv_nsec))) {
		c->newest = st.st_mtim;
		c->has_changed = true;
	}
	if (!look)
		e = count_files(dir, c);
	closedir(dir);
	return e;
}

static enum err
count_folder(int folder_fd, struct count *c, bool look)
{
	enum err e = count_dir(folder_fd, "new", c, look);

	return e == OK ? count_dir(folder_fd, "cur", c, look) : e;
}

/* The Maildir and the folders in it. */
static enum err
count_box(int box_fd, struct count *c, bool look)
{
	enum err e = count_folder(box_fd, c, look);
	DIR *dir = e == OK ? open_dir(box_fd, ".") : NULL;
	struct dirent *entry;
	int fd;

	if (dir == NULL)
		return ERR_SYS;
	while (e == OK && (errno = 0, (entry = readdir(dir)) != NULL)) {
		if (entry->d_name[0] != '.' ||
		    strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		fd = maildir_open(box_fd, entry->d_name, O_PATH | O_DIRECTORY,
		    0);
		if (fd == -1)
			continue;
		e = count_folder(fd, c, look);
		close(fd);
	}
	if (e == OK && errno != 0)
		e = ERR_SYS;
	closedir(dir);
	return e;
}

static enum err
count_anew(int box_fd, const struct maildir_quota *q, struct sums *out)
{
	struct count c = { .has_changed = false };
	enum err e;

	if ((e = count_box(box_fd, &c, false)) != OK)
		return e;
	c.has_changed = false;
	if (count_box(box_fd, &c, true) == OK && !c.has_changed)
		write_file(box_fd, q, &c.sums);
	*out = c.sums;
	return OK;
}

static bool
has_room(const struct maildir_quota *q, const struct sums *s, uint64_t size)
{
	uint64_t bytes = (uint64_t)s->bytes;

	return (q->bytes == 0 || (size <= q->bytes &&
	    bytes <= q->bytes - size)) && (q->messages == 0 ||
	    (uint64_t)s->messages < q->messages);
}

enum err
maildir_quota_room(int box_fd, const struct maildir_quota *wanted,
    uint64_t size)
{
	bool is_ours = wanted->bytes != 0 || wanted->messages != 0, is_fresh;
	struct maildir_quota q;
	struct size_file f;
	enum err e = read_file(box_fd, &f);

	q = is_ours ? *wanted : f.limits;
	if (q.bytes == 0 && q.messages == 0)
		return OK;
	if (e == OK && q.bytes == f.limits.bytes && q.messages ==
	    f.limits.messages) {
		is_fresh = f.line_cnt == 1 &&
		    f.changed_s > clock_wall_ms() / 1000 - STALE_S;
		if (has_room(&q, &f.sums, size))
			return OK;
		if (is_fresh)
			goto full;
	}
	if (count_anew(box_fd, &q, &f.sums) != OK)
		return ERR_SYS;
	if (has_room(&q, &f.sums, size))
		return OK;
full:
	errno = EDQUOT;
	return ERR_FULL;
}

void
maildir_quota_add(int box_fd, uint64_t size)
{
	int fd = open_file(box_fd, O_WRONLY | O_APPEND);
	char line[64];
	int len = snprintf(line, sizeof(line), "%" PRIu64 " 1\n", size);

	if (fd == -1)
		return;
	(void)!write(fd, line, (size_t)len);
	close(fd);
}
