/*
 * counters.c - one writer, so an addition is a load and a store; both are
 * atomic, so that a reader never sees half a number.
 */
#include <sys/mman.h>

#include <stdatomic.h>
#include <stddef.h>

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

enum err
counters_open(int fd)
{
	void *at = mmap(NULL, COUNTERS_PAGE, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return ERR_SYS;
	page = at;
	for (unsigned i = 0; i < COUNTER__COUNT; i++)
		if (rows[i].is_gauge)
			gauge_set(i, 0);
	return OK;
}

void
counter_add(enum counter c, uint64_t n)
{
	uint64_t was = atomic_load_explicit(&page[c], memory_order_relaxed);

	atomic_store_explicit(&page[c], was + n, memory_order_relaxed);
}

void
gauge_set(enum counter c, uint64_t n)
{
	atomic_store_explicit(&page[c], n, memory_order_relaxed);
}

const void *
counters_map(int fd)
{
	void *at = mmap(NULL, COUNTERS_PAGE, PROT_READ, MAP_SHARED, fd, 0);

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
