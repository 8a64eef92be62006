/*
 * spf_macro - the macros of SPF, RFC 7208 7.  Pure.
 */
#ifndef MAIL_SPF_MACRO_H
#define MAIL_SPF_MACRO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/* What macros stand for; each is borrowed. */
struct spf_macros {
	struct span	 sender, local, origin, domain, ip, client, name, helo,
			 receiver;
	bool		 is_ipv6;
	int64_t		 now_s;
};

/* Does the text need the validated name, %{p}? */
bool	spf_macro_needs_name(struct span text);
/* Is it a macro-string?  is_text: an explanation, with blanks, c, r and t. */
bool	spf_macro_check(struct span text, bool is_text);
/*
 * Put them in, into cap bytes and a NUL.  ERR_FULL: it is too long; ERR_PEER:
 * it is no macro-string.
 */
MUST_CHECK enum err spf_macro_put(struct span text, bool is_text,
	    const struct spf_macros *, char *out, size_t cap);

#endif
