/*
 * store_damage - rows that cannot be used, or lead nowhere: found, noted, held,
 * and set right.
 */
#ifndef QUEUE_STORE_DAMAGE_H
#define QUEUE_STORE_DAMAGE_H

#include "queue/store/store.h"

#define STORE_WRONG_MAX		64	/* rows one store_read_index finds */
#define STORE_NOTES_MAX		64	/* rows one store_read_notes gives */

struct store;

/*
 * A delivery that cannot be read as a whole is held, until an administrator
 * wants it tried again.  ERR_NONE: there is none; ERR_SYS: also when it can be
 * read by now.
 */
struct store_hold {
	struct store_op	 op;
	struct span	 flow;		/* as in struct store_flow	*/
	struct store_place place;	/* of its row of table due	*/
	enum aside	 why;
	bool		 held;		/* out: it was not before	*/
};

/*
 * Tables delivery and due compared, row_max rows from behind `from` on: first
 * what deliveries lack in table due, then, with in_due, what in table due leads
 * nowhere.  What is found goes to store_mend().
 */
struct store_read_index {
	struct store_op	 op;
	bool		 in_due;
	unsigned	 row_max;
	struct store_index_key from;	/* len 0: the beginning; out: go on */
	struct store_index_key wrong[STORE_WRONG_MAX];	/* out		*/
	unsigned	 wrong_cnt;			/* out		*/
	unsigned	 row_cnt;	/* out: looked at		*/
	bool		 is_out_of_order;	/* out: table due must be
						 * made anew		*/
	bool		 at_end;	/* out				*/
};

/* What is still wrong of it is set right. */
struct store_mend {
	struct store_op	 op;
	const struct store_read_index *found;
	uint64_t	 added, removed;	/* out: rows of table due */
	uint64_t	 brought;	/* out: deliveries that stood under a
					 * key of which a bit was flipped */
};

/* A note of table quarantine: which row cannot be used, and why. */
struct store_note {
	const char	*table;		/* its name; a literal		*/
	struct id	 id;		/* of its message		*/
	bool		 has_no;	/* it is one of several rows	*/
	uint32_t	 no;
	enum aside	 why;
	uint64_t	 since_ms;
	bool		 is_over;	/* looked at: it can be used by now,
					 * or nothing is left of it	*/
};

/* Notes in the order of their keys, from behind `from' on. */
struct store_read_notes {
	struct store_op	 op;
	struct store_index_key from;	/* len 0: the beginning; out: go on */
	bool		 looks;		/* look at each row itself	*/
	struct store_note rows[STORE_NOTES_MAX];	/* out		*/
	unsigned	 cnt;				/* out		*/
	bool		 at_end;			/* out		*/
};

/*
 * Rows that belong to no message, of one table after the other: a note is made
 * of each message's first one.  Keys are walked as they stand.
 */
struct store_read_lone {
	struct store_op	 op;
	unsigned	 table;		/* 0: the first; out: go on	*/
	struct store_index_key from;	/* in it, len 0: the beginning; out */
	unsigned	 row_max;	/* in: looked at at most	*/
	bool		 at_end;	/* out: of the last table	*/
};

void	store_hold(struct store *, struct store_hold *, store_fn *,
	    void *arg);
void	store_mend(struct store *, struct store_mend *, store_fn *,
	    void *arg);
void	store_read_notes(struct store *, struct store_read_notes *,
	    store_fn *, void *arg);
void	store_read_lone(struct store *, struct store_read_lone *,
	    store_fn *, void *arg);
void	store_read_index(struct store *, struct store_read_index *,
	    store_fn *, void *arg);

#endif
