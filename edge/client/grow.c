/*
 * grow.c - doubling, from 256 bytes: a page of replies takes four steps.
 */
#include <stdlib.h>
#include <string.h>

#include "edge/client/grow.h"

#define GROW_FIRST	256	/* bytes of the first allocation */

enum err
grow_reserve(struct grow *g, size_t n)
{
	char *ptr;

	if (g->cap - g->len >= n)
		return OK;
	if ((ptr = realloc(g->ptr, g->len + n)) == NULL)
		return ERR_FULL;
	g->ptr = ptr;
	g->cap = g->len + n;
	return OK;
}

enum err
grow_add(struct grow *g, struct span s)
{
	size_t cap = g->cap < GROW_FIRST ? GROW_FIRST : g->cap;
	enum err e;

	if (s.len == 0)
		return OK;
	while (cap < g->len + s.len)
		cap *= 2;
	if (g->cap - g->len < s.len &&
	    (e = grow_reserve(g, cap - g->len)) != OK)
		return e;
	memcpy(g->ptr + g->len, s.ptr, s.len);
	g->len += s.len;
	return OK;
}

struct span
grow_span(const struct grow *g)
{
	return (struct span){ g->ptr, g->len };
}

void
grow_drop(struct grow *g, size_t n)
{
	if (n >= g->len) {
		grow_free(g);
		return;
	}
	g->len -= n;
	memmove(g->ptr, g->ptr + n, g->len);
}

void
grow_free(struct grow *g)
{
	free(g->ptr);
	*g = (struct grow){ 0 };
}
