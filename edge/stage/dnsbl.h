/*
 * dnsbl - lists in the DNS of addresses that mail is not wanted from: RFC 5782.
 *
 * All lists are asked at once.  One has the client if it answers with an
 * address of 127.0.0.0/8 that is not ignored; any other answer, a failure and
 * silence say that it has not.  A client is listed when those that have it
 * count the threshold together; a list may count less than nothing.
 *
 * Owns	   its questions
 * Blocks  never
 */
#ifndef EDGE_DNSBL_H
#define EDGE_DNSBL_H

#include <stdbool.h>

#include "base/err.h"
#include "conf/slice/slice.h"
#include "edge/client/client_address.h"
#include "edge/stage/nets.h"
#include "sys/ev.h"

#define DNSBL_PATIENCE_MS	5000	/* for all lists; for the reason 2 s */
#define DNSBL_REASON_MS		2000
#define DNSBL_REASON_MAX	180	/* bytes with NUL		*/

struct resolve;

struct dnsbl_list {
	char		*zone;
	int		 weight;
};

struct dnsbls {
	struct dnsbl_list *lists;
	unsigned	 cnt;
	int		 threshold;
	struct nets	 ignored;	/* answers			*/
	bool		 at_connect;	/* and not at RCPT		*/
};

/* As rules{} has them.  ERR_PEER, ERR_FULL. */
MUST_CHECK enum err dnsbl_init(struct dnsbls *, const struct slice *rules);
void	dnsbl_fini(struct dnsbls *);
/* One more, "zone" or "zone*weight". */
MUST_CHECK enum err dnsbl_add(struct dnsbls *, struct span);

/* Addresses that no list of the world can say anything about. */
bool	dnsbl_is_private(const struct client_address *);

struct dnsbl;

/*
 * zone is that of the list that counts most of those that have the client;
 * NULL: it is not listed.  reason is what its TXT record says, in printable
 * ASCII, or "".  Both are borrowed.
 */
typedef void dnsbl_fn(const char *zone, const char *reason, void *arg);

/*
 * Ask.  fn is called once, never before this returns.  NULL: nobody can be
 * asked, and fn is not called.
 */
struct dnsbl *dnsbl_ask(const struct dnsbls *, struct ev_loop *,
	    struct resolve *, const struct client_address *, dnsbl_fn *,
	    void *arg);
/* The answer is not wanted.  *d becomes NULL; NULL is allowed. */
void	dnsbl_cancel(struct dnsbl **d);

#endif
