/*
 * base64 - bytes as letters, RFC 4648 4: what AUTH says (RFC 4954 4).
 *
 * Strict: no line ends, no blanks, no foreign letter, padding always and at
 * the end alone, and no stray bits behind the last byte, so that a run of
 * bytes has exactly one spelling.
 */
#ifndef MAIL_BASE64_H
#define MAIL_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

#define BASE64_LEN(n)	(((n) + 2) / 3 * 4)	/* letters for n bytes */

/*
 * Write in's letters, without a NUL, into buf; *len of them.  False when cap
 * is too small.
 */
bool	base64_encode(struct span in, char *buf, size_t cap, size_t *len);

/*
 * Read text into buf: *len bytes.  False when text is not base64 or cap is too
 * small; buf may then hold some of it.
 */
bool	base64_decode(struct span text, char *buf, size_t cap, size_t *len);

#endif
