/*
 * store_space.c - the file is kept allocated a reserve beyond what is in use,
 * so that deliveries, which free room but need some first, can go on when the
 * disk is full.  Pages in use are counted by the tables, not by the file's
 * length, which never shrinks.  A disk that takes nothing is not a full one:
 * nobody need make room on it.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>

#include "queue/store/lmdb/store_inside.h"

#define PAGE_LEN	4096
#define STEP		(16u << 20)	/* bytes allocated ahead at a time */
#define OUT_BYTES	(1u << 20)	/* less than this free: it is full */

/* How much of the file exists, and from where on it can be made to. */
static bool
measure(struct store *st, off_t *from)
{
	struct stat sb;

	if (fstat(st->env.fd, &sb) == -1)
		return false;
	st->allocated = (uint64_t)sb.st_blocks * 512;
	*from = st->allocated >= (uint64_t)sb.st_size ? sb.st_size : 0;
	return true;
}

/* File systems that cannot allocate ahead are asked how much is free. */
static bool
has_free(const struct store *st, uint64_t bytes)
{
	struct statvfs vfs;

	if (fstatvfs(st->env.fd, &vfs) == -1)
		return false;
	return (uint64_t)vfs.f_bavail * vfs.f_frsize >= bytes;
}

static bool
allocate(struct store *st, uint64_t upto, uint64_t reserve)
{
	off_t from;

	if (!measure(st, &from))
		return false;
	if (upto <= (uint64_t)from)
		return true;
	if (fallocate(st->env.fd, FALLOC_FL_KEEP_SIZE, from,
	    (off_t)upto - from) == -1)
		return (errno == EOPNOTSUPP || errno == ENOSYS) &&
		    has_free(st, reserve);
	return measure(st, &from);
}

/*
 * Once it was short there must be a quarter more: else each message that leaves
 * would open the door for one that shuts it again.
 */
static bool
has_reserve(struct store *st, uint64_t used, uint64_t reserve)
{
	if (st->full == QUEUE_FULL)	/* only we write it: no lock */
		reserve += reserve / 4;
	if (st->allocated >= used + reserve)
		return true;
	if (allocate(st, used + reserve + STEP, reserve))
		return true;
	return allocate(st, used + reserve, reserve);
}

static bool
is_over_quota(const struct store *st, uint64_t used, uint64_t max_bytes)
{
	if (max_bytes == 0)
		return false;
	if (st->full == QUEUE_FULL)	/* only we write it: no lock */
		return used > max_bytes - max_bytes / 32;
	return used > max_bytes;
}

void
store_space_check(struct store *st, size_t pages,
    const struct store_limits *limits)
{
	uint64_t used = (uint64_t)pages * PAGE_LEN;
	enum queue_full full = QUEUE_FULL;
	const char *why = NULL;

	st->pages = pages;
	if (store_space_is_shut(st)) {
		full = QUEUE_SHUT;
		why = "the disk cannot be written: "
		    "its file system is read-only";
	} else if (is_over_quota(st, used, limits->max_bytes))
		why = "max_bytes is reached";
	else if (!has_reserve(st, used, limits->reserve))
		why = "the disk is full";
	else
		full = QUEUE_HAS_ROOM;
	pthread_mutex_lock(&st->lock);
	st->full = full;
	st->full_why = why;
	pthread_mutex_unlock(&st->lock);
}

bool
store_space_is_refusal(int rc)
{
	return rc == EROFS || rc == EACCES || rc == EPERM;
}

/*
 * A kernel that has seen an error mounts a disk read-only under its writers,
 * and a file may be made immutable; to allocate what is allocated finds out
 * both, and changes nothing.
 */
bool
store_space_is_shut(const struct store *st)
{
	struct statvfs vfs;

	if (fstatvfs(st->env.fd, &vfs) == 0 && (vfs.f_flag & ST_RDONLY) != 0)
		return true;
	return fallocate(st->env.fd, FALLOC_FL_KEEP_SIZE, 0, PAGE_LEN) == -1 &&
	    store_space_is_refusal(errno);
}

bool
store_space_is_out(const struct store *st)
{
	return !has_free(st, OUT_BYTES);
}

void
store_space_disk(const struct store *st, uint64_t *free_bytes, uint64_t *size)
{
	struct statvfs vfs;

	*free_bytes = *size = 0;
	if (fstatvfs(st->env.fd, &vfs) == -1)
		return;
	*free_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	*size = (uint64_t)vfs.f_blocks * vfs.f_frsize;
}
