/*
 * http_reply - the field X-Smtp-Reply, by which an HTTP edge says what SMTP
 * would have said:
 *
 *	X-Smtp-Reply: 550; message="5.1.1 No such user"; command="RCPT"
 *
 * The code decides, so it is read strictly: three digits, 200 to 559, and the
 * semicolon that upstream's reader asks for.  Of the parameters, in any order
 * and case, message and command are used; a value in quotes may hold quotes and
 * backslashes behind a backslash.  Words that cannot be read are left out, from
 * there to the end.
 *
 * Blocks  never; pure
 */
#ifndef HTTP_HTTP_REPLY_H
#define HTTP_HTTP_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/span.h"

#define HTTP_REPLY_FIELD	"X-Smtp-Reply"
#define HTTP_REPLY_COMMAND_MAX	16	/* bytes of a command		*/
/* Bytes that http_reply_write() needs at most. */
#define HTTP_REPLY_MAX	(2 * REPLY_TEXT_MAX + HTTP_REPLY_COMMAND_MAX + 40)

struct http_reply {
	uint16_t	 code;
	size_t		 text_len;	/* with its enhanced code	*/
	size_t		 command_len;
	char		 text[REPLY_TEXT_MAX];	/* what is over it is cut;
					 * controls are "?"		*/
	char		 command[HTTP_REPLY_COMMAND_MAX]; /* in capitals */
};

/* Read a field's value.  False: it is none, and counts as not there. */
bool	http_reply_read(struct span value, struct http_reply *out);

/*
 * Write one into buf; *len bytes, none of which could end its line.  An empty
 * command is left out.  False: cap, or the text, has not the size.
 */
bool	http_reply_write(uint16_t code, struct span text, struct span command,
	    char *buf, size_t cap, size_t *len);

#endif
