/*
 * mime_type - what Content-Type and Content-Transfer-Encoding of a part say
 * about how to go on in it: RFC 2045 5 and 6, RFC 2046.
 *
 * Their values are read folded as they stand.  Errors have no place: what
 * cannot be read is a part of which nothing is known.
 */
#ifndef MAIL_MIME_TYPE_H
#define MAIL_MIME_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

#define MIME_BOUNDARY_MAX	200	/* octets; RFC 2046 has 70	*/

enum mime_kind {
	MIME_LEAF,	/* may be coded anew				*/
	MIME_MULTIPART,	/* parts between boundaries			*/
	MIME_MESSAGE,	/* a message with its header section		*/
	MIME_FIELDS,	/* fields in blocks: delivery-status and the like */
	MIME_OPAQUE	/* must not be coded, and not be looked into	*/
};

struct mime_type {
	enum mime_kind	 kind;
	bool		 is_sealed;	/* signed or encrypted as it stands */
	bool		 is_digest;	/* its parts are messages by default */
	size_t		 boundary_len;
	char		 boundary[MIME_BOUNDARY_MAX];
};

enum mime_coding {
	MIME_IDENTITY,	/* 7bit, 8bit, binary	*/
	MIME_CODED_QP,
	MIME_CODED_BASE64,
	MIME_CODED_OTHER
};

void		 mime_type_read(struct mime_type *, struct span value);
enum mime_coding mime_type_coding(struct span value);
/* Is it one of the two that a 7-bit text must not claim? */
bool		 mime_type_is_8bit(struct span value);

#endif
