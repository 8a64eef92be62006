/*
 * store_list - all there is, row by row, and its sums.
 */
#ifndef QUEUE_STORE_LIST_H
#define QUEUE_STORE_LIST_H

#include "queue/store/store.h"

#define STORE_ROWS_MAX		128	/* rows one store_read_rows gives */

struct store;

enum store_row_kind { ROW_MESSAGE, ROW_DELIVERY, ROW_RCPT };

/* A row of the listing: messages by id, each with deliveries and recipients. */
struct store_row {
	enum store_row_kind kind;
	struct id	 id;
	uint32_t	 no;
	union record	 rec;
};

struct store_spot {
	struct id	 id;
	enum store_row_kind kind;
	uint32_t	 no;
};

/* A bounded number of rows of the listing, wherever that breaks off. */
struct store_read_rows {
	struct store_op	 op;
	struct store_spot from;		/* the first row, or what follows it */
	bool		 one;		/* of that message only		*/
	uint32_t	 message_max;	/* begin no more of them	*/
	struct store_row *rows;		/* out: yours, one block, or NULL */
	unsigned	 cnt;		/* out				*/
	uint32_t	 message_cnt;	/* out: of them, begun		*/
	struct store_spot next;		/* out: go on from here		*/
	bool		 at_end;	/* out: there is nothing more	*/
};

struct store_read_totals {
	struct store_op	 op;
	uint64_t	 messages, deliveries, held;	/* out		*/
	uint64_t	 quarantined;			/* out: rows	*/
	struct id	 oldest;	/* out: all zero when none	*/
	uint64_t	 disk_free, disk_size;	/* out: bytes; 0: has none */
};

void	store_read_rows(struct store *, struct store_read_rows *,
	    store_fn *, void *arg);
void	store_read_totals(struct store *, struct store_read_totals *,
	    store_fn *, void *arg);

#endif
