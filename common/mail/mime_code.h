/*
 * mime_code - the body of a part in 7-bit lines: quoted-printable (RFC 2045
 * 6.7) and base64 (6.8), and the mending of bodies that are said to be in one
 * of these and are not quite.
 *
 * A line comes whole, with its CRLF, or in chunks when it is long; none but
 * the last of them ends in CRLF, and none ends within a CRLF or an "=XX".  No
 * line that is written begins with "-", so none is taken for a boundary.
 */
#ifndef MAIL_MIME_CODE_H
#define MAIL_MIME_CODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "mail/mime_out.h"

#define MIME_CODE_LINE	57	/* bytes in a line of base64: 76 letters */

struct mime_code {		/* all zero at a body's begin	*/
	size_t		 column;
	char		 held[MIME_CODE_LINE];
	size_t		 held_cnt;
	bool		 has_crlf;	/* held back: maybe the boundary's */
};

void	mime_code_qp(struct mime_code *, struct mime_out *, struct span chunk);
void	mime_code_base64(struct mime_code *, struct mime_out *,
	    struct span chunk);
/* The body is over; a line end before a boundary is none of the body's. */
void	mime_code_base64_end(struct mime_code *, struct mime_out *,
	    bool at_boundary);

/* Quoted-printable that holds 8 bits or is too long: what is coded stays. */
void	mime_code_mend_qp(struct mime_code *, struct mime_out *,
	    struct span chunk);
/* The same of base64: octets that are no letters count for nothing there. */
void	mime_code_mend_base64(struct mime_code *, struct mime_out *,
	    struct span chunk);

/* Octets that quoted-printable writes as three. */
size_t	mime_code_qp_cost(struct span);

#endif
