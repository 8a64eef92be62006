/*
 * mx_choose - from the MX records of a domain to the hosts to try, in their
 * order: RFC 5321 5.1 and RFC 7505.
 *
 * Lower preference first, equals in random order; of more than MX_CHOOSE_MAX
 * half are the best and half are drawn from all others, so that none is out of
 * reach of a message that is tried again.  Where we stand in the list
 * ourselves, our own place and all that is not better is left out.  A target
 * that is no host's name (the root beside others, an address, odd bytes) is
 * passed over, and so is a record that is none.
 */
#ifndef RELAY_MX_CHOOSE_H
#define RELAY_MX_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "ask/dnsname.h"
#include "base/span.h"

#define MX_CHOOSE_MAX	10	/* hosts of one attempt			*/
#define MX_CHOOSE_BEST	5	/* of more: these, and others by chance	*/

enum mx_chosen {
	MX_HOSTS,		/* at least one				*/
	MX_NULL,		/* "." alone: it takes no mail, RFC 7505 */
	MX_OURSELVES,		/* none is better than we are: a loop	*/
	MX_UNUSABLE,		/* records, but no host's name in them	*/
};

struct mx_host {
	uint16_t	 preference;
	uint32_t	 turn;		/* random: order among equals	*/
	char		 name[DNSNAME_MAX + 1];	/* folded		*/
};

struct mx_hosts {
	unsigned	 cnt;
	bool		 left_out;	/* there were more		*/
	struct mx_host	 hosts[MX_CHOOSE_MAX];
};

/* Is this name (folded) one of ours? */
typedef bool mx_choose_ours_fn(struct span name, const void *arg);

/*
 * records as of resolve_record(); *seed is any number but 0, and moves on.
 * out is meaningful with MX_HOSTS alone.
 */
enum mx_chosen	 mx_choose(struct mx_hosts *out, struct span records,
		    mx_choose_ours_fn *, const void *arg, uint32_t *seed);

#endif
