/* arena.c - blocks of 64 KiB; what is larger gets one of its own. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/read/arena.h"

#define BLOCK_LEN	65536u		/* bytes to take from		*/
#define PRINT_MAX	1024u		/* bytes with NUL		*/

struct arena_block {
	SLIST_ENTRY(arena_block) entry;
	size_t		 used, len;
	_Alignas(16) unsigned char bytes[];
};

void
arena_init(struct arena *a)
{
	SLIST_INIT(&a->blocks);
	a->bad = false;
}

void
arena_fini(struct arena *a)
{
	struct arena_block *b;

	while ((b = SLIST_FIRST(&a->blocks)) != NULL) {
		SLIST_REMOVE_HEAD(&a->blocks, entry);
		free(b);
	}
}

static struct arena_block *
new_block(struct arena *a, size_t need)
{
	size_t len = need > BLOCK_LEN ? need : BLOCK_LEN;
	struct arena_block *b = calloc(1, sizeof(*b) + len);

	if (b == NULL) {
		a->bad = true;
		return NULL;
	}
	b->len = len;
	SLIST_INSERT_HEAD(&a->blocks, b, entry);
	return b;
}

void *
arena_take(struct arena *a, size_t len)
{
	struct arena_block *b = SLIST_FIRST(&a->blocks);
	void *p;

	if (len > (size_t)1 << 30) {
		a->bad = true;
		return NULL;
	}
	len = (len + 15) & ~(size_t)15;
	if (b == NULL || b->len - b->used < len)
		b = new_block(a, len);
	if (b == NULL)
		return NULL;
	p = b->bytes + b->used;
	b->used += len;
	return p;
}

void *
arena_take_array(struct arena *a, size_t cnt, size_t len)
{
	size_t all;

	if (__builtin_mul_overflow(cnt, len, &all)) {
		a->bad = true;
		return NULL;
	}
	return arena_take(a, all);
}

struct span
arena_join(struct arena *a, struct span one, struct span two)
{
	char *p = arena_take(a, one.len + two.len + 1);

	if (p == NULL)
		return (struct span){ NULL, 0 };
	if (one.len > 0)
		memcpy(p, one.ptr, one.len);
	if (two.len > 0)
		memcpy(p + one.len, two.ptr, two.len);
	return (struct span){ p, one.len + two.len };
}

struct span
arena_copy(struct arena *a, struct span s)
{
	return arena_join(a, s, (struct span){ NULL, 0 });
}

const char *
arena_print(struct arena *a, const char *fmt, ...)
{
	char line[PRINT_MAX];
	va_list ap;
	struct span copy;

	va_start(ap, fmt);
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		line[0] = '\0';
	va_end(ap);
	copy = arena_copy(a, span_of(line));
	return copy.ptr == NULL ? "" : copy.ptr;
}
