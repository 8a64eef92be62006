/*
 * store_report - what senders are to be told, and what nobody could be told.
 */
#ifndef QUEUE_STORE_REPORT_H
#define QUEUE_STORE_REPORT_H

#include "queue/store/store.h"

#define STORE_REPORT_MAX	1000	/* rows one store_read_report gives */
#define STORE_REPORTS_MAX	64	/* ids one store_read_reports gives */
#define STORE_DISCARDS_MAX	1000	/* rows of table discard	*/
#define STORE_DISCARDS_READ	200	/* read of them with their strings */
#define STORE_DISCARD_KEY	29	/* bytes of one of their keys	*/

struct store;
struct store_accept;
struct store_discard;

/* Rows of table report, read back. */
struct report_row {
	uint32_t	 no;		/* of the recipient		*/
	bool		 is_lost;	/* damaged: rec is empty	*/
	struct record_report rec;
};

/* What is to be told of a message; one block, free() it. */
struct report_rows {
	struct record_message message;	/* flags, lengths, sender, RFC 3461's */
	uint32_t	 cnt;
	struct report_row rows[];
};

struct store_read_report {
	struct store_op	 op;
	struct id	 id;
	struct report_rows *rows;	/* out: yours			*/
};

/* Messages of which something is to be told, from behind `after` on. */
struct store_read_reports {
	struct store_op	 op;
	struct id	 after;	/* all zero: the beginning; out: go on	*/
	struct id	 ids[STORE_REPORTS_MAX];	/* out		*/
	unsigned	 cnt;				/* out		*/
	bool		 at_end;			/* out		*/
};

/*
 * These rows are told by this bounce, or by none: they go, and so does a
 * message that only waited for it.  ERR_NONE: there is no such message any
 * more, and its rows, which came of damage, are discards now; ERR_STALE: none
 * of them is there as it was read, for they are told already, or anew.
 */
struct store_report {
	struct store_op	 op;
	struct id	 id;
	const struct report_rows *rows;
	struct store_accept *bounce;	/* or NULL; its op is not used	*/
	int64_t		 now_ms;
	const struct store_discard *discards;
	uint32_t	 discard_cnt;
	bool		 removed;	/* out: the message is gone too	*/
	bool		 has_more;	/* out: rows are left		*/
	uint32_t	 lost_cnt;	/* out: with ERR_NONE, such rows */
};

/* A row of table discard, read back. */
struct discard_row {
	uint8_t		 key[STORE_DISCARD_KEY];
	int64_t		 at_ms;		/* wall clock			*/
	struct id	 id;		/* of the message		*/
	bool		 is_lost;	/* damaged: rec is empty	*/
	struct record_discard rec;
};

/* What nobody was told of, the oldest first; one block, free() it. */
struct discard_rows {
	uint64_t	 all_cnt;	/* those without a row included	*/
	uint32_t	 cnt;
	uint32_t	 text_cnt;	/* of them, with their strings	*/
	struct discard_row rows[];
};

struct store_read_discards {
	struct store_op	 op;
	uint32_t	 row_max;	/* STORE_DISCARDS_MAX at most	*/
	struct discard_rows *rows;	/* out: yours			*/
};

/*
 * All that was read is told of by this message, or is not to be told of: its
 * rows go, and so many are counted no longer.  ERR_STALE: all of those rows
 * are gone already.
 */
struct store_digest {
	struct store_op	 op;
	const struct discard_rows *rows;
	struct store_accept *message;	/* or NULL; its op is not used	*/
};

void	store_report(struct store *, struct store_report *, store_fn *,
	    void *arg);
void	store_digest(struct store *, struct store_digest *, store_fn *,
	    void *arg);
void	store_read_report(struct store *, struct store_read_report *,
	    store_fn *, void *arg);
void	store_read_reports(struct store *, struct store_read_reports *,
	    store_fn *, void *arg);
void	store_read_discards(struct store *, struct store_read_discards *,
	    store_fn *, void *arg);

#endif
