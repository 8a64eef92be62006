/*
 * logfile.c - one write a line, never waiting.
 *
 * Standard error is usually shared by all our processes, so O_NONBLOCK on it
 * would be everybody's.  Opening it anew through /proc gives a description of
 * our own; where that is not possible (a socket, somebody else's file) we ask
 * poll() first: a pipe that polls writable takes a page without blocking, and
 * a socket is written with MSG_DONTWAIT.
 *
 * A plain file's new description takes the place of the one we were given,
 * which may be one that can seek and read, and is everybody's: then nobody has
 * another way to the file than to append (sys/seccomp.h sees to it).
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/clock.h"
#include "sys/logfile.h"

#define STAMP_LEN	32	/* bytes of a line's time */

static struct {
	int		 fd;
	bool		 own;		/* non-blocking, ours alone	*/
	bool		 is_socket;
	bool		 is_journal;	/* knows the time		*/
	bool		 debug;
	uint64_t	 dropped_cnt;
} out = { .fd = STDERR_FILENO };

/* In one piece: there is no sendmsg(), see sys/seccomp.c. */
static bool
put_to_socket(const struct iovec *iov, int cnt)
{
	char line[sizeof(((struct log_line *)0)->text) + STAMP_LEN];
	size_t len = 0;

	for (int i = 0; i < cnt; i++) {
		size_t more = iov[i].iov_len;

		if (more > sizeof(line) - len)
			more = sizeof(line) - len;
		memcpy(line + len, iov[i].iov_base, more);
		len += more;
	}
	return send(out.fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

static bool
put(struct iovec *iov, int cnt)
{
	struct pollfd p = { .fd = out.fd, .events = POLLOUT };

	if (out.is_socket)
		return put_to_socket(iov, cnt);
	if (!out.own && (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT)))
		return false;
	return writev(out.fd, iov, cnt) > 0;
}

/* JOURNAL_STREAM is "device:inode" of what was the journal's at our start. */
static bool
is_journal(const struct stat *st)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char is[64];

	snprintf(is, sizeof(is), "%llu:%llu", (unsigned long long)st->st_dev,
	    (unsigned long long)st->st_ino);
	return stream != NULL && strcmp(stream, is) == 0;
}

/* As syslog(3) numbers them. */
static const char *
level_mark(enum log_level level)
{
	static const char *const marks[] = {
		[LOG_ERROR] = "<3>", [LOG_WARN] = "<4>", [LOG_INFO] = "<6>",
		[LOG_DEBUG] = "<7>",
	};

	return marks[level];
}

const char *
logfile_level(enum log_level level)
{
	struct stat st;

	return fstat(STDERR_FILENO, &st) == 0 && is_journal(&st) ?
	    level_mark(level) : "";
}

static size_t
put_time(char *buf, size_t cap)
{
	int64_t ms = clock_wall_ms();
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	size_t len;

	if (gmtime_r(&s, &tm) == NULL)
		return 0;
	len = strftime(buf, cap, "%Y-%m-%dT%H:%M:%S", &tm);
	len += (size_t)snprintf(buf + len, cap - len, ".%03dZ ",
	    (int)(ms % 1000));
	return len;
}

/* Tell of lost lines first, so that the gap is where it was. */
static bool
put_dropped(void)
{
	struct iovec iov;
	char line[96];
	int len;

	if (out.dropped_cnt == 0)
		return true;
	len = snprintf(line, sizeof(line),
	    "%spostern[%d]: event=%s %s=%llu why=\"the log blocked\"\n",
	    out.is_journal ? level_mark(LOG_ERROR) : "", (int)getpid(),
	    log_event_name(LOG_trouble),
	    log_key_name(LOG_KEY_dropped),
	    (unsigned long long)out.dropped_cnt);
	iov = (struct iovec){ line, (size_t)len };
	if (!put(&iov, 1))
		return false;
	out.dropped_cnt = 0;
	return true;
}

static void
sink(enum log_level level, const char *line, size_t len)
{
	char stamp[STAMP_LEN];
	struct iovec iov[2] = { { .iov_base = stamp },
		{ (void *)(uintptr_t)line, len } };

	iov[0].iov_len = out.is_journal ?
	    strlcpy(stamp, level_mark(level), sizeof(stamp)) :
	    put_time(stamp, sizeof(stamp));
	if (!put_dropped() || !put(iov, 2))
		out.dropped_cnt++;
}

void
logfile_trace(const char *line, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)line, len };

	if (!put(&iov, 1))
		out.dropped_cnt++;
}

void
logfile_rename(const char *prefix)
{
	log_setup(prefix, sink, out.debug);
}

static void
open_anew(bool is_file)
{
	int fd = open("/proc/self/fd/2",
	    O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd == -1)
		return;
	out.fd = fd;
	out.own = true;
	if (!is_file || dup2(fd, STDERR_FILENO) == -1)
		return;
	close(fd);
	out.fd = STDERR_FILENO;
}

void
logfile_open(const char *prefix, bool debug)
{
	struct stat st;
	bool is_known = fstat(STDERR_FILENO, &st) == 0;

	out.debug = debug;
	out.is_journal = is_known && is_journal(&st);
	out.is_socket = is_known && S_ISSOCK(st.st_mode);
	if (!out.is_socket && !out.own)
		open_anew(is_known && S_ISREG(st.st_mode));
	logfile_rename(prefix);
}
