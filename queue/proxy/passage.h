/*
 * passage - one mail on its way through: from the edge's MAIL to the last word
 * of the next hop.
 *
 * It is with an edge from its beginning to its end, and with a process of the
 * relay from passage_hand() on.  When one of the two is lost the other hears so
 * and it is over; nothing of it is left.
 *
 * What it holds: the envelope, and STREAM_CREDIT pieces of text.  A piece goes
 * on when the relay asks for it and it is known what follows it, and then the
 * edge may send another: so the next hop's pace is the client's.
 *
 * Owns	   itself
 * Errors  ERR_PEER whoever is at the other end broke the rules
 */
#ifndef QUEUE_PASSAGE_H
#define QUEUE_PASSAGE_H

#include "bus/messages.h"
#include "queue/proxy/proxy.h"
#include "queue/route/route.h"

#define PASSAGE_ANSWER_MS 240000	/* for the next hop to answer a
					 * command: a client waits 300 s,
					 * RFC 5321 4.5.3.2.2		*/
#define PASSAGE_DONE_MS	570000		/* and to take the text: 600 s,
					 * 4.5.3.2.6			*/

enum passage_state {
	PASSAGE_WAITING,	/* for its first recipient, or for a slot */
	PASSAGE_OPEN,		/* with the relay; recipients come	*/
	PASSAGE_DATA,		/* the next hop is asked for its 354	*/
	PASSAGE_TEXT,		/* the text is coming			*/
	PASSAGE_ENDED		/* it is all here			*/
};

struct passage_rcpt {
	uint64_t	 ask;		/* the edge's question, or 0	*/
	bool		 is_answered;	/* the next hop has spoken	*/
	bool		 is_taken;	/* and said yes			*/
	uint16_t	 code;		/* at the end; 0: not yet	*/
	uint8_t		 notify;
	struct span	 address, orcpt;	/* in bytes		*/
	char		*reply;		/* at the end, with its NUL	*/
	char		*bytes;
};

struct passage_piece {
	char		*bytes;		/* NULL: there is none		*/
	size_t		 len;
	uint8_t		 part;
	uint32_t	 no;
	bool		 has_next;	/* what follows is known:	*/
	uint8_t		 next;		/* enum piece_next		*/
};

struct passage {
	RB_ENTRY(passage) by_no;	/* of its edge			*/
	RB_ENTRY(passage) by_attempt;
	LIST_ENTRY(passage) entry;	/* of its worker		*/
	TAILQ_ENTRY(passage) wait_entry;
	struct proxy	*proxy;
	struct proxy_edge *edge;
	struct proxy_worker *worker;	/* NULL: not handed out		*/
	uint64_t	 no;		/* the edge's			*/
	struct id	 id;
	uint64_t	 attempt;
	enum passage_state state;
	bool		 is_waiting;	/* in the list of those		*/
	bool		 is_granted;
	bool		 is_pulled;	/* the relay waits for a piece	*/
	struct msg_mail_open facts;	/* its strings are in strings	*/
	char		 destination[DOMAIN_MAX + 1]; /* "" not known yet */
	char		 hop[DOMAIN_MAX + 64];	/* that spoke last	*/
	struct passage_rcpt *rcpts;
	uint32_t	 rcpt_cnt, rcpt_cap;
	uint32_t	 sent_cnt;	/* of them to the relay		*/
	uint32_t	 open_cnt;	/* without a word so far	*/
	uint32_t	 taken_cnt;
	size_t		 rcpt_bytes;
	uint64_t	 data_ask;	/* the question about the text	*/
	bool		 is_chunked;	/* which comes by BDAT		*/
	unsigned	 credit;
	uint64_t	 len[PART__COUNT];	/* bytes that came	*/
	uint32_t	 piece_cnt[PART__COUNT];
	bool		 is_body;	/* the header section is over	*/
	bool		 is_short;	/* of the part that comes, a shorter
					 * piece was there: the last	*/
	struct passage_piece pieces[STREAM_CREDIT + 1];
	unsigned	 have;		/* of them, in their order	*/
	uint32_t	 result_cnt;
	struct timer	 deadline;	/* of who is asked		*/
	int64_t		 heard_ms, begun_ms;	/* from its edge	*/
	size_t		 held;		/* bytes, its edge's		*/
	char		 strings[];
};

RB_PROTOTYPE(passage_tree, passage, by_no, )
RB_PROTOTYPE(attempt_tree, passage, by_attempt, )

/* passage_mail.c: what an edge says. */
MUST_CHECK enum err passage_mail(struct proxy_edge *,
		    const struct msg_mail_open *);
MUST_CHECK enum err passage_rcpt(struct proxy_edge *,
		    const struct msg_mail_rcpt *);
MUST_CHECK enum err passage_data(struct proxy_edge *,
		    const struct msg_mail_data *);
MUST_CHECK enum err passage_abort(struct proxy_edge *, uint64_t no);

/* passage.c */
/* NULL: no memory. */
struct passage	*passage_new(struct proxy_edge *, const struct msg_mail_open *);
/* Of that number; ERR_NONE it has ended, and the edge may not have heard so
 * yet; ERR_PEER there never was one. */
MUST_CHECK enum err passage_of(struct proxy_edge *, uint64_t no,
		    struct passage **);
struct passage	*passage_find(struct proxy *, uint64_t attempt);
/* What has been said goes to the relay, if a process of it is free. */
void		 passage_serve(struct passage *);
/* It comes back untried: its host has all it takes. */
void		 passage_wait_again(struct passage *);
/* The one end: the relay hears that nobody wants it, if it still has it. */
void		 passage_end(struct passage *);
/* The same, and the edge hears why. */
void		 passage_refuse(struct passage *, uint16_t code,
		    const char *dsn, const char *text);
/* Count what it holds; false: its edge has too much. */
bool		 passage_may_hold(const struct proxy_edge *, size_t bytes);
void		 passage_hold(struct passage *, size_t bytes);
void		 passage_let_go(struct passage *, size_t bytes);
/* Somebody is asked: he has so long. */
void		 passage_ask(struct passage *, int64_t ms);
/* Its edge leaves it open for longer than its own timeouts. */
bool		 passage_is_late(const struct passage *, int64_t now_ms);

/* passage_word.c: what the relay says. */
MUST_CHECK enum err passage_word(struct passage *,
		    const struct msg_delivery_word *);
MUST_CHECK enum err passage_result(struct passage *,
		    const struct msg_delivery_result *);
void		 passage_done(struct passage *);

/* passage_text.c */
MUST_CHECK enum err passage_piece(struct proxy_edge *, uint64_t no, enum part,
		    struct span);
MUST_CHECK enum err passage_commit(struct proxy_edge *,
		    const struct msg_mail_commit *, struct span piece);
MUST_CHECK enum err passage_pull(struct passage *,
		    const struct msg_delivery_pull *);
void		 passage_free_text(struct passage *);

/* passage_answer.c */
/* A reply of the next hop, "5.1.1 No such user": its two halves.  dsn has room
 * for 12 bytes. */
struct span	 passage_split(uint16_t code, struct span reply, char *dsn);
/* A word about a recipient, or about one who was not asked for. */
void		 passage_say_rcpt(struct passage *, uint64_t ask,
		    const struct route_reply *);
/* The reply of the next hop ends it. */
void		 passage_refuse_by(struct passage *, uint16_t code,
		    struct span reply);
/* All results are there: the edge hears what the next hop says, and it ends. */
void		 passage_answer(struct passage *);

#endif
