/*
 * store - the queue's memory: which messages exist, and what is still to be
 * done for them.
 *
 * Behind these calls stands an engine (store_engine.h): lmdb, the default, on a
 * disk of this machine, or another.  A message exists if and only if its
 * store_accept() came back OK; whether it survives a power cut from then on the
 * engine says (store_engine_keeps).  What an engine keeps may be others' work
 * too: rows come to be that no call of ours has made, and which shards of them
 * are ours is said, and may change.
 *
 * Every call hands over a struct, which lies in the caller's memory and is
 * borrowed, with all it points to, until its fn is called: once, in the loop's
 * thread, never from within the call itself.  Calls before ready() are answered
 * after it.
 *
 * Owns	   what the engine owns
 * Blocks  store_open() and store_close() only
 * Errors  errno is EUCLEAN after store_open() where the file is damaged;
 *	   ERR_FULL no room, nothing of this call was kept; ERR_SYS the same
 *	   for another reason; ERR_NONE there is no such row; ERR_PEER what
 *	   was found cannot be used (and a note of it is kept, see
 *	   store_read_notes); ERR_STALE somebody else went on with it
 */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/span.h"
#include "bus/held.h"
#include "bus/messages.h"
#include "queue/store/record.h"
#include "queue/plan/suspension.h"
#include "sys/ev.h"

#define STORE_TENANT_MAX	128	/* bytes; longer ones are cut	*/
#define STORE_TURN_DOMAIN_MAX	64	/* bytes of a domain, its last	*/
#define STORE_TURN_MAX		(STORE_TENANT_MAX + 1 + STORE_TURN_DOMAIN_MAX)
#define STORE_PIECES_MAX	(1u << 28)	/* of a part	*/
#define STORE_FLOW_MAX		480	/* bytes of a flow's name, which
					 * every engine must take	*/
#define STORE_DUE_MAX		64	/* rows one store_read_due gives */
#define STORE_SPENT_MAX		64	/* rows one store_read_spent gives */
#define STORE_FLOWS_MAX		64	/* rows one store_read_flows gives */
#define STORE_ROWS_MAX		128	/* rows one store_read_rows gives */
#define STORE_REPORT_MAX	1000	/* rows one store_read_report gives */
#define STORE_REPORTS_MAX	64	/* ids one store_read_reports gives */
#define STORE_DISCARDS_MAX	1000	/* rows of table discard	*/
#define STORE_DISCARDS_READ	200	/* read of them with their strings */
#define STORE_DISCARD_KEY	29	/* bytes of one of their keys	*/
#define STORE_OLD_MAX		64	/* rows one store_read_old gives */
#define STORE_WRONG_MAX		64	/* rows one store_read_index finds */
#define STORE_NOTES_MAX		64	/* rows one store_read_notes gives */
#define STORE_INDEX_KEY_MAX	511	/* bytes of an engine's own key	*/
#define STORE_SHARDS		64	/* flows are spread over them	*/
#define STORE_SHARD_ALL		STORE_SHARDS	/* all at once		*/

/* Due then, in the year 9999: held until somebody releases it. */
#define STORE_HELD_MS		INT64_C(253402300799000)

#define STORE_DEATHS_MAX	3	/* held then, in version 1	*/

struct store;
struct store_engine;
struct store_op;

typedef void store_fn(struct store_op *, enum err, void *arg);

struct store_limits {
	uint64_t	 reserve;	/* bytes kept allocated beyond use */
	uint64_t	 max_bytes;	/* quota; 0 is none		*/
	int64_t		 history_ms;	/* how long history is kept	*/
	uint64_t	 history_bytes;	/* and how much of it		*/
};

/* As the engine found it: the start of everything else. */
struct store_ready {
	struct id	 last_id;	/* the highest ever used here, as far
					 * as it is no more than a day ahead */
	uint64_t	 message_cnt;	/* held				*/
	struct suspension_set *suspensions;	/* yours		*/
};

struct store_flow;
struct store_place;

/* In the loop's thread, none from within another call. */
struct store_calls {
	/* Intake must stop, or may go on.  why is a literal. */
	void	(*space)(enum queue_full, const char *why, void *arg);
	/* The disk or the database fails: nothing more can be promised. */
	void	(*broken)(const char *why, int error, void *arg);
	/* Once, before any other but these two. */
	void	(*ready)(const struct store_ready *, void *arg);
	/*
	 * So many messages are held by now, whoever put them there or took
	 * them away: said before a call comes back that changed it.  NULL:
	 * nobody wants to know, as with the next three.
	 */
	void	(*held)(uint64_t message_cnt, void *arg);
	/*
	 * This row is there, and it was not our call that put it there: what
	 * that has done its own fn knows, in the order that it needs.
	 */
	void	(*rows)(const struct store_flow *, const struct store_place *,
		    void *arg);
	/* Flows of this shard are ours, or are another's from now on. */
	void	(*owned)(unsigned shard, void *arg);
	void	(*disowned)(unsigned shard, void *arg);
};

/* What store_open() is told. */
struct store_start {
	const struct store_engine *engine;
	struct ev_loop	*loop;
	const char	*dir;		/* where it may keep files	*/
	const struct store_limits *limits;
	const struct store_calls *calls;
	void		*arg;		/* theirs			*/
};

/* The head of every call; nothing in it is the caller's business. */
struct store_op {
	STAILQ_ENTRY(store_op) entry;
	unsigned	 kind;
	enum err	 err;
	store_fn	*fn;
	void		*arg;
};

/*
 * Where a delivery stands in its flow: rows are in the order of these.  What it
 * says may be read; only the functions below make one, or compare two.
 */
struct store_place {
	int64_t		 due_ms;	/* wall clock			*/
	struct id	 id;
	uint32_t	 no;		/* delivery within the message	*/
};

/*
 * What the writer remembers of a message while its text is arriving.  Set id
 * and leave the rest zero; it must live until the accept or drop came back.
 */
struct store_mail {
	struct id	 id;
	bool		 begun;		/* chunks of it are on disk	*/
	enum err	 failed;	/* why some is not, or OK	*/
	uint32_t	 sum[PART__COUNT];	/* of each first piece	*/
};

/*
 * A piece of its text as the bus carries it: PIECE_MAX bytes, or less for the
 * last of a part, of which there are STORE_PIECES_MAX at most.  In what sizes
 * it is kept is the engine's.
 */
struct store_piece {
	struct store_op	 op;
	struct store_mail *mail;
	enum part	 part;
	uint32_t	 piece_no;
	struct span	 text;
};

/* What RCPT said of reports, RFC 3461; 0 and empty: nothing. */
struct store_dsn {
	uint8_t		 notify;	/* DSN_* bits			*/
	struct span	 orcpt;		/* as given			*/
	struct span	 trace;		/* and how he came of who was said,
					 * see expand.h; empty: he was	*/
	struct span	 owner;		/* of the list he is on, who is the
					 * sender for him; or empty	*/
};

/* tenant: in whose line it stands, with a domain of his or without. */
struct store_delivery {
	struct span	 relay, destination, tenant;
	int64_t		 due_ms;
};

struct store_change;

/* A message whole: its text so far plus these last pieces become one. */
struct store_accept {
	struct store_op	 op;
	struct store_mail *mail;
	struct record_message message;	/* rcpt_cnt, delivery_cnt included,
					 * the rest of version 2 ours	*/
	struct span	 message_id;	/* as its header says it, empty: not */
	struct span	 checks, tls;	/* of its session, for its history */
	uint64_t	 session;	/* likewise; 0: it had none	*/
	const struct span *rcpts;
	const struct store_dsn *rcpt_dsn; /* NULL: none said anything	*/
	const uint32_t	*rcpt_delivery;	/* NULL: all are in delivery 0	*/
	const struct store_delivery *deliveries;
	struct span	 header, body;	/* not yet written		*/
	uint32_t	 header_piece_no, body_piece_no;
	/* What the sender is to be told from the first, under numbers behind
	 * those of the recipients. */
	const struct store_change *reports;
	uint32_t	 report_cnt;
};

/* The message will not be: what lies on disk of it is swept. */
struct store_drop {
	struct store_op	 op;
	struct store_mail *mail;
};

/* What became of one recipient. */
struct store_change {
	uint32_t	 rcpt_no;
	enum outcome_class class;	/* only CLASS_LATER stays	*/
	uint16_t	 code;
	struct span	 address, reply, hop;
	struct span	 tls;		/* of the connection; empty: none */
	bool		 is_theirs;	/* the hop's words, not ours	*/
	bool		 is_late;	/* given up after trying long	*/
	bool		 is_warned;	/* the sender is told of a delay */
	bool		 is_unread;	/* its address could not be read */
	uint8_t		 flags;		/* RESULT_*, of what is done	*/
	int64_t		 tried_ms;	/* when it was said; 0: never	*/
	enum report	 report;	/* the sender is to be told so	*/
	struct span	 orcpt;		/* for the report, as is until_ms, */
	int64_t		 until_ms;	/* 0: it is tried no more	*/
	struct span	 owner;		/* who is told in place of the sender;
					 * or empty			*/
};

/* What ends and nobody can be told: for the postmaster's digest. */
struct store_discard {
	uint32_t	 rcpt_no;
	struct record_discard rec;
};

/*
 * What became of a delivery, all or nothing: changes, the next try or the end,
 * and a row of table report for each recipient the sender is to be told of.
 * Until those are told the message stays, and its header with it.  Said twice
 * it is done once: ERR_NONE where the delivery is over, and ERR_STALE where it
 * goes on and its attempts and deaths are not those that were seen.
 */
struct store_settle {
	struct store_op	 op;
	struct id	 id;
	uint32_t	 no;
	bool		 is_over;	/* nothing is left of the delivery */
	int64_t		 due_ms;	/* next try, else		*/
	uint32_t	 attempts, deaths;
	enum held	 held;		/* by whom, when due_ms says so	*/
	const struct record_delivery *was;	/* when it was loaded, or NULL:
					 * the tries it saw, and what is
					 * left where its row was damaged */
	bool		 is_ruled;	/* a route did it: none is delivered */
	const struct store_change *changes;
	uint32_t	 change_cnt;
	int64_t		 now_ms;
	const struct store_discard *discards;
	uint32_t	 discard_cnt;
	bool		 removed;	/* out: the message is gone too	*/
	bool		 kept;		/* out: held in place of over, for
					 * a recipient cannot be read	*/
	bool		 is_silent;	/* out: it only waits for reports */
	bool		 was_lost;	/* out: its row was not to be read */
};

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

/* A due row that leads nowhere is taken away. */
struct store_undue {
	struct store_op	 op;
	struct span	 flow;		/* the name of one		*/
	struct store_place place;
	bool		 is_stale;	/* unless it is the right one by now */
};

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

/* A flow, by what only store_flow_name() and store_flow_names() look into. */
struct store_flow {
	bool		 has_far;	/* out: see struct store_read_flows */
	size_t		 len;
	char		 name[STORE_FLOW_MAX];
	int64_t		 due_ms;		/* of its first row	*/
};

/* A key of either table, as the store has it. */
struct store_index_key {
	size_t		 len;
	uint8_t		 b[STORE_INDEX_KEY_MAX];
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

/* A delivery that was looked at, where its row of table due stands now. */
struct store_moved {
	struct store_flow flow;
	struct store_place place;
	bool		 moved;		/* it stood elsewhere before	*/
};

/* How often a delivery was tried when it was looked at. */
struct store_tries {
	uint32_t	 no, attempts, deaths;
};

/*
 * What an administrator wants of a message: of all its deliveries, in one
 * transaction.  EDIT_FLUSH moves what is not yet due, EDIT_RELEASE what is
 * held, EDIT_HOLD all; EDIT_REMOVE takes all rows away, whether they can be
 * read or not; EDIT_GIVE_UP as well, and has the sender told by rows of table
 * report, until which are told the message stays; EDIT_RETRY lets go what
 * damage has held, when a row of it can be read again.  See to it that none is
 * under way.  ERR_NONE: there is no such message, or nothing of it is in
 * quarantine; ERR_PEER: what is cannot be read yet; ERR_STALE: one of those
 * seen is over, or was tried since, and nothing was changed.
 */
struct store_edit {
	struct store_op	 op;
	struct id	 id;
	enum edit	 action;
	int64_t		 now_ms;
	struct span	 reply;		/* what is told by EDIT_GIVE_UP	*/
	const struct store_tries *seen;	/* of its deliveries; what is not
					 * among them is not looked at	*/
	uint32_t	 seen_cnt;
	uint32_t	 reported_cnt;	/* out: recipients of whom the	*/
	uint32_t	 unreported_cnt; /* sender is told, and nobody */
	uint64_t	 counted;	/* by its deliveries; inside	*/
	struct store_moved *rows;	/* out: yours			*/
	uint32_t	 row_cnt;	/* out				*/
	uint32_t	 changed_cnt;	/* out: deliveries moved or gone */
	uint32_t	 note_cnt;	/* out: rows that are good again */
	bool		 removed;	/* out: its envelope is gone	*/
	bool		 was_damaged;	/* out: not all could be read	*/
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

struct store_old {
	struct store_flow flow;
	struct store_place place;
};

/*
 * Deliveries that are not held, in the order their messages arrived, from
 * behind (after, after_no) up to the message `until'.
 */
struct store_read_old {
	struct store_op	 op;
	struct id	 after;		/* all zero: from the beginning; out:
					 * go on			*/
	uint32_t	 after_no;
	struct id	 until;
	struct store_old rows[STORE_OLD_MAX];		/* out		*/
	unsigned	 cnt;				/* out		*/
	bool		 at_end;			/* out		*/
};

/*
 * The recipients of a delivery go elsewhere: it becomes these deliveries, the
 * first of which keeps its number and is where all go that are not named.  A
 * delivery that is held stays so.  See to it that it is not under way.
 * ERR_NONE: there is no such delivery; ERR_STALE: it was tried since it was
 * seen, and nothing was changed.
 */
struct store_replan {
	struct store_op	 op;
	struct id	 id;
	uint32_t	 no;
	const struct store_tries *seen;	/* of it; NULL: whatever they are */
	bool		 is_pinned;	/* by the administrator: stays	*/
	int64_t		 waived_ms, waived_until_ms;	/* from now on	*/
	int64_t		 now_ms;	/* due then			*/
	const struct store_delivery *deliveries;	/* relay, destination */
	uint32_t	 delivery_cnt;
	const uint32_t	*rcpts;		/* numbers of those named	*/
	const uint32_t	*rcpt_delivery;	/* of each: index of deliveries	*/
	uint32_t	 rcpt_cnt;
	struct store_moved *rows;	/* out: room for delivery_cnt	*/
};

/*
 * A suspension begins, ends, or changes: rec is its row from now on, unless it
 * is forgotten.
 */
struct store_suspend {
	struct store_op	 op;
	struct record_suspension rec;
	bool		 is_forgotten;
};

/*
 * Rows of a flow that are due later than far_ms and are not held: due now
 * instead.  A bounded number of them.
 */
struct store_hasten {
	struct store_op	 op;
	struct store_flow flow;
	int64_t		 far_ms, now_ms;
	struct store_place after;	/* all zero at first; goes on there */
	struct store_place rows[STORE_DUE_MAX];	/* out: as they stand now */
	unsigned	 cnt;			/* out			*/
	bool		 at_end;		/* out: there are no more */
};

/*
 * The flows that have rows, in order, from behind `after` on.  With far_ms each
 * says whether it has any that is due later than that and is not held.
 */
struct store_read_flows {
	struct store_op	 op;
	int64_t		 far_ms;	/* 0: that is not asked		*/
	struct store_flow after;	/* len 0: from the beginning	*/
	struct store_flow flows[STORE_FLOWS_MAX];	/* out		*/
	unsigned	 cnt;				/* out		*/
	bool		 at_end;			/* out		*/
};

/* Rows of a flow behind `after` that are due by until_ms. */
struct store_read_due {
	struct store_op	 op;
	struct span	 flow;
	struct store_place after;	/* all zero: from the beginning	*/
	int64_t		 until_ms;
	unsigned	 row_max;	/* 1 to STORE_DUE_MAX		*/
	struct store_place rows[STORE_DUE_MAX];		/* out		*/
	unsigned	 cnt;				/* out		*/
	bool		 at_end;	/* out: no more by until_ms	*/
	int64_t		 next_ms;	/* out: due of the row behind them,
					 * INT64_MAX when there is none	*/
};

struct envelope_rcpt {
	uint32_t	 no;
	struct span	 address;
	struct store_dsn dsn;
	struct span	 reply, hop;	/* the last one, if there was one */
	uint16_t	 code;
	uint8_t		 flags;		/* RCPT_*			*/
	bool		 is_said;	/* its result is here: dispatch.c's */
	int64_t		 tried_ms;
};

/*
 * All that a relay must know of a delivery; one block, free() it.  Where its
 * recipients have an owner he is the sender of its message, without ENVID and
 * RET: all of a delivery have the same, or none has.  Where
 * delivery.rcpt_cnt is higher than rcpt_cnt, some cannot be read.
 */
struct envelope {
	struct record_message message;
	struct record_delivery delivery;
	uint32_t	 rcpt_cnt;
	struct envelope_rcpt rcpts[];	/* by no */
};

/*
 * ERR_NONE: there is no such delivery (any more).  ERR_PEER: there is, and it
 * cannot go on; why says for what, and store_hold() is due.
 */
struct store_read_envelope {
	struct store_op	 op;
	struct id	 id;
	uint32_t	 no;
	struct envelope	*envelope;	/* out: yours		*/
	enum aside	 why;		/* out: the worst of what is wrong */
};

/*
 * One piece of text as it was stored: checked against its checksum, where it
 * has one, and the length that its message says.  ERR_PEER: it is not as it
 * was, or there is no telling; nothing of it is handed out.
 */
struct store_read_piece {
	struct store_op	 op;
	struct id	 id;
	enum part	 part;
	uint32_t	 piece_no;
	char		*text;		/* out: yours; NULL when len is 0 */
	size_t		 len;		/* out				*/
};

struct store_spent {
	struct store_flow flow;
	struct store_place place;
	int64_t		 lived_ms;	/* of the message		*/
	bool		 is_bounce;	/* we wrote it			*/
	uint64_t	 waived_ms, waived_until_ms;	/* of the delivery */
};

/*
 * Deliveries in the order of their messages' age, oldest first, from `from' on,
 * whose lived_ms is at most until_ms, or bounces_until_ms where we wrote it: a
 * bounded number.  What an administrator holds is passed over.
 */
struct store_read_spent {
	struct store_op	 op;
	struct id	 from;		/* goes on there		*/
	uint32_t	 from_no;
	int64_t		 until_ms, bounces_until_ms;
	struct store_spent rows[STORE_SPENT_MAX];	/* out		*/
	unsigned	 cnt;				/* out		*/
	bool		 at_end;	/* out: no more are so old	*/
};

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

/* What stands in table history; numbers are on disk, and the bus has them. */
enum event {
	EVENT_ACCEPTED = STORY_RECEIVED,	/* address: the sender	*/
	EVENT_DELIVERED = STORY_DELIVERED,	/* and so on: recipients */
	EVENT_DEFERRED = STORY_DEFERRED, EVENT_FAILED = STORY_FAILED,
	EVENT_HELD = STORY_HELD, EVENT_RELEASED = STORY_RELEASED,
	EVENT_REMOVED = STORY_REMOVED,
	EVENT_EXPANDED = STORY_EXPANDED,	/* reply: his trace	*/
	EVENT_BOUNCED = STORY_BOUNCED,		/* reply: the bounce's id */
	EVENT_MOVED = STORY_MOVED	/* to relay; reply: by whom; no: of
					 * the delivery			*/
};

#define STORE_FOUND_MAX	64	/* ids one store_read_found gives */
#define STORE_EVENTS_MAX 64	/* rows one store_read_story gives */

/*
 * Messages that came, or whose history goes on, since since_ms (about) and have
 * this word: see story_hash_address().  The newest first, and some of others.
 */
struct store_read_found {
	struct store_op	 op;
	uint64_t	 word;
	int64_t		 since_ms;	/* wall clock; 0: all		*/
	struct store_index_key from;	/* len 0: the newest; out: go on */
	struct id	 ids[STORE_FOUND_MAX];		/* out		*/
	unsigned	 cnt;				/* out		*/
	bool		 at_end;			/* out		*/
};

/* What happened to a message, and when. */
struct store_event {
	int64_t		 at_ms;		/* wall clock			*/
	uint8_t		 event;		/* enum event, or a newer one	*/
	uint32_t	 no;		/* of the recipient		*/
	struct record_history rec;
};

/* All of that in its order, as long as it is kept. */
struct store_read_story {
	struct store_op	 op;
	struct id	 id;
	struct store_index_key from;	/* len 0: the beginning; out: go on */
	struct store_event *rows;	/* out: yours, one block, or NULL */
	unsigned	 cnt;				/* out		*/
	bool		 at_end;			/* out		*/
};

struct store_read_totals {
	struct store_op	 op;
	uint64_t	 messages, deliveries, held;	/* out		*/
	uint64_t	 quarantined;			/* out: rows	*/
	struct id	 oldest;	/* out: all zero when none	*/
	uint64_t	 disk_free, disk_size;	/* out: bytes; 0: has none */
};

/* The engine of that word; NULL: there is none. */
const struct store_engine *store_engine_find(struct span word);

/* Does what was accepted survive the end of this process, and a power cut? */
bool	store_engine_keeps(const struct store_engine *);

/*
 * Begin.  Call after the sandbox has closed.  ERR_SYS with EBUSY when another
 * process has it open; ERR_PEER when it is of a newer format (store_format.h),
 * and left as it was.
 */
MUST_CHECK enum err store_open(struct store **out, const struct store_start *);

/* Let it finish what was handed over; its callbacks are not called. */
void	store_close(struct store **);

/* Take other limits, from the next call on. */
void	store_set_limits(struct store *, const struct store_limits *);

/*
 * How long this store has been open, over all its openings: monotonic, what
 * anybody sets a clock to is nothing to it.  A message keeps what it was when
 * it was accepted (record_message.lived_ms), so the difference is how long we
 * have had it; a time when nobody ran does not count.
 */
int64_t	store_lived_ms(const struct store *);

/*
 * Until when what we own is surely ours, by clock_mono_ms(), which is the same
 * in all processes of a machine: a delivery that goes out now must not be
 * completed later.  INT64_MAX: for good.
 */
int64_t	store_deadline(const struct store *);

/* In which shard a flow of that name is. */
unsigned store_shard(const struct store *, struct span flow);

/* What holds it; HELD_UNSAID too when it is not held. */
enum held store_held_by(const struct record_delivery *);
/* What holds one of which a row cannot be used for that reason. */
enum held store_held_for(enum aside why);

/*
 * The flow of these, of whose tenant so much counts as goes in.  False: a relay
 * and a destination that are none, by their lengths, or a NUL in one.
 */
bool	store_flow_name(struct store_flow *, struct span relay,
	    struct span destination, struct span tenant);

/* Whose flow of that name it is; tenant: with what stands behind it. */
struct store_names {
	struct span	 relay, destination, tenant;
};
struct store_names store_flow_names(struct span flow);
/* The same as bytes; and what all flows of its tenant begin with. */
struct span store_flow_span(const struct store_flow *);
struct span store_flow_tenant(struct span flow);
/*
 * The name of a tenant's line for a domain of its own, or, where that is empty,
 * of the tenant: so many bytes, at most STORE_TURN_DOMAIN_MAX and one more.
 */
size_t	store_turn_put(char *at, struct span tenant, struct span domain);

struct store_place store_place(int64_t due_ms, struct id, uint32_t no);
/* Before all rows that are due then; of 0: before all there are. */
struct store_place store_place_before(int64_t due_ms);
int	store_place_cmp(const struct store_place *,
	    const struct store_place *);

void	store_put_piece(struct store *, struct store_piece *, store_fn *,
	    void *arg);
void	store_accept(struct store *, struct store_accept *, store_fn *,
	    void *arg);
void	store_drop(struct store *, struct store_drop *, store_fn *,
	    void *arg);
void	store_settle(struct store *, struct store_settle *, store_fn *,
	    void *arg);
void	store_report(struct store *, struct store_report *, store_fn *,
	    void *arg);
void	store_digest(struct store *, struct store_digest *, store_fn *,
	    void *arg);
void	store_undue(struct store *, struct store_undue *, store_fn *,
	    void *arg);
void	store_hold(struct store *, struct store_hold *, store_fn *,
	    void *arg);
void	store_edit(struct store *, struct store_edit *, store_fn *,
	    void *arg);
void	store_replan(struct store *, struct store_replan *, store_fn *,
	    void *arg);

void	store_mend(struct store *, struct store_mend *, store_fn *,
	    void *arg);

void	store_hasten(struct store *, struct store_hasten *, store_fn *,
	    void *arg);

void	store_suspend(struct store *, struct store_suspend *, store_fn *,
	    void *arg);

void	store_read_flows(struct store *, struct store_read_flows *,
	    store_fn *, void *arg);
void	store_read_due(struct store *, struct store_read_due *, store_fn *,
	    void *arg);
void	store_read_old(struct store *, struct store_read_old *,
	    store_fn *, void *arg);
void	store_read_envelope(struct store *, struct store_read_envelope *,
	    store_fn *, void *arg);
void	store_read_piece(struct store *, struct store_read_piece *,
	    store_fn *, void *arg);
void	store_read_rows(struct store *, struct store_read_rows *,
	    store_fn *, void *arg);
void	store_read_spent(struct store *, struct store_read_spent *,
	    store_fn *, void *arg);
void	store_read_report(struct store *, struct store_read_report *,
	    store_fn *, void *arg);
void	store_read_reports(struct store *, struct store_read_reports *,
	    store_fn *, void *arg);
void	store_read_discards(struct store *, struct store_read_discards *,
	    store_fn *, void *arg);
void	store_read_notes(struct store *, struct store_read_notes *,
	    store_fn *, void *arg);
void	store_read_lone(struct store *, struct store_read_lone *,
	    store_fn *, void *arg);
void	store_read_index(struct store *, struct store_read_index *,
	    store_fn *, void *arg);
void	store_read_found(struct store *, struct store_read_found *, store_fn *,
	    void *arg);
void	store_read_story(struct store *, struct store_read_story *, store_fn *,
	    void *arg);
void	store_read_totals(struct store *, struct store_read_totals *,
	    store_fn *, void *arg);

#endif
