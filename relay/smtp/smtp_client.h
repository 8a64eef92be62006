/*
 * smtp_client - one connection to a next hop, and the SMTP or LMTP spoken on
 * it: RFC 5321 and RFC 2033 from the client's side, with PIPELINING (2920),
 * SIZE (1870), 8BITMIME (6152) and SMTPUTF8 (6531) where they are offered, with
 * BDAT (3030) for a message that came with BODY=BINARYMIME, and with STARTTLS
 * (3207) and AUTH (4954) as the target asks.
 *
 * Life, as hop.h has it: smtp_client_start() dials, and goes through the host's
 * addresses until one greets, takes our EHLO, and grants the TLS and the login
 * that we ask; then ready() is called, and again whenever the client is free
 * for another delivery.  gone() is its end.  A delivery that was given ends in
 * delivery_finish(), or comes back by back() when a connection that had been
 * used before turned out to be dead before the next hop answered anything: that
 * was no attempt.
 *
 * Where TLS is opportunistic and fails, the same address is tried once more in
 * the clear; but never with a login, unless the address is of this host.
 *
 * Files, each of which calls only those behind it: smtp_client.c its life,
 * smtp_connect.c dialling, smtp_turn.c its turns and its clock, smtp_dialogue.c
 * the table of steps, smtp_greet.c those up to ready(), smtp_login.c AUTH,
 * smtp_mail.c those of a transaction, smtp_pass.c of one that passes through,
 * smtp_dsn.c what it asks of reports,
 * smtp_batch.c whom it is for, mail/address_say.c how they are written,
 * smtp_text.c the message's text, smtp_convert.c its conversion, smtp_reply.c
 * what the next hop says, smtp_say.c what is said to it, smtp_end.c the end,
 * smtp_step.c the step it is at, smtp_hop.c what its pool sees.  They share
 * smtp_inside.h.
 *
 * Owns	   the socket; a delivery from smtp_client_deliver() to its end
 * Blocks  never
 */
#ifndef RELAY_SMTP_CLIENT_H
#define RELAY_SMTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "relay/delivery.h"
#include "relay/hop/dial.h"
#include "relay/hop/hop.h"
#include "relay/verdict.h"
#include "sys/ev.h"

struct smtp_client;

/* What becomes of 8 bits that the next hop does not take, and of long lines. */
enum smtp_8bit {
	SMTP_8BIT_CONVERT,
	SMTP_8BIT_REFUSE,	/* long lines are sent as they are */
	SMTP_8BIT_SEND,		/* both are			*/
};

struct smtp_client_target {		/* borrowed by all its clients	*/
	struct dial_target dial;	/* its host is who TLS must find */
	const struct hop_endpoint *endpoint; /* instead of dialling, or NULL */
	struct hop_tls	 tls;
	struct hop_login login;
	bool		 is_lmtp;
	enum smtp_8bit	 eightbit;
	bool		 may_chunk;	/* BDAT of all that is kept	*/
	struct span	 ehlo_as;
	int64_t		 command_ms;	/* patience for a reply		*/
	int64_t		 data_ms;	/* for each step forward in sending */
	int64_t		 done_ms;	/* for the reply to the text	*/
	/* It has greeted, and offers this; NULL: nobody asks. */
	void		(*offers)(const struct smtp_client_target *,
			    const struct ehlo *);
	unsigned	 patient;	/* stages (SLOW_BIT) at which it is
					 * RFC 5321's at least; may grow */
};

struct smtp_client	*smtp_client_new(struct ev_loop *, struct resolve *,
			    const struct smtp_client_target *,
			    const struct hop_calls *, void *arg);
/* All of it for a pool; its target is a struct smtp_client_target. */
extern const struct hop_kind smtp_client_hop;

/* Closes without a word. */
void	smtp_client_free(struct smtp_client **);

/* Dial.  Or: speak on fd, which is taken. */
void	smtp_client_start(struct smtp_client *);
void	smtp_client_start_on(struct smtp_client *, int fd, struct span hop);

/* Does it wait for a delivery? */
bool	smtp_client_is_free(const struct smtp_client *);
/* Has it carried one? */
bool	smtp_client_was_used(const struct smtp_client *);
/*
 * The same, and asks the kernel whether the next hop has hung up or spoken
 * unasked; then it is not free, and gone() follows.
 */
bool	smtp_client_is_alive(struct smtp_client *);

/* Kept from dialling to the end; wanted() and who are the owner's to set. */
struct place	*smtp_client_place(struct smtp_client *);

/*
 * Take a delivery, of which nothing was decided yet.  It may be finished when
 * this returns, and the client ready without another ready().
 */
void	smtp_client_deliver(struct smtp_client *, struct delivery *);
/* Say QUIT, wait for the answer, and be gone. */
void	smtp_client_quit(struct smtp_client *);
/* Be gone at once; for nobody's harm. */
void	smtp_client_close(struct smtp_client *);

#endif
