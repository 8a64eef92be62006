/*
 * reply - the answers of an SMTP server, as a client reads them: RFC 5321 4.2,
 * enhanced codes of RFC 2034 and 3463, and the keywords behind EHLO.
 */
#ifndef MAIL_REPLY_H
#define MAIL_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct reply {
	uint16_t	 code;		/* 200 to 599			    */
	uint8_t		 dsn_class;	/* these three: 0 without has_dsn   */
	uint16_t	 dsn_subject, dsn_detail;
	bool		 has_dsn;
	bool		 more;		/* "250-": more lines follow	    */
	struct span	 text;		/* into the line, behind the codes;
					 * foreign: any octet but LF	    */
};

/*
 * Read one line of a reply, its CRLF removed.  A code from 200 to 599 is all
 * it takes: what follows it, and what separates the two, is the server's own
 * affair, but for another digit.  Blanks and CRs at the end are dropped.
 * ERR_PEER when there is no such code; *out is then as it was.
 */
MUST_CHECK enum err reply_line(struct span line, struct reply *out);

/*
 * Split an enhanced code off the front of text, into the dsn_* fields and
 * out->text.  False, and nothing changed but has_dsn, where there is none or
 * its class is not the first digit of out->code.  reply_line() has done it.
 */
bool		 reply_dsn(struct span text, struct reply *out);

#define EHLO_PIPELINING		0x001u	/* RFC 2920 */
#define EHLO_SIZE		0x002u	/* RFC 1870 */
#define EHLO_8BITMIME		0x004u	/* RFC 6152 */
#define EHLO_SMTPUTF8		0x008u	/* RFC 6531 */
#define EHLO_ENHANCEDSTATUSCODES 0x010u	/* RFC 2034 */
#define EHLO_STARTTLS		0x020u	/* RFC 3207 */
#define EHLO_CHUNKING		0x040u	/* RFC 3030 */
#define EHLO_BINARYMIME		0x080u	/* RFC 3030 */
#define EHLO_DSN		0x100u	/* RFC 3461 */
#define EHLO_AUTH		0x200u	/* RFC 4954 */

#define EHLO_AUTH_PLAIN		0x1u	/* RFC 4616 */
#define EHLO_AUTH_LOGIN		0x2u	/* no standard, but everywhere */

struct ehlo {
	unsigned	 has;	/* EHLO_* the server offers		    */
	unsigned	 auth;	/* EHLO_AUTH_* among its mechanisms	    */
	uint64_t	 size;	/* bytes it takes at most; 0: not told	    */
};

/*
 * Note the keyword of one line, the text of each but the first of a 250 to
 * EHLO.  Start from zeros.  Unknown keywords are passed over.
 */
void		 reply_ehlo(struct span line_text, struct ehlo *);

#endif
