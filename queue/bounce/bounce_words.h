/*
 * bounce_words - the part of a report that people read, from a notice: what
 * became of the message, of whom, why in plain words, and what was said.
 */
#ifndef QUEUE_BOUNCE_WORDS_H
#define QUEUE_BOUNCE_WORDS_H

#include <stdio.h>

#include "queue/bounce/bounce.h"

/* What the report is called: that of the gravest it tells. */
struct span	bounce_words_subject(const struct bounce *);

/* The text, in UTF-8 with CRLF; lines are broken at 72 bytes. */
void	bounce_words_put(FILE *, const struct bounce *);

#endif
