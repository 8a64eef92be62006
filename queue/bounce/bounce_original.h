/*
 * bounce_original - what is given back of the message a report is about: its
 * header section, or all of it; and single fields, to name it by.
 */
#ifndef QUEUE_BOUNCE_ORIGINAL_H
#define QUEUE_BOUNCE_ORIGINAL_H

#include <stdio.h>

#include "queue/bounce/bounce.h"

/* The value of the first field of that name, folds included; or empty. */
struct span	bounce_original_field(struct span header, struct span name);

/*
 * Can it be given back whole?  A body with lines over 998 bytes, or bytes that
 * are no text, cannot, nor can a header that would have to be changed.
 */
bool	bounce_original_is_whole(const struct bounce *);

/*
 * The part with its own header.  utf8: as message/global or
 * message/global-headers.
 */
void	bounce_original_put(FILE *, const struct bounce *, bool utf8);

#endif
