/*
 * mime_field - a header field in ASCII and in lines of at most
 * TEXT_LINE_SURE octets: encoded words (RFC 2047) where its text is beyond
 * ASCII, RFC 2231 in the parameters of Content-Type and Content-Disposition,
 * folded at its blanks.
 *
 * What is ASCII in it stays as it is.  Octets that are not UTF-8 are in a
 * charset nobody knows: unknown-8bit (RFC 1428).  The domain of an address is
 * written as its A-labels; a local part beyond ASCII has no form in ASCII, and
 * its address is shown as encoded words.
 */
#ifndef MAIL_MIME_FIELD_H
#define MAIL_MIME_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "mail/mime_out.h"

/*
 * field is a whole field with its line ends, or lines that follow it.  room is
 * as many bytes as it has, to work in; it holds nothing afterwards.
 */
void	mime_field_put(struct mime_out *, struct span field, char *room);

/* Does it hold an address that has no form in ASCII? */
bool	mime_field_is_lost(struct span field);

#endif
