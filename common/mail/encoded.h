/*
 * encoded - text beyond ASCII in the form that 7-bit mail carries it in:
 * quoted-printable (RFC 2045 6.7), and the encoded words of a header field
 * (RFC 2047).  Pure; what is written goes to a stream of the caller's.
 */
#ifndef MAIL_ENCODED_H
#define MAIL_ENCODED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/span.h"


/* A text whose lines end in CRLF, as quoted-printable. */
void	encoded_put_text(FILE *, struct span utf8);

/*
 * The value of an unstructured field, as encoded words where it is not ASCII:
 * folded, without a CRLF at its end.
 */
void	encoded_put_words(FILE *, struct span utf8);

/*
 * Read the value of an unstructured field: unfolded, encoded words in UTF-8,
 * ASCII and ISO 8859-1 decoded, all else kept as it is.  Returns the bytes
 * written to buf; what does not fit is cut.  They are as good as the sender
 * was: not every one is a character.
 */
size_t	encoded_read_words(struct span field, char *buf, size_t cap);

#endif
