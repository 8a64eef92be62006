/*
 * mailrec - the records in DNS that say how a domain's mail is to be treated:
 * out of the bytes an answer has, and what is wrong with them.
 *
 * Pure.  What is wrong is a sentence without a capital or a full stop; NULL:
 * nothing is.
 */
#ifndef CTL_TOOL_MAILREC_H
#define CTL_TOOL_MAILREC_H

#include <stdbool.h>

#include "base/span.h"

#define MAILREC_NAME_MAX	1024	/* bytes of a name as text, with NUL */
#define MAILREC_TEXT_MAX	4096	/* bytes of a TXT record that we read */

enum mailrec {
	MAILREC_SPF,		/* RFC 7208	*/
	MAILREC_DKIM,		/* RFC 6376	*/
	MAILREC_DMARC,		/* RFC 7489	*/
	MAILREC_STS,		/* RFC 8461	*/
	MAILREC_TLSRPT,		/* RFC 8460	*/
	MAILREC__COUNT
};

/*
 * A name as an answer has it, not compressed, without its last dot; a byte that
 * is none of a host's name as \DDD.  *used is how long it was.  False: it is
 * broken.
 */
bool	mailrec_name(struct span rdata, char out[MAILREC_NAME_MAX],
	    size_t *used);

/* The strings of a TXT record, joined; false: broken, or longer than that. */
bool	mailrec_text(struct span rdata, char out[MAILREC_TEXT_MAX],
	    size_t *len);

/* Is the text such a record, by its first words? */
bool	mailrec_is(enum mailrec, struct span text);

const char	*mailrec_wrong(enum mailrec, struct span text);
/* The same of the bytes of a TLSA record of a mail server: RFC 7672. */
const char	*mailrec_tlsa_wrong(struct span rdata);

#endif
