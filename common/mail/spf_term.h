/*
 * spf_term - the terms of an SPF record, RFC 7208 4.6.1, 5, 6 and 7.1.  Pure.
 */
#ifndef MAIL_SPF_TERM_H
#define MAIL_SPF_TERM_H

#include "mail/spf.h"

enum spf_kind {
	SPF_ALL, SPF_INCLUDE, SPF_MECH_A, SPF_MECH_MX, SPF_MECH_PTR, SPF_IP4,
	SPF_IP6, SPF_EXISTS, SPF_REDIRECT, SPF_EXP, SPF_OTHER
};

struct spf_term {
	enum spf_kind	 kind;
	char		 qualifier;	/* + - ~ ?; 0 of a modifier	*/
	struct span	 spec;		/* its domain, macros in it; or empty */
	unsigned	 bits4, bits6;
	uint8_t		 ip[16];	/* of ip4 and ip6		*/
};

/* The next term of a record, off its front.  False: there is none. */
bool	spf_term_next(struct span *record, struct span *term);
/* ERR_PEER: it is none. */
MUST_CHECK enum err spf_term_read(struct span, struct spf_term *out);
/* Are all the terms of a record right?  redirect and exp at most once. */
bool	spf_term_check(struct span record);

#endif
