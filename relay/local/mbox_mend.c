/*
 * mbox_mend.c - who is killed while he appends leaves a half message and his
 * dot lock, and in that what he was about: on which host, the number of the
 * file, where it ended, and the first bytes that he put there.
 *
 * He held the fcntl() lock on that file for as long as he lived; so whoever has
 * it now, on the same host, and finds his dot lock, knows that he is dead.
 * What he began is cut off, unless somebody who does not look at dot locks was
 * there meanwhile: then the bytes are others, or another message stands behind
 * them.
 */
#include <sys/stat.h>
#include <sys/utsname.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "relay/local/mbox.h"

#define HEAD_MAX	512	/* bytes of a message that are noted	*/
#define HOST_MAX	64	/* as uname(2) has it, with NUL		*/
#define NOTE_MAX	(HEAD_MAX + HOST_MAX + 80)

static const char next[] = "\nFrom ";

#define NEXT_LEN	(sizeof(next) - 1)

struct note {
	char		 host[HOST_MAX + 1];
	unsigned long long ino;
	long long	 old_len;
	size_t		 len;		/* of head			*/
	const char	*head;		/* in bytes			*/
	char		 bytes[NOTE_MAX];
};

static bool
name_host(char host[HOST_MAX + 1])
{
	struct utsname u;

	return uname(&u) == 0 && strpbrk(u.nodename, " \n") == NULL &&
	    strlcpy(host, u.nodename, HOST_MAX + 1) <= HOST_MAX;
}

enum err
mbox_note(struct mbox *m)
{
	size_t head = m->len < HEAD_MAX ? m->len : HEAD_MAX;
	char text[NOTE_MAX], host[HOST_MAX + 1];
	struct stat st;
	ssize_t len;

	if (m->lock_fd == -1 || fstat(m->fd, &st) == -1 || !name_host(host))
		return ERR_SYS;
	len = snprintf(text, sizeof(text), "%s %llu %lld %zu\n", host,
	    (unsigned long long)st.st_ino, (long long)m->old_len, head);
	memcpy(text + len, m->bytes, head);
	len += (ssize_t)head;
	if (write(m->lock_fd, text, (size_t)len) != len)
		return ERR_SYS;
	close(m->lock_fd);
	m->lock_fd = -1;
	return OK;
}

/* Only the user's own, which says all of it. */
static bool
read_note(struct note *n, const struct mbox *m, const char *lock)
{
	int fd = openat(m->place->dir_fd, lock, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	ssize_t len = -1;
	int at = 0;

	if (fd == -1)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == m->place->owner)
		len = read(fd, n->bytes, sizeof(n->bytes) - 1);
	close(fd);
	if (len <= 0)
		return false;
	n->bytes[len] = '\0';
	if (sscanf(n->bytes, "%*d %64s%llu%lld%zu%n", n->host, &n->ino,
	    &n->old_len, &n->len, &at) != 4 || n->bytes[at] != '\n' ||
	    n->old_len < 0 || n->len != (size_t)len - (size_t)at - 1)
		return false;
	n->head = n->bytes + at + 1;
	return true;
}

/* Does what begins here begin as noted, as far as it goes? */
static bool
is_begun(const struct mbox *m, const struct note *n, off_t len)
{
	char bytes[NOTE_MAX];
	size_t cnt = n->len;

	if (len < (off_t)cnt)
		cnt = (size_t)len;
	return pread(m->fd, bytes, cnt, (off_t)n->old_len) == (ssize_t)cnt &&
	    memcmp(bytes, n->head, cnt) == 0;
}

/* From here on; what cannot be read may be one. */
static bool
has_next(const struct mbox *m, off_t at)
{
	char bytes[16384];
	ssize_t len;

	while ((len = pread(m->fd, bytes, sizeof(bytes), at)) >=
	    (ssize_t)NEXT_LEN) {
		if (memmem(bytes, (size_t)len, next, NEXT_LEN) != NULL)
			return true;
		at += len - (ssize_t)NEXT_LEN + 1;
	}
	return len == -1;
}

bool
mbox_mend(const struct mbox *m, const char *lock)
{
	char host[HOST_MAX + 1];
	struct note n;
	struct stat st;
	off_t len;

	if (!read_note(&n, m, lock) || !name_host(host) ||
	    strcmp(n.host, host) != 0 || fstat(m->fd, &st) == -1 ||
	    (unsigned long long)st.st_ino != n.ino)
		return false;
	len = st.st_size - (off_t)n.old_len;
	if (len > 0 && is_begun(m, &n, len) && !has_next(m,
	    (off_t)n.old_len + (off_t)n.len - 1) &&
	    (ftruncate(m->fd, (off_t)n.old_len) == -1 || fsync(m->fd) == -1))
		return false;
	return unlinkat(m->place->dir_fd, lock, 0) == 0;
}
