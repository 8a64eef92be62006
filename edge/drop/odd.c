/* odd.c - open addressing, at most three quarters full. */
#include <stdlib.h>

#include "edge/drop/odd.h"

#define FULL		(ODD_MAX / 4 * 3)

static struct odd_file
file_of(const struct stat *st)
{
	int64_t ns = (int64_t)st->st_ctim.tv_sec * 1000000000 +
	    st->st_ctim.tv_nsec;

	return (struct odd_file){ st->st_ino, ns != 0 ? ns : 1 };
}

/* Where it is, or where it would be. */
static struct odd_file *
place_of(const struct odd *o, struct odd_file f)
{
	uint64_t mix = (f.inode ^ (uint64_t)f.changed_ns) *
	    0x9e3779b97f4a7c15u;
	size_t at = (size_t)(mix >> 32) & (ODD_MAX - 1);

	while (o->files[at].changed_ns != 0 &&
	    (o->files[at].inode != f.inode ||
	    o->files[at].changed_ns != f.changed_ns))
		at = (at + 1) & (ODD_MAX - 1);
	return &o->files[at];
}

bool
odd_is_known(const struct odd *o, const struct stat *st)
{
	return o->files != NULL &&
	    place_of(o, file_of(st))->changed_ns != 0;
}

bool
odd_is_full(const struct odd *o)
{
	return o->cnt == FULL;
}

bool
odd_add(struct odd *o, const struct stat *st)
{
	struct odd_file *place;

	if (o->files == NULL &&
	    (o->files = calloc(ODD_MAX, sizeof(*o->files))) == NULL)
		return false;
	place = place_of(o, file_of(st));
	if (place->changed_ns != 0)
		return true;
	if (o->cnt == FULL)
		return false;
	*place = file_of(st);
	o->cnt++;
	return true;
}

void
odd_free(struct odd *o)
{
	free(o->files);
	*o = (struct odd){ 0 };
}
