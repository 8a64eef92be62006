/*
 * anchors - the trust anchors of a file, in the form the DNS library takes.
 *
 * The file is as a zone's: DS and DNSKEY records, an owner on each, with or
 * without TTL and class, comments from ";" on, long records in parentheses
 * (RFC 1035 5.1, RFC 4034 2.2 and 5.3); a line of its own for each unless in
 * parentheses.  $-directives and records of other types are mistakes.
 *
 * Owns	   copies of all it read
 * Blocks  anchors_read() reads a file
 * Errors  ERR_PEER a record is none, see *line; ERR_FULL over ANCHORS_FILE_MAX
 *	   or ANCHORS_MAX; ERR_SYS
 */
#ifndef RESOLVER_ANCHORS_H
#define RESOLVER_ANCHORS_H

#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

#define ANCHORS_FILE_MAX	65536	/* bytes			*/
#define ANCHORS_MAX		256	/* records			*/

struct anchors {
	const char	*records[ANCHORS_MAX + 1]; /* to a NULL		*/
	unsigned	 cnt;
	size_t		 len;			/* of text that is used	*/
	char		 text[2 * ANCHORS_FILE_MAX];
	unsigned	 line;		/* of the mistake, from 1	*/
};

/*
 * Put the records of the text behind those there are; none to begin with are
 * zeros.  Blanks between words become one each.
 */
MUST_CHECK enum err anchors_parse(struct anchors *, struct span text);
/* The same of a file, from its beginning; fd is borrowed. */
MUST_CHECK enum err anchors_read(struct anchors *, int fd);

#endif
