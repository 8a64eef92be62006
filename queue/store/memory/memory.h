/*
 * memory - what the files of the memory engine share: tables of rows in the
 * order of their keys, as the other engines have them, and gone with the
 * process.
 *
 * Everything happens in the loop's thread, a turn after it was handed over: so
 * what is answered is done, and nothing is seen half.  What a call of the
 * middle has no memory for is the end of the process, which would lose no more
 * by it: only what comes in is refused, and what there is room for is counted
 * (max_bytes).
 *
 *	message			id
 *	recipient, delivery	id, no
 *	due			flow, due, id, delivery no
 *	report			id, no of the recipient
 *	piece			id, part, piece no
 *	discard			time, id, 0, no of the recipient
 *	suspension		relay, domain (a NUL behind each)
 */
#ifndef QUEUE_MEMORY_H
#define QUEUE_MEMORY_H

#include <sys/tree.h>

#include "queue/store/store_engine.h"
#include "queue/store/story.h"

enum memory_table {
	MEMORY_MESSAGE, MEMORY_RECIPIENT, MEMORY_DELIVERY, MEMORY_DUE,
	MEMORY_REPORT, MEMORY_PIECE, MEMORY_DISCARD, MEMORY_SUSPENSION,
	MEMORY_HISTORY, MEMORY_STORY, MEMORY_LOOKUP,	/* see story.h */
	MEMORY__COUNT
};

#define MEMORY_KEY_MAX	(STORE_FLOW_MAX + 28)	/* of a row of due	*/

struct memory_key {
	size_t		 len;
	uint8_t		 b[MEMORY_KEY_MAX];
};

struct memory_row {
	RB_ENTRY(memory_row) by_key;
	uint32_t	 key_len, len;
	uint8_t		 b[];		/* the key, then what it holds	*/
};

RB_HEAD(memory_tree, memory_row);
STAILQ_HEAD(memory_ops, store_op);

struct memory {
	struct store_base base;
	struct timer	 turn;		/* there is something in ops	*/
	struct memory_ops ops;
	struct memory_tree tables[MEMORY__COUNT];
	uint64_t	 cnt[MEMORY__COUNT];	/* of their rows	*/
	uint64_t	 bytes;		/* of all of them but history's	*/
	uint64_t	 story_bytes;	/* and of the three that are	*/
	uint64_t	 history_bytes;	/* bounds, of the limits	*/
	int64_t		 history_ms;
	int64_t		 gathered_ms;	/* see story.h			*/
	struct story_state story;
	uint64_t	 max_bytes;
	uint64_t	 held, discarded;
	uint64_t	 held_cnt;	/* messages			*/
	int64_t		 opened_ms;	/* monotonic			*/
	bool		 is_full, was_full, is_ready, is_out;
};

/* memory_rows.c: keys. */
void	memory_key_id(struct memory_key *, struct id);
void	memory_key_no(struct memory_key *, struct id, uint32_t no);
void	memory_key_due(struct memory_key *, struct span flow,
	    const struct store_place *);
void	memory_key_piece(struct memory_key *, struct id, enum part,
	    uint32_t piece_no);
void	memory_key_discard(struct memory_key *, int64_t now_ms, struct id,
	    uint32_t no);
/* What a row's key says of it. */
struct id memory_row_id(const struct memory_row *);
uint32_t memory_row_no(const struct memory_row *);
/* Of one of table due: its flow, and its place there. */
struct span memory_row_flow(const struct memory_row *);
struct store_place memory_row_place(const struct memory_row *);
struct span memory_row_bytes(const struct memory_row *);

/* The row of that key; NULL: there is none. */
struct memory_row *memory_get(struct memory *, enum memory_table,
	    const struct memory_key *);
/* The first whose key is that one or behind it; the one behind; or NULL. */
struct memory_row *memory_seek(struct memory *, enum memory_table,
	    const struct memory_key *);
struct memory_row *memory_next(struct memory_row *);
/* The one before, the last for NULL; or NULL. */
struct memory_row *memory_before(struct memory *, enum memory_table,
	    struct memory_row *);
/* The first, and the next, of all that a message has in a table; or NULL. */
struct memory_row *memory_first_of(struct memory *, enum memory_table,
	    struct id);
struct memory_row *memory_next_of(struct memory_row *);

/* In place of the row of that key, if there is one.  False: no memory. */
bool	memory_put(struct memory *, enum memory_table,
	    const struct memory_key *, struct span);
void	memory_del(struct memory *, enum memory_table,
	    const struct memory_key *);
void	memory_del_all_of(struct memory *, enum memory_table, struct id);
void	memory_clear(struct memory *);

/*
 * The record of a row; its strings lie in the row.  Writing one may take its
 * strings from the very row that it takes the place of.
 */
void	memory_read(const struct memory_row *, enum record_kind,
	    union record *);
bool	memory_put_record(struct memory *, enum memory_table,
	    const struct memory_key *, enum record_kind, const void *);

/* Strings of a record as a copy that begins at *at, which goes on. */
struct span memory_keep(char **at, struct span);
void	memory_keep_record(enum record_kind, union record *, char **at);

/* A call that writes: the files of these names have it. */
enum err memory_apply(struct memory *, struct store_op *);
enum err memory_accept(struct memory *, struct store_accept *);
enum err memory_put_piece(struct memory *, struct store_piece *);
enum err memory_edit(struct memory *, struct store_edit *);
enum err memory_report(struct memory *, struct store_report *);
enum err memory_digest(struct memory *, struct store_digest *);
void	memory_put_report(struct memory *, struct id, int64_t now_ms,
	    const struct store_change *);
void	memory_put_discards(struct memory *, struct id, int64_t now_ms,
	    const struct store_discard *, uint32_t cnt);
/* memory_accept.c: the rows of delivery and due, or that of due alone; of one
 * that is moved the old ones are gone. */
bool	memory_put_delivery(struct memory *, struct id, uint32_t no,
	    const struct record_delivery *);
void	memory_del_due(struct memory *, struct id, uint32_t no,
	    const struct record_delivery *);
void	memory_move(struct memory *, struct id, uint32_t no,
	    const struct record_delivery *);
void	memory_del_delivery(struct memory *, struct id, uint32_t no,
	    const struct record_delivery *);
/* The message and its text. */
void	memory_del_message(struct memory *, struct id);

/* memory_story.c: what happened to messages. */
void	memory_story_put(struct memory *, struct id, enum event, uint32_t no,
	    const struct record_history *);
void	memory_story_accept(struct memory *, const struct store_accept *);
void	memory_story_change(struct memory *, const struct store_settle *,
	    const struct store_change *, struct span relay);
/* Once a turn. */
void	memory_story_sweep(struct memory *);
void	memory_story_find(struct memory *, struct store_read_found *);
enum err memory_story_read(struct memory *, struct store_read_story *);

/* memory_read.c, memory_list.c: one that only reads. */
enum err memory_answer(struct memory *, struct store_op *);
enum err memory_list_rows(struct memory *, struct store_read_rows *);
void	memory_list_old(struct memory *, struct store_read_old *);
void	memory_list_spent(struct memory *, struct store_read_spent *);
enum err memory_list_discards(struct memory *, struct store_read_discards *);
enum err memory_list_report(struct memory *, struct store_read_report *);
void	memory_list_reports(struct memory *, struct store_read_reports *);

#endif
