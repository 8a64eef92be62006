/*
 * notice - what a sender is told of recipients whom we refused after
 * sendmail(1) had left: a report as RFC 3464 has it, with the header section.
 *
 * Owns	   its text
 * Blocks  on the disk, while the header section is read
 * Errors  ERR_FULL no memory; ERR_SYS the file
 */
#ifndef EDGE_DROP_NOTICE_H
#define EDGE_DROP_NOTICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

struct dropped;
struct response;

struct notice {
	char		*words;		/* of each refusal, for people	*/
	char		*fields;	/* the same for programs	*/
	char		*text;
	size_t		 text_len;
	unsigned	 cnt;
	char		 first[600];	/* the first refusal, in words	*/
	char		 rcpt[320];
};

/* That recipient was refused so; a struct of zeros has none. */
MUST_CHECK enum err notice_add(struct notice *, struct span rcpt,
	    const struct response *);
bool		 notice_is_empty(const struct notice *);
/* Why, as far as it goes into a line of the log. */
const char	*notice_first(const struct notice *);

/* Make the text: from host, about the file behind fd (borrowed). */
MUST_CHECK enum err notice_make(struct notice *, const char *host,
	    const struct dropped *, int fd);
struct span	 notice_text(const struct notice *);

/* Log that nobody can be told. */
void		 notice_log(const struct notice *, struct span sender);
void		 notice_clear(struct notice *);

#endif
