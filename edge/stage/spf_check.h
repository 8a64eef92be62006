/*
 * spf_check - SPF of a session's sender: mail/spf.h, asked of the resolver.
 *
 * Owns	   the evaluation, and the question under way
 * Blocks  never
 */
#ifndef EDGE_SPF_CHECK_H
#define EDGE_SPF_CHECK_H

#include "edge/text/origin.h"
#include "mail/spf.h"
#include "sys/ev.h"

#define SPF_CHECK_MS	20000	/* for all of it, RFC 7208 4.6.4	*/

struct resolve;
struct spf_check;

/*
 * The result; domain is whose record it was, explanation what that says of a
 * fail, or "".  All borrowed.
 */
typedef void spf_check_fn(enum spf_result, const char *domain,
	    const char *explanation, void *arg);

/*
 * May this client send as that sender?  fn is called once, never before this
 * returns; SPF_TEMPERROR after SPF_CHECK_MS, or when nobody can be asked.
 * NULL: out of memory, and fn is not called.
 */
struct spf_check *spf_check_begin(struct ev_loop *, struct resolve *,
	    const struct origin *, struct span sender, struct span receiver,
	    spf_check_fn *, void *arg);
/* The result is not wanted.  *c becomes NULL; NULL is allowed. */
void	spf_check_cancel(struct spf_check **c);

#endif
