/* marks.c - record locks on a sealed file in memory. */
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "sys/marks.h"

static bool
fill_and_seal(int fd)
{
	uint64_t number;

	return getrandom(&number, sizeof(number), 0) ==
	    (ssize_t)sizeof(number) &&
	    write(fd, &number, sizeof(number)) == (ssize_t)sizeof(number) &&
	    fchmod(fd, 0600) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK |
	    F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0;
}

enum err
marks_make(int *out_fd)
{
	int fd = memfd_create("marks", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return ERR_SYS;
	if (!fill_and_seal(fd)) {
		close(fd);
		return ERR_SYS;
	}
	*out_fd = fd;
	return OK;
}

enum err
marks_number(int fd, uint64_t *out)
{
	return pread(fd, out, sizeof(*out), 0) == (ssize_t)sizeof(*out) ?
	    OK : ERR_SYS;
}

static struct flock
lock_of(short type, uint64_t from, uint64_t cnt)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET,
	    .l_start = (off_t)from, .l_len = (off_t)cnt };
}

enum err
mark_set(int fd, uint64_t at)
{
	struct flock l = lock_of(F_WRLCK, at, 1);

	if (fcntl(fd, F_SETLK, &l) == 0)
		return OK;
	return errno == EAGAIN || errno == EACCES ? ERR_FULL : ERR_SYS;
}

/* Out of memory to split a run of them it stays ours, until we end. */
void
mark_drop(int fd, uint64_t at)
{
	struct flock l = lock_of(F_UNLCK, at, 1);

	(void)fcntl(fd, F_SETLK, &l);
}

/* An error is nobody's mark: none shall wait for what is not there. */
bool
marks_others(int fd, uint64_t from, uint64_t cnt, uint64_t *end)
{
	struct flock l = lock_of(F_WRLCK, from, cnt);

	if (fcntl(fd, F_GETLK, &l) == -1 || l.l_type == F_UNLCK)
		return false;
	if (end != NULL)
		*end = l.l_len == 0 ? MARKS_END :
		    (uint64_t)l.l_start + (uint64_t)l.l_len;
	return true;
}
