/*
 * leftovers.c - open addressing, at most three quarters full.  Nothing is taken
 * out of it: what is left of a round is put into another table.
 */
#include <stdlib.h>

#include "edge/drop/leftovers.h"

#define PLACES_FIRST	1024u		/* a power of two		*/

static bool
is_filled(unsigned cnt, unsigned place_cnt)
{
	return cnt >= place_cnt / 4 * 3;
}

static int64_t
changed_ns(const struct stat *st)
{
	int64_t ns = (int64_t)st->st_ctim.tv_sec * 1000000000 +
	    st->st_ctim.tv_nsec;

	return ns != 0 ? ns : 1;
}

/* Where it is, or where it would be; there are places. */
static struct leftover *
place_of(const struct leftovers *k, uint64_t inode, int64_t changed)
{
	uint64_t mix = (inode ^ (uint64_t)changed) * 0x9e3779b97f4a7c15u;
	size_t at = (size_t)(mix >> 32) & (k->place_cnt - 1);

	while (k->files[at].changed_ns != 0 &&
	    (k->files[at].inode != inode || k->files[at].changed_ns != changed))
		at = (at + 1) & (k->place_cnt - 1);
	return &k->files[at];
}

/* Into another table, of so many places; all, or those seen in this round. */
static bool
move_all(struct leftovers *k, unsigned place_cnt, bool seen_alone)
{
	struct leftovers to = { .place_cnt = place_cnt, .round = k->round };

	if ((to.files = calloc(place_cnt, sizeof(*to.files))) == NULL)
		return false;
	for (unsigned i = 0; i < k->place_cnt; i++) {
		const struct leftover *f = &k->files[i];

		if (f->changed_ns == 0 || (seen_alone && f->round != k->round))
			continue;
		*place_of(&to, f->inode, f->changed_ns) = *f;
		to.cnt++;
	}
	free(k->files);
	*k = to;
	return true;
}

struct leftover *
leftovers_find(struct leftovers *k, const struct stat *st)
{
	struct leftover *f;

	if (k->files == NULL)
		return NULL;
	f = place_of(k, st->st_ino, changed_ns(st));
	if (f->changed_ns == 0)
		return NULL;
	f->round = k->round;
	return f;
}

bool
leftovers_is_full(const struct leftovers *k)
{
	return k->place_cnt == LEFTOVERS_MAX &&
	    is_filled(k->cnt, LEFTOVERS_MAX);
}

/* Is there a place for one more? */
static bool
make_room(struct leftovers *k)
{
	if (k->files != NULL && !is_filled(k->cnt, k->place_cnt))
		return true;
	return k->place_cnt < LEFTOVERS_MAX && move_all(k, k->place_cnt == 0 ?
	    PLACES_FIRST : k->place_cnt * 2, false);
}

struct leftover *
leftovers_add(struct leftovers *k, const struct stat *st)
{
	struct leftover *f = leftovers_find(k, st);

	if (f != NULL || !make_room(k))
		return f;
	f = place_of(k, st->st_ino, changed_ns(st));
	*f = (struct leftover){ .inode = st->st_ino,
	    .changed_ns = changed_ns(st), .round = k->round };
	k->cnt++;
	return f;
}

void
leftovers_end_round(struct leftovers *k)
{
	unsigned seen_cnt = 0, place_cnt = PLACES_FIRST;

	for (unsigned i = 0; i < k->place_cnt; i++)
		seen_cnt += k->files[i].changed_ns != 0 &&
		    k->files[i].round == k->round;
	if (seen_cnt == 0) {
		leftovers_free(k);
	} else if (seen_cnt < k->cnt / 2) {
		while (is_filled(seen_cnt, place_cnt))
			place_cnt *= 2;
		(void)move_all(k, place_cnt, true);
	}
	k->round++;
}

void
leftovers_hurry(struct leftovers *k)
{
	for (unsigned i = 0; i < k->place_cnt; i++)
		if (k->files[i].due_ms != LEFTOVERS_ODD)
			k->files[i].due_ms = 0;
}

void
leftovers_free(struct leftovers *k)
{
	free(k->files);
	*k = (struct leftovers){ .round = k->round };
}
