/*
 * smtp_inside - what the files of a connection share; smtp_client.h lists them.
 */
#ifndef RELAY_SMTP_INSIDE_H
#define RELAY_SMTP_INSIDE_H

#include <sys/uio.h>

#include <stdbool.h>
#include <stdint.h>

#include "ask/channel.h"
#include "base/limits.h"
#include "mail/dot.h"
#include "mail/mime.h"
#include "mail/reply.h"
#include "relay/delivery.h"
#include "relay/hop/reach.h"
#include "relay/smtp/smtp_client.h"
#include "relay/verdict.h"
#include "sys/ev.h"

#define SMTP_CLIENT_IN	   2048	/* bytes read ahead; over REPLY_LINE_MAX */
#define SMTP_CLIENT_RCPTS  100	/* recipients of one transaction; each
				 * server takes so many: 4.5.3.1.8	*/
#define SMTP_CLIENT_IOV	   64	/* runs of text given to one write	*/
#define SMTP_CLIENT_MAILS  1000	/* transactions on one connection	*/

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
	SMTP_PASS,		/* what passes through: the other side is
				 * to say something; likewise	*/
	SMTP_DATA,
	SMTP_TEXT,		/* sending; no reply is due yet */
	SMTP_CHUNK,		/* one is said that is not the last	*/
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

/* What the lower files call of those above them; smtp_client.c has it. */
struct smtp_above {
	const struct smtp_row *rows;		/* by step: smtp_step.h */
	void	(*restart)(struct smtp_client *); /* here, in the clear */
	void	(*wake)(void *client);	/* the vault has signed, or not */
};

struct smtp_client {
	struct ev_loop	*loop;
	const struct smtp_client_target *target;
	const struct hop_calls *calls;
	const struct smtp_above *above;
	void		*arg;
	struct reach	 reach;
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
	char		 tls_words[TLS_WORDS_MAX];	/* "": in the clear */

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
	bool		 has_reply;	/* any reply in this one	*/
	bool		 is_utf8;	/* it is with SMTPUTF8		*/
	bool		 is_binary;	/* of any octets, by BDAT alone	*/
	bool		 is_counted;	/* by BDAT, as one chunk	*/
	bool		 is_chunked;	/* by several, as its pieces come */
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
	bool		 chunk_ended;	/* what is written; not the last */
	char		 chunk[32];	/* its command			*/
};

#endif
