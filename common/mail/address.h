/*
 * address - a mailbox as SMTP writes it: RFC 5321 4.1.2 and 4.1.3, with the
 * internationalised form of RFC 6531 3.3.
 *
 * What comes out points into what went in.  The local part is kept as given,
 * quotes and letter case included: it means nothing to anyone but its host
 * (RFC 5321 2.4).  Nothing that passes here holds a control, a NUL, CR or LF.
 *
 * Errors	ERR_PEER no address; ERR_NONE 8-bit bytes, and utf8 is false.
 *		*out and *line are then as they were.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"

#define ADDRESS_KEY_MAX	(PATH_MAX_SMTP + DOMAIN_MAX + 1)	/* bytes */

enum address_kind {
	ADDRESS_NULL,		/* <>: nobody, the sender of a bounce	*/
	ADDRESS_POSTMASTER,	/* <postmaster> alone, in any case	*/
	ADDRESS_USER,		/* any other local part alone		*/
	ADDRESS_DOMAIN,		/* local@domain				*/
	ADDRESS_LITERAL		/* local@[192.0.2.1] or [IPv6:...]	*/
};

struct address {
	struct span	  whole;	/* local@domain as given; no brackets,
					 * no source route; empty for <>    */
	struct span	  local;	/* with its quotes, if it has them  */
	struct span	  domain;	/* a literal with its brackets; empty
					 * without one			    */
	enum address_kind kind;
	bool		  is_utf8;	/* holds a character over U+007F    */
};

/*
 * Judge a bare mailbox, all of text: local@domain, never empty, never just
 * "postmaster".  utf8: may it be internationalised?  Limits: LOCAL_PART_MAX,
 * DOMAIN_MAX, 63 octets an ASCII label, PATH_MAX_SMTP for the whole.  An
 * underscore in a domain is taken, a trailing dot is not, nor are labels over
 * U+007F that have no A-label (RFC 6531 3.3).
 */
MUST_CHECK enum err address_parse(struct span text, bool utf8,
    struct address *out);

/*
 * Take <path> from the front of *line: <>, <postmaster>, <mailbox>, <user> or
 * <@route,@route:mailbox>, whose route is dropped (RFC 5321 appendix C).  What
 * stands behind the ">" is left in *line, unjudged.  Which kinds are fine is
 * the caller's to say.
 */
MUST_CHECK enum err address_path(struct span *line, bool utf8,
    struct address *out);

/*
 * The same of a mailbox or a user that stands without angle brackets, as
 * careless clients write it, and ends before a blank or with the line.
 */
MUST_CHECK enum err address_bare(struct span *line, bool utf8,
    struct address *out);

/* Is all of text a domain name (A- or, with utf8, U-labels)? */
bool	address_is_domain(struct span text, bool utf8);

/* Is all of text an address literal, [1.2.3.4] or [IPv6:2001:db8::1]? */
bool	address_is_literal(struct span text);

/* Is all of text a local part, as it is or quoted? */
bool	address_is_local(struct span text);

/*
 * A local part as it is compared where the case of letters says nothing:
 * ASCII ones in lower case, and what is quoted without its quotes.  Into out,
 * which has room for as many bytes; how long it is.
 */
size_t	address_fold(struct span local, char *out);

/*
 * The user of a local part "user+detail": up to the first delimiter that is not
 * its first byte; all of it if there is none, if it is quoted, or if delimiter
 * is 0.
 */
struct span	address_user(struct span local, char delimiter);

/*
 * Does it need SMTPUTF8 (RFC 6531) in each form?  A domain has one in ASCII, a
 * local part beyond it has none.  An empty one does not.
 */
bool	address_needs_utf8(struct span text);

/*
 * What is equal of those mailboxes that are the same for sure: the domain as
 * domain_key() has it, and the local part byte for byte, for what is equal
 * beyond that only its host knows (RFC 5321 2.4).  Without a domain all is put
 * in lower case: there is only "postmaster" so.  Into out of ADDRESS_KEY_MAX
 * bytes, no NUL; how long it is, or 0 when text is none.
 */
size_t	address_key(struct span text, char *out);

#endif
