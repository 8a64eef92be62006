/*
 * mime_out.c - doubles, so that a text costs a handful of allocations.
 */
#include <stdlib.h>
#include <string.h>

#include "mail/mime_out.h"

#define CAP_MIN	8192	/* bytes: what a bite of plain text becomes */

static bool
has_room(struct mime_out *o, size_t len)
{
	size_t cap = o->cap > 0 ? o->cap : CAP_MIN;
	char *grown;

	if (o->has_failed)
		return false;
	if (len <= o->cap - o->len)
		return true;
	while (cap - o->len < len)
		cap *= 2;
	if ((grown = realloc(o->ptr, cap)) == NULL) {
		o->has_failed = true;
		return false;
	}
	o->ptr = grown;
	o->cap = cap;
	return true;
}

void
mime_out_put(struct mime_out *o, struct span s)
{
	if (s.len == 0 || !has_room(o, s.len))
		return;
	memcpy(o->ptr + o->len, s.ptr, s.len);
	o->len += s.len;
}

void
mime_out_char(struct mime_out *o, char c)
{
	if (o->len < o->cap || has_room(o, 1))
		o->ptr[o->len++] = c;
}

void
mime_out_clear(struct mime_out *o)
{
	o->len = 0;
}

void
mime_out_free(struct mime_out *o)
{
	free(o->ptr);
	*o = (struct mime_out){ NULL, 0, 0, false };
}
