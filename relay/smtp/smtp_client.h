/*
 * smtp_client - one connection to a next hop, and the SMTP or LMTP spoken on
 * it: RFC 5321 and RFC 2033 from the client's side, with PIPELINING (2920),
 * SIZE (1870), 8BITMIME (6152) and SMTPUTF8 (6531) where they are offered, with
 * BDAT (3030) for a message that came with BODY=BINARYMIME, and with STARTTLS
 * (3207) and AUTH (4954) as the target asks.
 *
 * Life: smtp_client_start() dials, and goes through the host's addresses until
 * one greets, takes our EHLO, and grants the TLS and the login that we ask;
 * then ready() is called, and again whenever the client is free for another
 * delivery.  gone() is its end.  A delivery that was given ends in
 * delivery_finish(), or comes back by back() when a connection that had been
 * used before turned out to be dead before the next hop answered anything:
 * that was no attempt.
 *
 * Where TLS is opportunistic and fails, the same address is tried once more in
 * the clear; but never with a login, unless the address is of this host.
 *
 * Files: smtp_client.c life and clock, smtp_dialogue.c the table of steps,
 * smtp_greet.c those up to ready(), smtp_login.c AUTH, smtp_mail.c those of a
 * transaction, smtp_dsn.c what it asks of reports, smtp_batch.c whom it is for,
 * smtp_address.c how they are written, smtp_text.c the message's text,
 * smtp_convert.c its conversion, smtp_reply.c what the next hop says.
 *
 * Its place (places.h) is dial.place, kept from dialling to the end.
 *
 * Owns	   the socket; a delivery from smtp_client_deliver() to its end
 * Blocks  never
 */
#ifndef RELAY_SMTP_CLIENT_H
#define RELAY_SMTP_CLIENT_H

#include <sys/queue.h>
#include <sys/uio.h>

#include <stdbool.h>
#include <stdint.h>

#include "ask/channel.h"
#include "ask/tls_client.h"
#include "base/err.h"
#include "base/limits.h"
#include "bus/boot.h"
#include "mail/dot.h"
#include "mail/mime.h"
#include "mail/reply.h"
#include "relay/delivery.h"
#include "relay/smtp/dial.h"
#include "relay/smtp/tls_policy.h"
#include "relay/verdict.h"
#include "sys/ev.h"

#define SMTP_CLIENT_IN	   2048	/* bytes read ahead; over REPLY_LINE_MAX */
#define SMTP_CLIENT_RCPTS  100	/* recipients of one transaction; each
				 * server takes so many: 4.5.3.1.8	*/
#define SMTP_CLIENT_IOV	   64	/* runs of text given to one write	*/
#define SMTP_CLIENT_MAILS  1000	/* transactions on one connection	*/

struct smtp_client;

struct smtp_tls {
	struct tls_policy policy;
	bool		 is_certified;	/* we have a certificate to show */
	struct tls_client *client;	/* NULL only with TLS_OFF	*/
};

struct smtp_login {			/* empty username: none		*/
	struct span	 username;
	struct span	 password;	/* never in a log or a verdict	*/
};

/*
 * Where connections come from that are not ours to open: master makes them.
 * open() and cancel() are as boot_endpoint() and boot_endpoint_cancel().
 */
struct smtp_door {
	uint64_t	(*open)(const struct smtp_door *, boot_endpoint_fn *,
			    void *arg);
	void		(*cancel)(const struct smtp_door *, uint64_t request);
	struct span	 hop;		/* what we call it in logs	*/
};

/* What becomes of 8 bits that the next hop does not take, and of long lines. */
enum smtp_8bit {
	SMTP_8BIT_CONVERT,
	SMTP_8BIT_REFUSE,	/* long lines are sent as they are */
	SMTP_8BIT_SEND,		/* both are			*/
};

struct smtp_client_target {		/* borrowed by all its clients	*/
	struct dial_target dial;	/* its host is who TLS must find */
	const struct smtp_door *door;	/* instead of dialling, or NULL	*/
	struct smtp_tls	 tls;
	struct smtp_login login;
	bool		 is_lmtp;
	enum smtp_8bit	 eightbit;
	struct span	 ehlo_as;
	int64_t		 command_ms;	/* patience for a reply		*/
	int64_t		 data_ms;	/* for each step forward in sending */
	int64_t		 done_ms;	/* for the reply to the text	*/
	/* It has greeted, and offers these EHLO_*; NULL: nobody asks. */
	void		(*offers)(const struct smtp_client_target *,
			    unsigned has);
	unsigned	 patient;	/* stages (SLOW_BIT) at which it is
					 * RFC 5321's at least; may grow */
};

struct smtp_client_calls {
	/* Free for a delivery.  May give one, or say quit. */
	void	(*ready)(struct smtp_client *, void *arg);
	/* Not tried; with another connection it may be. */
	void	(*back)(struct smtp_client *, struct delivery *, void *arg);
	/*
	 * The end; free it here.  why and hop say what kept us from getting as
	 * far as ready() even once; why is NULL when we did.
	 */
	void	(*gone)(struct smtp_client *, const struct verdict *why,
		    struct span hop, void *arg);
};

/* Where we are: what the next reply answers.  smtp_dialogue.c has the table. */
enum smtp_step {
	SMTP_DIALING,
	SMTP_GREETING,
	SMTP_EHLO,		/* or LHLO		*/
	SMTP_HELO,
	SMTP_STARTTLS,
	SMTP_SECURING,		/* the TLS handshake	*/
	SMTP_AUTH,
	SMTP_IDLE,		/* nothing is asked	*/
	SMTP_PLAN,		/* reading the text; likewise	*/
	SMTP_RSET,
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_TEXT,		/* sending; no reply is due yet */
	SMTP_END,
	SMTP_QUIT,
	SMTP_CLOSED,
	SMTP__COUNT
};

/* Of smtp_convert.c. */
struct smtp_convert {
	bool		 is_planned;
	struct mime_plan plan;
	struct mime	*mime;		/* NULL: neither read nor written */
	unsigned	 read;		/* pieces, while it is planned	*/
	struct dot	 dot;		/* likewise			*/
	struct mime_out	 out;		/* the page that is written	*/
	struct span	 in;		/* of the piece being converted	*/
	bool		 has_piece, is_over;
};

struct smtp_client {
	TAILQ_ENTRY(smtp_client) entry;	/* of the owner			*/
	bool		 is_idle;	/* of the owner			*/
	bool		 is_unwanted;	/* of the owner			*/
	struct timer	 idle_timer;	/* of the owner			*/

	struct ev_loop	*loop;
	const struct smtp_client_target *target;
	const struct smtp_client_calls *calls;
	void		*arg;
	struct dial	 dial;
	uint64_t	 knocking;	/* request to the door, or 0	*/
	struct channel	 channel;
	bool		 is_local;	/* the peer is on this host	*/
	struct ev	 ev;
	struct timer	 timer;
	int64_t		 waits_ms;	/* what it was set to		*/
	enum smtp_step	 step;
	bool		 was_started;	/* by us: it can be done again	*/
	bool		 is_clear;	/* TLS failed: do without	*/
	bool		 is_hopeless;	/* no address will do better	*/
	unsigned	 login_no;	/* what AUTH has said so far	*/
	bool		 was_ready;
	bool		 in_turn;	/* what is said goes out at its end */
	struct later	 end;		/* gone() stands alone		*/
	struct verdict	 why;		/* for gone()			*/
	bool		 has_why;
	unsigned	 mail_cnt;	/* transactions so far		*/
	struct ehlo	 ehlo;
	struct span	 hop;
	char		 hop_bytes[DIAL_HOP_MAX];

	/* What the next hop says. */
	char		 in[SMTP_CLIENT_IN];
	size_t		 in_len, in_pos; /* read up to in_pos		*/
	bool		 in_reply;	/* "250-": more of it must come	*/
	uint16_t	 line_code;
	struct verdict_text text;

	/* What we say: commands, then text. */
	char		*out;
	size_t		 out_len, out_cap, out_pos;
	struct iovec	 iov[SMTP_CLIENT_IOV];
	unsigned	 iov_cnt, iov_pos;

	/* The transaction. */
	struct delivery	*delivery;
	bool		 needs_rset;	/* the last one was left open	*/
	bool		 heard;		/* any reply in this one	*/
	bool		 is_utf8;	/* it is with SMTPUTF8		*/
	bool		 is_binary;	/* it goes by BDAT, as it is	*/
	bool		 is_refused;	/* MAIL was			*/
	bool		 was_granted;	/* MAIL, for this delivery	*/
	uint16_t	 refused_code;	/* of the transaction before, when
				 * it was refused as a whole, or 0	*/
	uint32_t	*batch;		/* indexes of its recipients	*/
	unsigned	 batch_cnt, batch_pos, batch_cap;
	unsigned	 taken_cnt;	/* of them said yes to		*/
	unsigned	 ended_cnt;	/* LMTP: of these, answered so far */
	uint32_t	 undecided;	/* recipients when it began	*/
	struct smtp_convert convert;
	struct dot	 dot;
	struct span	 rest;		/* of the piece being read	*/
	unsigned	 scanned;	/* pieces read to their end	*/
	bool		 text_begun, text_ended;
};

struct smtp_client	*smtp_client_new(struct ev_loop *, struct resolve *,
			    const struct smtp_client_target *,
			    const struct smtp_client_calls *, void *arg);
/* Closes without a word. */
void	smtp_client_free(struct smtp_client **);

/* Dial.  Or: speak on fd, which is taken. */
void	smtp_client_start(struct smtp_client *);
void	smtp_client_start_on(struct smtp_client *, int fd, struct span hop);

/*
 * Free to take a delivery now?  Asks the kernel whether the next hop has hung
 * up or spoken unasked; then it is not, and gone() follows.
 */
bool	smtp_client_is_alive(struct smtp_client *);

/*
 * Take a delivery, of which nothing was decided yet.  It may be finished when
 * this returns, and the client ready without another ready().
 */
void	smtp_client_deliver(struct smtp_client *, struct delivery *);
/* Say QUIT, wait for the answer, and be gone. */
void	smtp_client_quit(struct smtp_client *);

/* For the files of this module alone. */

/* Bring a command to be sent. */
__attribute__((format(printf, 2, 3)))
void	smtp_client_say(struct smtp_client *, const char *, ...);
/* The end, for this reason; the delivery gets it, if there is one. */
void	smtp_client_fail(struct smtp_client *, const struct verdict *);
/* The connection is of no use any more, for nobody's harm. */
void	smtp_client_close(struct smtp_client *);
/* The vault has signed, or will not; arg is the client. */
void	smtp_client_wake(void *arg);
/* Connect once more to where we are, and stay in the clear. */
void	smtp_client_restart(struct smtp_client *);

#endif
