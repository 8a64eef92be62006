/*
 * image - the bytes of a data.mdb as pages, and walks over its trees that
 * neither crash nor go round in circles, whatever the bytes say.
 *
 * Pure, but for image_open(), which maps the file.  A walk visits each page
 * once for all trees that share its `seen`, and with `again` once more: where
 * two places lead to it nobody knows which is right, and what its rows are
 * decides.  Whatever is wrong is told by calls.fault and passed over.
 *
 * Owns	   the mapping, when it made it
 * Blocks  as the disk does
 */
#ifndef QUEUE_IMAGE_H
#define QUEUE_IMAGE_H

#include "base/err.h"
#include "queue/store/lmdb/page.h"

struct image_run {		/* pages that were written	*/
	uint64_t	 first, end;
};

struct image {
	const uint8_t	*bytes;
	size_t		 len, page_len;
	uint64_t	 page_cnt;	/* whole pages			*/
	int		 fd;		/* -1: the bytes are borrowed	*/
	bool		 is_too_long;	/* than any store is: no more than
					 * IMAGE_MAX is looked at	*/
	struct image_run *runs;		/* NULL: all of it		*/
	size_t		 run_cnt;
};

#define IMAGE_MAX	(1ull << 40)	/* bytes, of LMDB's map too	*/

/* What was found in a leaf. */
struct image_row {
	const uint8_t	*at;		/* its node, a name for the row	*/
	struct span	 key, value;	/* value: NULL if not readable	*/
	bool		 is_table;
	bool		 is_misplaced;	/* its key is out of order	*/
	bool		 is_outside;	/* a branch says that it stands
					 * elsewhere			*/
	bool		 is_doubtful;	/* it may have been deleted: in a page
					 * that is free as well or belongs to
					 * another place, or below all rows of
					 * its page			*/
};

struct image_calls {
	void	(*row)(const struct image_row *, void *arg);
	/* page is PAGE_NONE when it is about a tree as a whole. */
	void	(*fault)(uint64_t page, const char *why, void *arg);
};

struct image_walk {
	const struct image *image;
	uint8_t		*seen;		/* a bit for each page		*/
	uint8_t		*again;		/* the same of those seen twice, NULL:
					 * none is entered again	*/
	const uint8_t	*is_free;	/* the same of free ones, or NULL, */
	bool		 knows_free;	/* and of all of them		*/
	struct image_calls calls;
	void		*arg;
	bool		 is_numbers;	/* keys are the free list's	*/
	uint64_t	 row_cnt;	/* out				*/
	uint64_t	 fault_cnt;	/* out, of this walk		*/
	/* within a walk */
	uint8_t		 last[PAGE_KEY_MAX];
	size_t		 last_len;
	struct span	 low, high;	/* a branch says: not below this, and
					 * below that			*/
	bool		 is_first;	/* no row of this leaf was seen	*/
	bool		 is_astray;	/* this page is not the tree's	*/
};

/*
 * Map dir/data.mdb (or the file itself) read-only.  ERR_AGAIN: a queue has it
 * open; ERR_NONE: there is no such file; ERR_FULL: it has no page.
 */
MUST_CHECK enum err image_open(struct image *, const char *dir);
void	image_close(struct image *);

/*
 * Find out what of the file was ever written, and look at no more: a damaged
 * number makes LMDB write far behind the end.  ERR_SYS: no memory.
 */
MUST_CHECK enum err image_find_runs(struct image *);

/* The first page from this one on that was written, or page_cnt. */
uint64_t image_next(const struct image *, uint64_t no);

/* Take borrowed bytes; page_len is found out.  False: not even one page. */
bool	image_take(struct image *, const void *bytes, size_t len);

/* Its bytes, as many as a page has; NULL: there are none in the file. */
const uint8_t *image_at(const struct image *, uint64_t no);

/* Page of that number; NULL, or what is wrong with it. */
const char *image_page(const struct image *, uint64_t no, struct page *);

/* The value of a node, wherever it lies; ptr NULL when it is not readable. */
struct span image_value(const struct image *, const struct page_node *);

bool	image_is_seen(const uint8_t *seen, uint64_t no);
void	image_see(uint8_t *seen, uint64_t no);
uint8_t	*image_new_seen(const struct image *);	/* NULL: no memory */

/* Walk a tree from its root to all its rows, in order. */
void	image_walk(struct image_walk *, const struct page_tree *);

/*
 * Tell of the rows of one leaf, by its offsets and, if `all`, by every place
 * in it where a node may stand.
 */
void	image_rows(const struct image *, const struct page *, bool all,
	    void (*row)(const struct image_row *, void *), void *arg);

#endif
