/*
 * store_table - the LMDB environment, its tables and their keys.
 *
 * Keys are composite and big-endian, so that the tree's order is ours.  Calls
 * return codes of LMDB: 0, MDB_NOTFOUND, ..., or an errno.
 *
 *	message			id
 *	header, body		id, chunk no
 *	recipient, delivery	id, no
 *	due			relay, destination, tenant (a NUL behind each),
 *				due, id, delivery no
 *	loose			id
 *	history, story, lookup	see story.h
 *	quarantine		number of the table, its key
 *	total			"held", "lived", "discarded"
 *	report			id, no of the recipient
 *	discard			time, id, 0, no of the recipient
 *	crc			id, part, piece no; from the second piece on
 *	suspension		relay, domain (a NUL behind each)
 *
 * The format of the whole is a number: see store_format.h.
 */
#ifndef QUEUE_STORE_TABLE_H
#define QUEUE_STORE_TABLE_H

#include <lmdb.h>

#include "queue/store/store.h"

enum table {
	TABLE_MESSAGE, TABLE_HEADER, TABLE_BODY, TABLE_RECIPIENT,
	TABLE_DELIVERY, TABLE_DUE, TABLE_LOOSE, TABLE_HISTORY,
	TABLE_QUARANTINE, TABLE_TOTAL, TABLE_REPORT, TABLE_DISCARD, TABLE_CRC,
	TABLE_SUSPENSION, TABLE_STORY, TABLE_LOOKUP,
	TABLE__COUNT		/* new ones at the end: numbers are on disk */
};

#define STORE_KEY_MAX	511	/* bytes, what LMDB takes */
#define PLACE_LEN	28	/* bytes of due, id and no in a key */

struct store_key {
	size_t		 len;
	uint8_t		 b[STORE_KEY_MAX];
};

struct store_env {
	MDB_env		*env;
	int		 fd;		/* of the file; LMDB's		*/
	MDB_dbi		 dbi[TABLE__COUNT];
};

/* As it is named on disk. */
const char *store_table_name(enum table);

/* ENOTSUP: a newer postern wrote it, and it is as it was. */
int	store_table_open(struct store_env *, const char *dir);
void	store_table_close(struct store_env *);

void	store_table_key_id(struct store_key *, struct id);
void	store_table_key_no(struct store_key *, struct id, uint32_t no);
void	store_table_key_due(struct store_key *, struct span flow,
	    const struct store_place *);
void	store_table_key_crc(struct store_key *, struct id, enum part,
	    uint32_t piece_no);
void	store_table_key_suspension(struct store_key *, struct span relay,
	    struct span domain);
/* Of table discard. */
void	store_table_key_discard(struct store_key *, int64_t at_ms, struct id,
	    uint32_t no);

/* The place at the end of a key of table due; the flow's name before it. */
void	store_table_place(MDB_val key, struct store_place *);
uint32_t store_table_no(MDB_val key);	/* number at the end of a key */
bool	store_table_same_id(MDB_val key, struct id);
/* As the table has them in order: less than, equal to, greater than 0. */
int	store_table_cmp(MDB_val key, const void *bytes, size_t len);
/*
 * To the first key at or behind this one.  A key beside it that a flipped bit
 * has put out of order, which misleads a search in the tree, is seen through.
 */
int	store_table_seek(MDB_cursor *, const struct store_key *, MDB_val *key,
	    MDB_val *val);

int	store_table_get(const struct store_env *, MDB_txn *, enum table,
	    const struct store_key *, MDB_val *out);
int	store_table_put(const struct store_env *, MDB_txn *, enum table,
	    const struct store_key *, const void *, size_t len);
/* The same with a struct record_NAME; EINVAL when it is too long. */
int	store_table_put_record(const struct store_env *, MDB_txn *,
	    enum table, const struct store_key *, enum record_kind,
	    const void *);
/* Remove by key; that there is none is not an error. */
int	store_table_del(const struct store_env *, MDB_txn *, enum table,
	    const struct store_key *);

/* Pages in use by all tables, the free list and the roots included. */
int	store_table_pages(const struct store_env *, MDB_txn *, size_t *out);

/* What a code of LMDB or an errno means for a caller. */
enum err store_table_err(int rc);

/* The errno for it; EUCLEAN where only damage of the file explains it. */
int	store_table_errno(int rc);

#endif
