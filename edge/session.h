/*
 * session - the dialogue with one SMTP client: bytes in, replies out.  RFC
 * 5321, the server's side.  No sockets here: client.h has them.
 *
 * session_feed() takes input as it comes and leaves what it cannot use yet;
 * replies are put into `out`, in the order of the commands.  The queue's
 * answers come in between, by session_queue_*(), which then call wake.
 *
 * Owns	   the transaction under way, the client's name
 * Blocks  never
 */
#ifndef EDGE_SESSION_H
#define EDGE_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/span.h"
#include "edge/crowd.h"
#include "edge/grow.h"

struct edge;
struct session;
struct transaction;

enum state {
	ST_NEW,		/* connected, or greeted; no EHLO yet	*/
	ST_READY,	/* no transaction			*/
	ST_MAIL,	/* has a sender				*/
	ST_RCPT,	/* and at least one recipient		*/
	ST_DATA,	/* the text is coming			*/
	ST_WAIT,	/* the text is here; the queue decides	*/
	ST_SHUT,	/* not welcome: greeted with 554	*/
	ST_CLOSED,	/* the last reply is said		*/
	ST__COUNT
};

typedef void session_wake_fn(struct session *);

struct session {
	struct edge	*edge;		/* borrowed			*/
	session_wake_fn	*wake;		/* may be NULL			*/
	enum state	 state;
	bool		 is_extended;	/* said EHLO, not HELO		*/
	bool		 is_hasty;	/* closed by us, input may remain */
	unsigned	 bad_cnt;	/* commands refused with 5yz	*/
	unsigned	 junk_cnt;	/* commands that carry no mail,
					 * since the last message	*/
	unsigned	 logged_cnt;	/* refusals logged		*/
	unsigned	 taken_cnt;	/* messages			*/
	int64_t		 begun_ms;	/* monotonic			*/
	int64_t		 since_ms;	/* the last command, or DATA	*/
	const char	*verb;		/* of the command in hand, for logs */
	char		*helo;		/* NULL before EHLO and HELO	*/
	struct transaction *transaction; /* NULL outside one		*/
	struct grow	 out;		/* replies not yet written	*/
	struct client_address address;
	char		 client_text[CROWD_NET_TEXT];
	char		 net_text[CROWD_NET_TEXT];
};

void	session_init(struct session *, struct edge *,
	    const struct client_address *, session_wake_fn *);
/* Ends the transaction too. */
void	session_fini(struct session *);

/* The greeting: 220, or 554 for a client that the rules do not know. */
void	session_greet(struct session *);

/*
 * Use input from the front of *in, until it is used up or has to wait for
 * the queue, for the reader of our replies, or for the rest of a line.
 */
void	session_feed(struct session *, struct span *in);

/* Bytes of input that can be used now; 0 means: do not read. */
size_t	session_room(const struct session *);

/* Milliseconds until session_expire() is due; -1 while the queue decides. */
int64_t	session_patience_ms(const struct session *);
void	session_expire(struct session *);

/* Say 421 and end, whatever is under way. */
void	session_end(struct session *, const char *dsn, const char *text);

/* In a gentle drain a client is idle that was silent for so long. */
#define SESSION_SILENT_MS	2000

/* Draining: end with 421 4.3.2 unless a transaction is under way, or the drain
 * is gentle and the client not idle. */
void	session_drain(struct session *);

/* What the queue said about the transaction of this session; text is its
 * reply, which may be nonsense and is then replaced. */
void	session_queue_ready(struct session *);
void	session_queue_taken(struct session *);
void	session_queue_refused(struct session *, unsigned code,
	    struct span dsn, struct span text);
/* The link is gone, and with it the stream. */
void	session_queue_lost(struct session *);

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

/*
 * session_table.c: the order of the dialogue.  Run a command line, without
 * its CRLF; and what may be said in which state, a line a state.
 */
void	session_command(struct session *, struct span line);
void	session_print_table(FILE *);
const char *session_state_name(enum state);

#endif
