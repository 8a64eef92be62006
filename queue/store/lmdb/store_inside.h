/*
 * store_inside - what the files of the store share, and nobody else sees.
 *
 * Three threads meet in struct store: the loop hands calls over in `writes`
 * and `reads` and takes them back from `done`; the writer and the reader do
 * the work between.  Whatever stands below `lock` is touched only with it
 * held; struct store_state is the writer's alone.
 */
#ifndef QUEUE_STORE_INSIDE_H
#define QUEUE_STORE_INSIDE_H

#include <pthread.h>

#include "queue/store/store_engine.h"
#include "queue/store/story.h"
#include "queue/store/lmdb/store_find.h"
#include "queue/store/lmdb/store_rows.h"
#include "queue/store/lmdb/store_table.h"
#include "queue/store/lmdb/store_walk.h"
#include "sys/bell.h"

/* Calls that the store hands to itself. */
enum {
	STORE_QUARANTINE = STORE__COUNT,
};

STAILQ_HEAD(store_ops, store_op);

/* What the writer undoes when a transaction does not commit. */
struct store_state {
	uint64_t	 loose_cnt;	/* rows of loose that can be swept */
	struct id	 sweep_after;	/* where the last sweep left off */
	bool		 sweep_found;	/* this round had something	*/
	int64_t		 lived_kept_ms;	/* as it is on disk		*/
	uint64_t	 message_cnt;
	struct story_state story;
};

/* A row that cannot be used: a note of it goes to table quarantine, once. */
struct store_quarantine {
	struct store_op	 op;
	enum table	 table;
	struct store_key key;
	enum aside	 why;
	bool		 is_new;	/* out: there was none yet	*/
	bool		 is_back;	/* out: it was missing before	*/
};

struct store {
	struct store_base base;
	struct store_env env;
	struct bell	 bell;		/* there is something in done	*/
	struct id	 last_id;	/* at the start			*/
	struct suspension_set *suspensions;	/* until ready is told	*/
	uint64_t	 life;		/* marks loose rows of this life */
	int64_t		 lived_before_ms, opened_ms; /* see store_life.c */
	pthread_t	 writer, reader;
	bool		 has_writer, has_reader;
	enum queue_full	 last_full;	/* the loop's			*/
	bool		 was_ready;
	uint64_t	 held_cnt;

	/* The writer's own. */
	struct store_state state;
	uint64_t	 allocated;	/* bytes of the file that exist	*/
	size_t		 pages;		/* in use after the last commit	*/
	unsigned	 trouble_cnt;	/* failed transactions in a row	*/
	bool		 is_ending;	/* the last one is due		*/
	int64_t		 clock_ms;	/* wall time less monotonic, seen */
	int64_t		 history_from_ms; /* monotonic: none is old before */

	pthread_mutex_t	 lock;
	pthread_cond_t	 write_more, read_more;
	struct store_ops writes, reads, done;
	struct store_limits limits;
	bool		 closing;
	enum queue_full	 full;
	const char	*full_why;
	uint64_t	 message_cnt;	/* after the last commit	*/
	const char	*broken_why;
	int		 broken_error;
};

/* store_apply.c: one call within the open transaction; codes of LMDB. */
int	store_apply(struct store *, MDB_txn *, struct store_op *);
/* store_edit.c, store_hasten.c: the same for one of them. */
int	store_apply_edit(struct store *, MDB_txn *, struct store_edit *);
/*
 * store_answer.c: rows of table report, or discards, for all recipients that
 * are left of a message that is given up; NULL: its envelope cannot be read.
 */
int	store_answer_rcpts(struct store *, MDB_txn *, struct store_edit *,
	    const struct record_message *);
/* store_replan.c: the same for struct store_replan alone. */
int	store_apply_replan(struct store *, MDB_txn *, struct store_replan *);
int	store_apply_hasten(struct store *, MDB_txn *, struct store_hasten *);

/*
 * store_report.c: struct store_report likewise; rows of table report within a
 * settle; and what the reader gives of them.
 */
int	store_apply_report(struct store *, MDB_txn *, struct store_report *);
int	store_report_put(struct store *, MDB_txn *, struct id, int64_t now_ms,
	    const struct store_change *);
int	store_report_has(struct store *, MDB_txn *, struct id, bool *out);
int	store_report_del_all(struct store *, MDB_txn *, struct id);
enum err store_report_read(struct store *, MDB_txn *,
	    struct store_read_report *);
int	store_report_list(struct store *, MDB_txn *,
	    struct store_read_reports *);
/*
 * store_discard.c: rows of table discard within a settle or a report, as many
 * as there is room for, and all are counted; they are told of, or read.
 */
int	store_discard_put(struct store *, MDB_txn *, struct id,
	    int64_t now_ms, const struct store_discard *, uint32_t cnt);
int	store_apply_digest(struct store *, MDB_txn *, struct store_digest *);
enum err store_discard_read(struct store *, MDB_txn *,
	    struct store_read_discards *);
/* store_accept.c: a message with its last pieces. */
int	store_apply_accept(struct store *, MDB_txn *, struct store_accept *);

/*
 * store_row.c: rows that several calls write, within the open transaction.
 * store_row_get() sets a damaged record aside; *e is OK, ERR_PEER or ERR_NONE,
 * and ends this call only.  Strings are the map's, good until a change.
 */
int	store_row_get(struct store *, MDB_txn *, enum table,
	    const struct store_key *, union record *out, enum err *e);
int	store_row_put_due(struct store *, MDB_txn *, const struct store_flow *,
	    const struct store_place *);
int	store_row_put_loose(struct store *, MDB_txn *, struct id, bool done);
/* So many more deliveries are held, or fewer. */
int	store_row_add_held(struct store *, MDB_txn *, int64_t);
/* The same of what was discarded and is not told of; and how many. */
int	store_row_add_discarded(struct store *, MDB_txn *, int64_t);
int	store_row_get_discarded(struct store *, MDB_txn *, uint64_t *out);
/*
 * Text as chunks, from this piece on, and the sum of each of its pieces: in
 * the mail of a first piece, else a row of its own.
 */
int	store_row_put_text(struct store *, MDB_txn *, struct store_mail *,
	    enum part, uint32_t piece_no, struct span text);
/* Is nothing left of it to be done, or to be told? */
int	store_row_is_over(struct store *, MDB_txn *, struct id, bool *over);
/*
 * store_row_end.c:
 * if so, one whose envelope cannot be read goes, with its notes, and its text
 * is swept.  *gone: there was such an envelope.
 */
int	store_row_end_damaged(struct store *, MDB_txn *, struct id,
	    bool *gone);
/* The message and its text, which is swept when it is long. */
int	store_row_del_message(struct store *, MDB_txn *, struct id,
	    uint64_t header_len, uint64_t body_len);

/*
 * store_story.c: what happened to messages, within the open transaction; and
 * within the reader's.
 */
int	store_story_put(struct store *, MDB_txn *, struct id, enum event,
	    uint32_t no, const struct record_history *);
int	store_story_accept(struct store *, MDB_txn *,
	    const struct store_accept *);
int	store_story_change(struct store *, MDB_txn *,
	    const struct store_settle *, const struct store_change *,
	    struct span relay);
/* Rows from before before_ms, and some more where there are too many. */
int	store_story_sweep(struct store *, MDB_txn *, int64_t before_ms,
	    uint64_t max_bytes);
int	store_story_find(struct store *, MDB_txn *, struct store_read_found *);
int	store_story_read(struct store *, MDB_txn *, struct store_read_story *,
	    enum err *);

/* store_list.c: within the reader's transaction. */
enum err store_list_rows(struct store *, MDB_txn *, struct store_read_rows *);
int	store_list_old(struct store *, MDB_txn *, struct store_read_old *);
int	store_list_totals(struct store *, MDB_txn *,
	    struct store_read_totals *);

/*
 * store_index.c: within the reader's, and the writer's, transaction.
 * store_index_is_key() says whether a key has the form of table due's.
 */
int	store_index_read(struct store *, MDB_txn *, struct store_read_index *);
int	store_index_mend(struct store *, MDB_txn *, struct store_mend *);
bool	store_index_is_key(MDB_val key);

/* store_hand.c: what a code means; a damaged file ends the process. */
enum err store_reader_err(struct store *, int rc);

/* store_sweep.c; the first at the start */
int	store_sweep_learn(struct store *, MDB_txn *);
int	store_sweep_loose(struct store *, MDB_txn *);
int	store_sweep_history(struct store *, MDB_txn *,
	    const struct store_limits *);
int	store_sweep_later(struct store *, MDB_txn *, struct id);

/*
 * store_life.c: how long it has lived; learn what is on disk of that, at the
 * start; keep it; is it time to?
 */
#define STORE_LIFE_MS	60000
int64_t	store_life_ms(const struct store *);
int	store_life_learn(struct store *, MDB_txn *);
int	store_life_keep(struct store *, MDB_txn *);
bool	store_life_is_due(const struct store *);

/* store_suspend.c: one call; what there are at the start. */
int	store_apply_suspend(struct store *, MDB_txn *, struct store_suspend *);
int	store_suspend_learn(struct store *, MDB_txn *);

/* store_spent.c: within the reader's transaction. */
/* Is it held for the deaths of its relay? */
bool	store_spent_is_held(const struct record_delivery *);
int	store_spent_read(struct store *, MDB_txn *, struct store_read_spent *);

/* store_space.c: learn how full we are now that `pages` are in use. */
void	store_space_check(struct store *, size_t pages,
	    const struct store_limits *);
/* Does the disk take nothing, as one that was mounted to be read only? */
bool	store_space_is_shut(const struct store *);
/* Is that what such a disk says to a write? */
bool	store_space_is_refusal(int rc);
/* What its disk has, and has free. */
void	store_space_disk(const struct store *, uint64_t *free_bytes,
	    uint64_t *size);
/* Is the disk out of room?  Tells a full disk from a broken one. */
bool	store_space_is_out(const struct store *);

/* Threads.  arg is the struct store. */
void	*store_writer_run(void *arg);
void	*store_reader_run(void *arg);

/* store_hand.c: hand a call over to the writer; one of our own. */
void	store_hand(struct store *, struct store_op *);
void	store_hand_write(struct store *, struct store_op *, unsigned kind,
	    store_fn *, void *arg);

/* Hand calls back to the loop, in order. */
void	store_give_back(struct store *, struct store_ops *);

/*
 * store_look.c: what cannot be read.  store_set_aside() has a note made of a
 * row, which stays where it is; from any thread, lock not held.
 * store_row_look() says how a row is: OK, ERR_NONE, or ERR_PEER with the reason
 * in *why; *e as in store_row_get().
 */
void	store_set_aside(struct store *, enum table, const struct store_key *,
	    enum aside why);
/* The threads have ended: what nobody comes back for is told, if it is a note,
 * and freed. */
void	store_aside_end(struct store *);
/* One of its recipients is missing by their count, unless it is damaged. */
void	store_miss_rcpt(struct store *, struct id);
int	store_row_look(const struct store *, MDB_txn *, enum table,
	    const struct store_key *, union record *out, enum err *e,
	    enum aside *why);
/* store_aside.c: the note is made, and the delivery held. */
int	store_apply_quarantine(struct store *, MDB_txn *,
	    struct store_quarantine *);
int	store_apply_hold(struct store *, MDB_txn *, struct store_hold *);
/*
 * store_notes.c: notes of table quarantine.  store_note_look() says whether a
 * row that was set aside for *why is over: it can be used, or nothing needs it;
 * else *why is what is wrong by now.  store_notes_drop() takes notes of a
 * message away, those that are over or all, with what was held by them alone.
 */
struct store_notes {
	uint32_t	 found, over;
};
bool	store_note_key(struct store_key *, enum table,
	    const struct store_key *row);	/* false: it is too long */
int	store_note_look(struct store *, MDB_txn *, enum table,
	    const struct store_key *, enum aside *why, bool *over);
int	store_notes_read(struct store *, MDB_txn *, struct store_read_notes *);
int	store_notes_drop(struct store *, MDB_txn *, struct id, bool all,
	    struct store_notes *out);
int	store_notes_count(struct store *, MDB_txn *, struct id,
	    struct store_notes *out);
/*
 * store_stray.c: a row that is missing, for a flipped bit has made its key
 * another's, is brought home.  store_stray_fetch(): this one; it is looked for
 * where it must stand.  store_stray_delivery(): this row of table delivery, as
 * table due tells of its home; where it has none it is put where its own key is
 * looked for.
 */
int	store_stray_fetch(struct store *, MDB_txn *, enum table,
	    const struct store_key *, bool *found);
int	store_stray_delivery(struct store *, MDB_txn *,
	    const struct store_key *, bool *moved);
/* Is there a message of this id, or one that is arriving? */
int	store_stray_is_known(const struct store *, MDB_txn *, struct id,
	    bool *known);
/* store_lone.c: rows of messages that there are not. */
int	store_lone_read(struct store *, MDB_txn *, struct store_read_lone *);
/* Is nothing left of a row that was noted as one, or has it a message? */
int	store_lone_is_over(struct store *, MDB_txn *, enum table, struct id,
	    bool *over);
/* store_lone_row.c: has this row one, as its table must have? */
int	store_lone_has_message(struct store *, MDB_txn *, enum table,
	    struct id, bool *has);
int	store_lone_is_anything(struct store *, MDB_txn *, struct id,
	    bool *is);
/* store_row.c: the key of table due that this delivery must have. */
bool	store_row_due_key(MDB_val key, MDB_val val, struct store_key *out);
/* store_look.c: why in words, a literal. */
const char *store_aside_said(enum aside why);
/* Which records a table has; false: it has none. */
bool	store_row_kind(enum table, enum record_kind *out);

/* store_text.c: within the reader's transaction. */
enum err store_text_read(struct store *, MDB_txn *, struct store_read_piece *);

/* store_envelope.c: the same. */
enum err store_envelope_read(struct store *, MDB_txn *,
	    struct store_read_envelope *);

/* store_writer.c: the process is to end; lock not held. */
void	store_give_up(struct store *, const char *why, int rc);

/* Weight of a call in bytes of text. */
size_t	store_apply_weight(const struct store_op *);

#endif
