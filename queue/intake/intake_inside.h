/*
 * intake_inside - what intake.c (what an edge may say, and when), intake_rcpt.c
 * (who its recipients are), intake_text.c (its pieces), intake_commit.c (its
 * end) and intake_watch.c (what is late) share.  Below these: intake_stream.c
 * (one stream), intake_clock.c (its times), intake_state.c (what edges hear).
 *
 * A stream lives until the store has let go of all it was given, which may be
 * longer than its edge knows it, or than its link.  So long its bytes count as
 * its edge's, so that nobody has more of them by beginning anew.
 */
#ifndef QUEUE_INTAKE_INSIDE_H
#define QUEUE_INTAKE_INSIDE_H

#include <sys/tree.h>

#include "queue/intake/intake.h"
#include "queue/intake/once.h"
#include "queue/route/split.h"
#include "queue/store/store_edit.h"
#include "queue/store/store_intake.h"
#include "queue/store/store_settle.h"

#define INTAKE_FLAGS	(MAIL_SMTPUTF8 | MAIL_8BIT | MAIL_LONG | \
	    MAIL_LOGIN)		/* an edge's */

enum stream_state {
	STREAM_OPEN,		/* recipients and text are coming	*/
	STREAM_EXPANDING,	/* all is here, but who some of them are */
	STREAM_COMMITTING,	/* in the store's hands			*/
	STREAM_ENDED,		/* only waits for the store		*/
};

/* A recipient that has come; the stream's span of it begins bytes. */
struct stream_rcpt {
	RB_ENTRY(stream_rcpt) by_key;
	struct span	 key;		/* address_key(), often in bytes */
	char		 bytes[];
};

RB_HEAD(rcpt_tree, stream_rcpt);
RB_PROTOTYPE(rcpt_tree, stream_rcpt, by_key, )


struct stream {
	RB_ENTRY(stream) by_no;
	struct queue	*queue;
	struct edge	*edge;		/* NULL: nobody to answer	*/
	struct edge	*holder;	/* who began it			*/
	size_t		 held;		/* bytes of memory, all in all	*/
	uint64_t	 no;
	enum stream_state state;
	unsigned	 credit;
	unsigned	 writing_cnt;	/* pieces that the store has	*/
	int64_t		 begun_ms, heard_ms;	/* monotonic		*/
	int64_t		 silence_ms, session_ms; /* allowed when it began */
	int64_t		 handed_ms;	/* the store owes an answer since */
	bool		 is_given_up;	/* its edge heard no, and the store may
					 * take it yet			*/
	struct store_mail mail;
	uint64_t	 len[PART__COUNT];	/* bytes that came	*/
	uint32_t	 pieces[PART__COUNT];	/* handed to the store	*/
	char		*tail[PART__COUNT];	/* a last, shorter one	*/
	size_t		 tail_len[PART__COUNT];
	bool		 body_is_over;		/* it was a shorter one	*/
	struct span	*rcpts;
	struct rcpt_tree known_rcpts;	/* the same, to find one again	*/
	LIST_HEAD(, arrival) arrivals;	/* who is being expanded	*/
	uint32_t	 said_cnt;	/* recipients that were taken, as the
					 * edge said them		*/
	struct store_dsn *rcpt_dsn;	/* NULL: none said anything	*/
	uint32_t	 rcpt_cap;
	struct route_kept *rcpt_route;	/* what was found when they came */
	struct store_change *reports;	/* their first string is the block */
	uint32_t	 report_cnt;
	size_t		 rcpt_bytes;
	uint64_t	 once;		/* once_number(), or 0		*/
	bool		 is_local;	/* from a unix socket		*/
	bool		 is_judged;	/* SMTPUTF8: by what relays can	*/
	char		*facts;		/* what came with its end	*/
	struct split	 split;
	struct store_accept accept;
	struct store_drop drop;
	struct store_edit undo;
	char		 strings[];
};

RB_HEAD(stream_tree, stream);
RB_PROTOTYPE(stream_tree, stream, by_no, )

struct edge {
	LIST_ENTRY(edge) entry;
	struct queue	*queue;
	struct link	*link;
	char		 name[BLOCK_NAME_MAX + 1];
	struct stream_tree streams;
	unsigned	 stream_cnt;
	size_t		 held;		/* bytes of all it began	*/
	unsigned	 begun_cnt;	/* that are not freed		*/
	bool		 is_gone;	/* it is freed with the last of them */
	uint64_t	 highest;	/* stream opened so far, + 1	*/
	bool		 logged_late;	/* logged: leaves streams open	*/
};

/* A recipient who is being expanded. */
struct arrival {
	LIST_ENTRY(arrival) entry;
	struct stream	*stream;
	struct expansion *expansion;
	size_t		 held;		/* bytes, its stream's		*/
	struct msg_mail_rcpt msg;	/* its strings are in bytes	*/
	char		 bytes[];
};

struct intake {
	struct queue	*queue;
	LIST_HEAD(, edge) edges;
	unsigned	 busy_cnt;	/* commits on their way		*/
	struct once	 once;
	struct timer	 watch;		/* for streams that are late	*/
	int64_t		 patience_ms;	/* with the store		*/
};

/* See to it that one on which nothing comes does not stay. */
void		 intake_watch_init(struct intake *);
void		 intake_watch(struct intake *);
void		 stream_begin_watch(struct stream *);
/* Something came, or the store has done with what did. */
void		 stream_touch(struct stream *);
/* Something is handed to the store; and it answers. */
void		 stream_handed(struct stream *);
void		 stream_answered(struct stream *);

/* This edge hears what intake_tell() tells all of them. */
void		 intake_tell_edge(const struct edge *);

/* Is there room for so many bytes more of this edge's? */
bool		 stream_may_hold(const struct edge *, size_t bytes);

/* So many bytes are held of it, or no longer. */
void		 stream_hold(struct stream *, size_t bytes);
void		 stream_let_go(struct stream *, size_t bytes);

/* The edge is gone: free it, or leave it to the last of its streams. */
void		 stream_leave(struct edge *);

/*
 * The stream of that number; ERR_PEER if there never was one, or nothing more
 * may come; ERR_NONE if it has ended, which the edge may not have heard yet.
 */
MUST_CHECK enum err stream_find(struct edge *, uint64_t no, struct stream **);
/* NULL: it has ended, or there never was one. */
struct stream	*stream_by_no(struct edge *, uint64_t no);

/* A stream with an id of its own, known to its edge; NULL: no memory. */
struct stream	*stream_new(struct edge *, const struct msg_mail_open *);

/*
 * Keep a copy of what came; false when memory is out.  A recipient that has
 * come before is one already, and what came with him first stands.
 */
bool		 stream_add_rcpt(struct stream *,
		    const struct msg_mail_rcpt *, struct span trace,
		    const struct route_kept *);
/* What its sender is to be told of this recipient as soon as it is kept. */
bool		 stream_add_report(struct stream *,
		    const struct msg_mail_rcpt *, enum report);
/* Who is being expanded is waited for no longer. */
void		 stream_forget_arrivals(struct stream *);
void		 stream_free_arrival(struct arrival *);
/* Who sends it, for the routes; the recipient is still missing. */
struct route_ask stream_who(const struct stream *);
bool		 stream_put_piece(struct stream *, enum part,
		    struct span full_piece);
bool		 stream_keep_tail(struct stream *, enum part, struct span);
/* What is said with its end, for log and history; false: no memory. */
bool		 stream_keep_facts(struct stream *,
		    const struct msg_mail_commit *);

/* All is there: once all recipients are known hand it to the store, and answer
 * when it came back. */
void		 stream_complete(struct stream *);

/* What the address of a recipient of it lies in. */
struct stream_rcpt *stream_rcpt_of(struct span address);

/* Nobody knows of it, and the store has nothing of it. */
void		 stream_free(struct stream *);

/* The edge knows nothing of it from here on. */
void		 stream_detach(struct stream *);

/* It will be no message.  refuse: and the edge hears so.  Taken. */
void		 stream_end(struct stream *);
void		 stream_refuse(struct stream *, uint16_t code,
		    const char *dsn, const char *text);
void		 stream_refuse_room(struct stream *, bool is_full);
void		 stream_refuse_many(struct stream *);
/* The store does not answer: refuse, and take back what it keeps yet. */
void		 stream_give_up(struct stream *);

#endif
