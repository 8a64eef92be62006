/*
 * envelope - whom a message is from and for, what each of them asks of reports,
 * and how many of the recipients the queue has heard of.
 *
 * Owns	   one run of memory
 * Errors  ERR_FULL no memory
 */
#ifndef EDGE_ENVELOPE_H
#define EDGE_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "edge/client/grow.h"

struct envelope {
	struct grow	 addresses;	/* sender, then recipients, each
					 * with what it asks of reports	*/
	size_t		 last_at;	/* where the last of them begins */
	unsigned	 rcpt_cnt;
	size_t		 rcpt_bytes;	/* theirs and their ORCPT's	*/
	unsigned	 sent_cnt;	/* recipients that the stream has, */
	size_t		 sent_at;	/* and where the next one stands */
};

/* What RCPT said; RFC 3461's parameters are 0 and empty when not given. */
struct envelope_rcpt {
	struct span	 address;
	uint8_t		 notify;	/* DSN_* bits			*/
	struct span	 orcpt;
};

MUST_CHECK enum err envelope_begin(struct envelope *, struct span sender,
	    struct span envid);
void	envelope_fini(struct envelope *);

MUST_CHECK enum err envelope_add(struct envelope *,
	    const struct envelope_rcpt *);
/* The one that was added last is none after all. */
void	envelope_drop(struct envelope *);

struct span	envelope_sender(const struct envelope *);
struct span	envelope_envid(const struct envelope *);
struct span	envelope_last(const struct envelope *);
/*
 * Walk the recipients, of which there are rcpt_cnt: *at is 0 for the first,
 * and moved on to the next.
 */
void	envelope_rcpt(const struct envelope *, size_t *at,
	    struct envelope_rcpt *out);

/* The stream has no recipients, or is another. */
void	envelope_untell(struct envelope *);
/* It does not have the last after all. */
void	envelope_untell_last(struct envelope *);

#endif
