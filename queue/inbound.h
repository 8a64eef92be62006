/*
 * inbound - what an edge says of a mail, before anybody acts on it: the same
 * for a queue that keeps it (intake) and for one that passes it on (proxy).
 *
 * Values of what an edge says may go into headers, records and commands of ours
 * later, so each is one that could have been said there, or the edge is broken.
 */
#ifndef QUEUE_INBOUND_H
#define QUEUE_INBOUND_H

#include <stdbool.h>

#include "base/span.h"
#include "bus/messages.h"

/* What an edge may have at one queue, all in all. */
#define INBOUND_STREAMS_MAX	65536
#define INBOUND_BYTES_MAX	(256u << 20)	/* what two thousand streams
					 * may be ahead, and as much as
					 * it keeps for us itself	*/

/* May it go into headers and commands later, and not break out of a line? */
bool	inbound_is_line(struct span);

/* Is each of its values one of those that there are, and that edges of this
 * role may say? */
bool	inbound_is_mail(const struct msg_mail_open *, enum role);
bool	inbound_is_rcpt(const struct msg_mail_rcpt *);

/* Copy at most max bytes of s to *at, which goes on behind them. */
struct span	inbound_keep(char **at, struct span s, size_t max);

#endif
