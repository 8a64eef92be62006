/*
 * smtp - handing one message to an edge over its unix socket: RFC 5321 as the
 * client.
 *
 * Owns	   the connection
 * Blocks  on every reply, SMTP_PATIENCE_S at most
 * Errors  ERR_NONE nobody listens; ERR_CLOSED, ERR_AGAIN it went away or is
 *	   silent; ERR_PEER it does not speak SMTP; ERR_SYS errno
 */
#ifndef CTL_SENDMAIL_SMTP_H
#define CTL_SENDMAIL_SMTP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"
#include "mail/dot.h"
#include "mail/reply.h"

#define SMTP_PATIENCE_S	300	/* RFC 5321 4.5.3.2: five minutes */

struct smtp {
	int		 fd;
	bool		 is_loud;	/* show the dialogue on stdout	*/
	struct ehlo	 ehlo;
	uint16_t	 code;		/* of the last reply		*/
	char		 text[REPLY_LINE_MAX + 1]; /* its last line */
	char		 in[REPLY_LINE_MAX];
	size_t		 in_len;
	struct dot	 dot;
};

/* Connect to the socket at that path. */
MUST_CHECK enum err	smtp_open(struct smtp *, const char *path,
			    bool is_loud);

/* Say QUIT if there is a connection, and close it. */
void			smtp_close(struct smtp *);

/* Read a whole reply into code and text. */
MUST_CHECK enum err	smtp_reply(struct smtp *);

/* Say a line (no CRLF), and read the reply to it. */
MUST_CHECK enum err	smtp_say(struct smtp *, const char *format, ...)
			    __attribute__((format(printf, 2, 3)));

/* EHLO, its keywords into ehlo; HELO where that is not known. */
MUST_CHECK enum err	smtp_hello(struct smtp *, const char *name);

/* Behind the 354: text, in as many parts as you like; then the end. */
MUST_CHECK enum err	smtp_text(struct smtp *, struct span);
MUST_CHECK enum err	smtp_text_end(struct smtp *);

#endif
