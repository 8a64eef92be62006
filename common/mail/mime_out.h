/*
 * mime_out - a run of bytes that grows: what the conversion of a text writes.
 *
 * Owns	   the bytes
 * Errors  has_failed: memory was short, and what is there has a gap
 */
#ifndef MAIL_MIME_OUT_H
#define MAIL_MIME_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct mime_out {		/* all zero is an empty one	*/
	char		*ptr;
	size_t		 len, cap;
	bool		 has_failed;
};

void	mime_out_put(struct mime_out *, struct span);
void	mime_out_char(struct mime_out *, char);
/* Nothing is in it any more; the memory stays for what comes. */
void	mime_out_clear(struct mime_out *);
void	mime_out_free(struct mime_out *);

#endif
