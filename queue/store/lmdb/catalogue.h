/*
 * catalogue - where the trees of all tables begin, in the newest state of the
 * store that can be found.
 *
 * LMDB keeps two meta pages and takes the one of the newer transaction.  The
 * numbers of these transactions always differ by one; where they do not, or
 * where no meta page leads to a catalogue, every page that may be one is looked
 * at, and the one is taken whose history goes on longest.
 *
 * Pure, but for catalogue_look_at(), which maps the file.
 */
#ifndef QUEUE_CATALOGUE_H
#define QUEUE_CATALOGUE_H

#include "queue/store/lmdb/image.h"
#include "queue/store/lmdb/store_table.h"

struct catalogue {
	struct page_tree self, free;
	struct page_tree tables[TABLE__COUNT];
	bool		 has[TABLE__COUNT];
	bool		 has_strange;	/* a table that is none of ours: the
					 * one that is not there, misnamed */
	bool		 has_free;	/* the free list is known,	*/
	uint64_t	 last_no;	/* and its highest page		*/
	bool		 is_searched;	/* not by way of a meta page	*/
	bool		 is_stale;	/* there was a newer one, now gone */
};

/* False: none.  Faults of the meta pages are told.  Sets im->page_len. */
bool	catalogue_find(struct image *im, struct catalogue *,
	    void (*fault)(uint64_t page, const char *why, void *), void *arg);

/*
 * The quick look before LMDB opens the file: NULL, or why it must not, as a
 * literal.  An empty file, which is a new store, is good.
 */
const char *catalogue_look(const struct image *);

/* The same for dir/data.mdb.  One that cannot be read is LMDB's to judge. */
const char *catalogue_look_at(const char *dir);

#endif
