/*
 * mbox.c - what is written goes to the end of the file, and is cut off again
 * under the locks under which it was written.  A power cut can leave a part of
 * it; what comes next begins a line of its own.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "relay/local/mbox.h"
#include "sys/clock.h"

#define OPEN_TRIES	8	/* somebody makes or removes it meanwhile */
#define FILE_MODE	0600

static const char from[] = "From ";

#define FROM_LEN	(sizeof(from) - 1)

static void
close_quietly(struct mbox *m)
{
	int saved = errno;

	mbox_unlock(m);
	if (m->fd != -1)
		close(m->fd);
	m->fd = -1;
	errno = saved;
}

/* Opening it and locking it are two steps: is it still what has the name? */
static bool
is_there(const struct mbox *m, const struct stat *own)
{
	struct stat st;

	return fstatat(m->place->dir_fd, m->place->name, &st,
	    AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == own->st_dev &&
	    st.st_ino == own->st_ino;
}

static enum err
open_file(struct mbox *m)
{
	const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC;
	struct stat st;

	m->fd = openat(m->place->dir_fd, m->place->name, flags);
	m->is_new = false;
	if (m->fd == -1 && errno == ENOENT) {
		m->fd = openat(m->place->dir_fd, m->place->name,
		    flags | O_CREAT | O_EXCL, FILE_MODE);
		m->is_new = m->fd != -1;
	}
	if (m->fd == -1)
		return errno == EEXIST || errno == ENOENT ? ERR_NONE : ERR_SYS;
	if (fstat(m->fd, &st) == -1)
		return ERR_SYS;
	if (S_ISREG(st.st_mode) && st.st_uid == m->place->owner &&
	    st.st_nlink <= 1)
		return OK;
	errno = EPERM;
	return ERR_SYS;
}

static enum err
open_locked(struct mbox *m)
{
	struct stat st;
	enum err e;

	if ((e = open_file(m)) != OK || (e = mbox_lock(m)) != OK)
		return e;
	if (fstat(m->fd, &st) == -1)
		return ERR_SYS;
	m->old_len = st.st_size;
	return is_there(m, &st) ? OK : ERR_NONE;
}

enum err
mbox_open(struct mbox *m, const struct mbox_place *place)
{
	enum err e = ERR_NONE;

	m->place = place;
	m->fd = m->lock_fd = -1;
	m->lock[0] = '\0';
	m->len = m->matched = 0;
	m->is_within = false;
	for (unsigned i = 0; i < OPEN_TRIES && e == ERR_NONE; i++)
		if ((e = open_locked(m)) != OK)
			close_quietly(m);
	return e == ERR_NONE ? ERR_AGAIN : e;
}

static enum err
flush(struct mbox *m)
{
	size_t at = 0;
	ssize_t put;

	while (at < m->len) {
		put = write(m->fd, m->bytes + at, m->len - at);
		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1)
			return ERR_SYS;
		at += (size_t)put;
	}
	m->len = 0;
	mbox_touch_lock(m);
	return OK;
}

static enum err
put(struct mbox *m, const char *bytes, size_t len)
{
	enum err e = OK;
	size_t part;

	while (e == OK && len > 0) {
		part = sizeof(m->bytes) - m->len;
		if (part > len)
			part = len;
		memcpy(m->bytes + m->len, bytes, part);
		m->len += part;
		bytes += part;
		len -= part;
		if (m->len == sizeof(m->bytes))
			e = flush(m);
	}
	return e;
}

/* What stands behind a line that somebody left unfinished is no first line. */
static enum err
end_last_line(struct mbox *m)
{
	char last[2] = { '\n', '\n' };
	size_t len = m->old_len > 1 ? 2 : (size_t)m->old_len;

	if (len > 0 && pread(m->fd, last + 2 - len, len,
	    m->old_len - (off_t)len) != (ssize_t)len)
		return ERR_SYS;
	if (last[1] != '\n')
		return put(m, "\n\n", 2);
	return len > 0 && last[0] != '\n' ? put(m, "\n", 1) : OK;
}

/* One word: what would end it, or the line, is not in it. */
static enum err
put_word(struct mbox *m, struct span s, bool blanks)
{
	enum err e = OK;

	for (size_t i = 0; i < s.len && e == OK; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		char out = c < 0x20 || c == 0x7f ? '?' :
		    c == ' ' && !blanks ? '_' : (char)c;

		e = put(m, &out, 1);
	}
	return e;
}

static enum err
put_date(struct mbox *m)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	char text[64];
	struct tm tm;
	size_t len;

	if (localtime_r(&now, &tm) == NULL)
		return ERR_SYS;
	len = strftime(text, sizeof(text), " %a %b %e %H:%M:%S %Y\n", &tm);
	return put(m, text, len);
}

enum err
mbox_envelope(struct mbox *m, struct span sender, struct span rcpt)
{
	struct span who = sender.len > 0 ? sender : SPAN("MAILER-DAEMON");
	enum err e;

	if ((e = end_last_line(m)) != OK ||
	    (e = put(m, from, FROM_LEN)) != OK ||
	    (e = put_word(m, who, false)) != OK ||
	    (e = put_date(m)) != OK || (e = mbox_note(m)) != OK ||
	    (e = put(m, "Return-Path: <", 14)) != OK ||
	    (e = put_word(m, sender, true)) != OK ||
	    (e = put(m, ">\nDelivered-To: ", 16)) != OK ||
	    (e = put_word(m, rcpt, true)) != OK)
		return e;
	return put(m, "\n", 1);
}

/* The next byte, at the start of a line or not. */
static enum err
put_byte(struct mbox *m, char c)
{
	enum err e;

	if (!m->is_within && c == from[m->matched]) {
		if (++m->matched < FROM_LEN)
			return OK;
		if ((e = put(m, ">", 1)) != OK)
			return e;
		m->matched = 0;
		m->is_within = true;
		return put(m, from, FROM_LEN);
	}
	if (m->matched > 0 && (e = put(m, from, m->matched)) != OK)
		return e;
	m->matched = 0;
	m->is_within = c != '\n';
	return put(m, &c, 1);
}

enum err
mbox_text(struct mbox *m, struct span s)
{
	enum err e = OK;
	size_t run;

	while (e == OK && s.len > 0) {
		if (m->is_within) {		/* up to the line's end */
			run = span_find(s, '\n');
			e = put(m, s.ptr, run);
			s = span_tail(s, run);
			if (e != OK || s.len == 0)
				break;
		}
		e = put_byte(m, s.ptr[0]);
		s = span_tail(s, 1);
	}
	return e;
}

/* The line's end, if it has none, and an empty line. */
static enum err
put_end(struct mbox *m)
{
	enum err e = put(m, from, m->matched);

	if (e == OK && (m->is_within || m->matched > 0))
		e = put(m, "\n", 1);
	if (e == OK)
		e = put(m, "\n", 1);
	return e == OK ? flush(m) : e;
}

enum err
mbox_commit(struct mbox *m)
{
	if (put_end(m) != OK || fsync(m->fd) == -1 ||
	    (m->is_new && fsync(m->place->dir_fd) == -1)) {
		mbox_abort(m);
		return ERR_SYS;
	}
	close_quietly(m);
	return OK;
}

void
mbox_abort(struct mbox *m)
{
	int saved = errno;

	if (m->fd != -1 && ftruncate(m->fd, m->old_len) == 0)
		(void)fsync(m->fd);
	errno = saved;
	close_quietly(m);
}
