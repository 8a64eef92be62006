/*
 * counters.c - one writer, so an addition is a load and a store; both are
 * atomic, so that a reader never sees half a number.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "sys/counters.h"

_Static_assert(COUNTER__COUNT * sizeof(uint64_t) <= COUNTERS_PAGE,
    "more counters than a page has room for");

static _Atomic uint64_t	 nobodys[COUNTER__COUNT];
static _Atomic uint64_t	*page = nobodys;

static const struct counter_row rows[COUNTER__COUNT] = {
#define COUNTER(name, who, meaning)					\
	[COUNTER_##name] = { #name, who, meaning, false },
#define GAUGE(name, who, meaning)					\
	[COUNTER_##name] = { #name, who, meaning, true },
#include "sys/counters.def"
};

const struct counter_row *
counter_row(enum counter c)
{
	return &rows[c];
}

/* Behind the end of a file a map has no memory, and a touch kills. */
static void *
map(int fd, int rights)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || st.st_size != COUNTERS_PAGE)
		return MAP_FAILED;
	return mmap(NULL, COUNTERS_PAGE, rights, MAP_SHARED, fd, 0);
}

enum err
counters_make(int *out_fd)
{
	int fd = memfd_create("counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return ERR_SYS;
	if (fchmod(fd, 0600) == -1 || ftruncate(fd, COUNTERS_PAGE) == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_SEAL) == -1) {
		close(fd);
		return ERR_SYS;
	}
	*out_fd = fd;
	return OK;
}

/* Opened anew, because the rights to write belong to the description. */
enum err
counters_reader(int *out_fd, int fd)
{
	char path[32];
	int reader;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((reader = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return ERR_SYS;
	*out_fd = reader;
	return OK;
}

enum err
counters_open(int fd)
{
	void *at = map(fd, PROT_READ | PROT_WRITE);

	if (at == MAP_FAILED)
		return ERR_SYS;
	page = at;
	for (unsigned i = 0; i < COUNTER__COUNT; i++)
		if (rows[i].is_gauge)
			counter_set(i, 0);
	return OK;
}

void
counter_add(enum counter c, uint64_t n)
{
	uint64_t was = atomic_load_explicit(&page[c], memory_order_relaxed);

	atomic_store_explicit(&page[c], was + n, memory_order_relaxed);
}

void
counter_set(enum counter c, uint64_t n)
{
	atomic_store_explicit(&page[c], n, memory_order_relaxed);
}

const void *
counters_map(int fd)
{
	void *at = map(fd, PROT_READ);

	return at == MAP_FAILED ? NULL : at;
}

void
counters_unmap(const void *at)
{
	munmap((void *)(uintptr_t)at, COUNTERS_PAGE);
}

void
counters_read(const void *at, uint64_t out[COUNTER__COUNT])
{
	const _Atomic uint64_t *theirs = at;

	for (unsigned i = 0; i < COUNTER__COUNT; i++)
		out[i] = atomic_load_explicit(&theirs[i],
		    memory_order_relaxed);
}
