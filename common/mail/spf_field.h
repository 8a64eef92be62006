/*
 * spf_field - the field Received-SPF, RFC 7208 9.1.  Pure.
 */
#ifndef MAIL_SPF_FIELD_H
#define MAIL_SPF_FIELD_H

#include "mail/spf.h"

#define SPF_FIELD_MAX	2048	/* bytes with NUL; each fits		*/

struct spf_field {
	enum spf_result	 result;
	struct span	 client;	/* its address, as text		*/
	struct span	 sender, helo;	/* as they were said, any bytes	*/
	struct span	 receiver;	/* our name			*/
};

/* Folded, with its CRLF; how long it is. */
size_t	spf_field_build(const struct spf_field *, char out[SPF_FIELD_MAX]);

#endif
