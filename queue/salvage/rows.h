/*
 * rows - what was found in the file, as rows of our tables: taken from all
 * pages, judged by form and checksum, and sorted so that those of a message
 * stand together.
 *
 * Of each (table, key) one row is kept, of the best origin.  A row of table
 * due is kept by the delivery it is for.
 *
 * Owns	   the array; keys and values point into the image
 * Blocks  as the disk does
 */
#ifndef QUEUE_SALVAGE_ROWS_H
#define QUEUE_SALVAGE_ROWS_H

#include "queue/store/lmdb/catalogue.h"

/* How sure it is that the row is of today: the lower the better. */
enum rows_origin {
	ROWS_LIVE,	/* the trees lead to it				*/
	ROWS_LOST,	/* a tree is broken, its page is no other's nor free */
	ROWS_DOUBTFUL	/* it may have been done with long ago		*/
};

struct row {
	const char	*key, *value;
	uint16_t	 key_len, value_len;
	uint8_t		 table;		/* enum table			*/
	uint8_t		 origin;
	bool		 is_misplaced;
	bool		 is_bad;	/* its record cannot be read	*/
	bool		 is_newer;	/* for a newer postern can	*/
};

struct rows_fault {
	uint64_t	 page;		/* or PAGE_NONE			*/
	const char	*table;		/* or NULL			*/
	const char	*why;		/* a literal			*/
};

#define ROWS_FAULTS_MAX	1000	/* kept; more are only counted	*/

struct rows {
	struct row	*v;
	size_t		 cnt, cap;
	struct rows_fault *faults;
	size_t		 fault_cnt;	/* all				*/
	bool		 is_broken[TABLE__COUNT]; /* its tree has faults */
	bool		 is_searched;	/* the trees were searched for	*/
	bool		 has_no_memory;
};

/*
 * Read all of the image.  ERR_NONE there is nothing like a store in it (the
 * rows of single pages are there all the same); ERR_SYS no memory.
 */
MUST_CHECK enum err rows_read(struct rows *, struct image *);
void	rows_fini(struct rows *);

/* Those of a message in a table: the first of *cnt, in order; or NULL. */
const struct row *rows_of(const struct rows *, enum table, struct id,
	    size_t *cnt);
/* The first of this key, or NULL. */
const struct row *rows_find(const struct rows *, enum table, struct span key);
/* The first of those with that number, and how many of the message follow. */
const struct row *rows_numbered(const struct rows *, enum table, struct id,
	    uint32_t no, size_t *left);
/* All of a table. */
const struct row *rows_table(const struct rows *, enum table, size_t *cnt);

/*
 * Before any are looked for outside of the trees: of a page that was seen again
 * drop the rows of each table of which it has none.
 */
void	rows_drop_shared(struct rows *, const struct image *,
	    const uint8_t *again);

bool	rows_is_text(uint8_t table);	/* without records		*/
struct span rows_key(const struct row *);
struct span rows_value(const struct row *);
struct id rows_id(const struct row *);		/* of tables keyed by id */
uint32_t rows_no(const struct row *);		/* behind the id	*/

#endif
