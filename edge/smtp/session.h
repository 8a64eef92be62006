/*
 * session - the dialogue with one SMTP client: bytes in, replies out.  RFC
 * 5321, the server's side.  No sockets here: client.h has them.
 *
 * session_feed() takes input as it comes and leaves what it cannot use yet;
 * replies are put into `out`, in the order of the commands.  Whoever is asked
 * meanwhile answers by session_resume(), which then calls on_wake.  It is the
 * first user of protocol.h, where the calls that client.c makes are explained.
 *
 * Owns	   the transaction under way, the client's names
 * Blocks  never
 */
#ifndef EDGE_SESSION_H
#define EDGE_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "base/span.h"
#include "edge/client/grow.h"
#include "edge/text/origin.h"
#include "edge/protocol.h"
#include "edge/stage/stage.h"
#include "sys/ev.h"

struct auth;
struct edge;
struct session;
struct transaction;
struct validators_turn;

enum state {
	ST_NEW,		/* connected, or greeted; no EHLO yet	*/
	ST_READY,	/* no transaction			*/
	ST_MAIL,	/* has a sender				*/
	ST_RCPT,	/* and at least one recipient		*/
	ST_DATA,	/* the text is coming			*/
	ST_CHUNK,	/* a chunk of it is, by BDAT		*/
	ST_CHUNKS,	/* the next chunk may be said		*/
	ST_SECURE,	/* a TLS handshake comes next		*/
	ST_AUTH,	/* AUTH: the next line is a response	*/
	ST_PENDING,	/* a check is waited for, see stage.h	*/
	ST_SHUT,	/* not welcome: greeted with 554	*/
	ST_CLOSED,	/* the last reply is said		*/
	ST__COUNT
};

/* What the client does besides commands. */
enum event {
	EVENT_CONNECT,		/* it is here: greet it		*/
	EVENT_SHAKE,		/* TLS comes before the greeting */
	EVENT_SECURED,		/* the handshake is done	*/
	EVENT_RESPONSE,		/* a line within AUTH		*/
	EVENT_END,		/* end of data			*/
	EVENT_CHUNK,		/* end of a chunk		*/
	EVENT_LAST,		/* and of the last		*/
	EVENT__COUNT
};

/* Where a command leads: session_table.c's. */
struct moves {
	const char	*verb;
	enum state	 taken, refused;
};

/* Who is asked about a command, and how it goes on then: stage.c's. */
struct waiting {
	const struct check *check;	/* NULL: nobody		*/
	enum stage_at	 stage;
	unsigned	 next;		/* of the stage's checks */
	stage_done_fn	*done;
	struct timer	 deadline;
	struct moves	 moves;		/* of the command	*/
};

struct spf_check;

struct session {
	struct seat	 seat;		/* first, see protocol.h	*/
	struct edge	*edge;		/* borrowed			*/
	/* The check that is waited for has said so: session.c's. */
	void		(*on_answer)(struct session *, const struct reply *no);
	const char	*(*next_verb)(const struct session *, size_t *at);
	enum state	 state;
	bool		 has_utf8;	/* was offered SMTPUTF8		*/
	bool		 has_8bit, has_dsn, has_binary;	/* likewise	*/
	bool		 is_greeted;
	bool		 has_more;	/* input came behind the command in
					 * hand				*/
	bool		 chunk_is_last;	/* of BDAT			*/
	uint64_t	 chunk_len;	/* likewise			*/
	uint64_t	 void_left;	/* octets of a chunk that is refused */
	uint8_t		 login_failures;
	unsigned	 bad_cnt;	/* commands refused with 5yz	*/
	unsigned	 junk_cnt;	/* commands that carry no mail,
					 * since the last message	*/
	unsigned	 logged_cnt;	/* refusals logged		*/
	int64_t		 since_ms;	/* the last command, or DATA	*/
	const char	*verb;		/* of the command in hand, for logs */
	enum log_key	 path_key;	/* _from, _rcpt: whom it is about ... */
	struct span	 path;		/* as it was said; till it is over */
	struct origin	 origin;	/* the client, as it is by now	*/
	struct client_name *naming;	/* while it is asked for	*/
	struct spf_check *spf;		/* while it is asked about */
	struct dnsbl	*dnsbl;		/* while DNS lists are asked	*/
	bool		 is_looked_up;	/* they were: */
	char		*listed;	/* the reply; NULL: by none	*/
	char		*helo;		/* the name of an EHLO or HELO that
					 * is being judged, else NULL	*/
	struct auth	*auth;		/* NULL outside AUTH		*/
	const char	*claims;	/* its user's name, "" while that is
					 * not said; NULL the same	*/
	struct transaction *transaction; /* NULL outside one		*/
	struct waiting	 waiting;
	uint32_t	 passed;	/* checks, see stage_names()	*/
	struct validators_turn *turn;	/* a function of Lua under way	*/
	struct reply	*yes;		/* what it makes of a yes that is to
					 * be said yet; NULL: nothing	*/
};

void	session_init(struct session *, struct edge *,
	    const struct client_address *, seat_wake_fn *, void *arg);
/* Ends the transaction too. */
void	session_fini(struct session *);

/*
 * The greeting: 220, or 554 for a client that the rules do not know.  With
 * tls_immediately it comes after session_secured().
 */
void	session_greet(struct session *);

/* The handshake is done: nothing that was said before it counts any more. */
void	session_secured(struct session *);

/*
 * Use input from the front of *in, until it is used up or has to wait for
 * the queue, for the reader of our replies, or for the rest of a line.
 */
void	session_feed(struct session *, struct span *in);

/* Bytes of input that can be used now; 0 means: do not read. */
size_t	session_room(const struct session *);

/* Does it wait for somebody's answer, and not for the client? */
bool	session_is_waiting(const struct session *);

/* May there be a password in its input?  Then whoever held some wipes it. */
bool	session_is_private(const struct session *);

/* Milliseconds until session_expire() is due; -1 while others decide. */
int64_t	session_patience_ms(const struct session *);
void	session_expire(struct session *);

/* Say 421 and end, whatever is under way. */
void	session_end(struct session *, const char *dsn, const char *text);
/* The same with 500: nothing that follows is read. */
void	session_hang_up(struct session *, const char *dsn, const char *text);

/* Draining: end with 421 4.3.2 unless a transaction is under way, or the drain
 * is gentle and the client not idle. */
void	session_drain(struct session *);

/*
 * The answer of the check that is waited for: NULL is yes.  The command goes
 * on, its reply is said at the latest after its last check, and wake is called:
 * the session may be gone afterwards.  Only in ST_PENDING.
 */
void	session_resume(struct session *, const struct reply *no);
/* Whoever was asked is gone, or took too long. */
void	session_away(struct session *);
/* Is it this check that is waited for? */
bool	session_waits_for(const struct session *, const struct check *);

/* checks_name.c: have the client's name looked for. */
void	session_ask_name(struct session *);

/* checks_queue.c: how it hears of its transaction. */
extern const struct transaction_calls session_transaction_calls;

/* For cmd_*.c: one reply line; dsn "" for none.  Long ones are cut. */
__attribute__((format(printf, 4, 5)))
void	session_reply(struct session *, unsigned code, const char *dsn,
	    const char *fmt, ...);
/* The same for code 4yz and 5yz: it is logged and counted.  Too many, and the
 * client hears 421 4.7.0 instead and is closed; the transaction ends only
 * after the command, which may go on looking at it. */
__attribute__((format(printf, 4, 5)))
void	session_refuse(struct session *, unsigned code, const char *dsn,
	    const char *fmt, ...);

/* There is room, or an end: go on with what had to wait. */
void	session_wake(struct session *);

/* For cmd_*.c: the address that the command in hand is about, as it was said;
 * refusals name it until the command is over, or waits. */
void	session_about(struct session *, enum log_key, struct span path);

/* For cmd_*.c: the same for a whole reply, which may be the last. */
void	session_say(struct session *, const struct reply *);
/* 421, the last reply.  The transaction stays, as with session_refuse(). */
void	session_goodbye(struct session *, const char *dsn, const char *text);

/*
 * session_table.c: the order of the dialogue.  Run a line, without its CRLF, or
 * what the client does besides; and what may be said in which state, a line a
 * state.
 */
void	session_line(struct session *, struct span line);
void	session_event(struct session *, enum event, struct span line);
/* The command that waited for its check goes on, with the answer. */
void	session_go_on(struct session *, const struct reply *no);
void	session_print_table(FILE *);
/* For HELP: the next word of the picture that its protocol has; NULL: it was
 * the last.  at is 0 at first. */
const char *session_verb(const struct session *, size_t *at);
const char *session_state_name(enum state);

/*
 * session_move.c: what a command came to, for session_table.c alone; one that
 * was closed over it stays so.
 */
void	session_settle(struct session *, const struct moves *, enum taken);
/* The last reply is said, and nobody is waited for any more.  Input may remain
 * that is better read away: is_hasty.  The transaction stays. */
void	session_close(struct session *, bool is_hasty);

#endif
