/*
 * queries - what the resolver is being asked, and the link it goes over.
 *
 * The inner half of resolve.h: one query per name and type however many wait
 * for it, asked again on each new link, given up after RESOLVE_PATIENCE_MS.
 *
 * Owns	   the link, the queries, the cache; never the waiters
 * Blocks  never
 * Errors  ERR_SYS
 */
#ifndef ASK_QUERIES_H
#define ASK_QUERIES_H

#include <sys/queue.h>

#include <stdint.h>

#include "ask/resolve.h"

struct queries;
struct query;

/* Lies in the caller's struct; must not move until called or left. */
struct waiter {
	TAILQ_ENTRY(waiter) entry;
	struct query	*query;		/* NULL when not waiting	*/
	resolve_answer_fn *fn;
	void		*arg;
};

MUST_CHECK enum err queries_open(struct queries **out, struct ev_loop *,
	    helper_lost_fn *, void *arg);
void	queries_close(struct queries **);

MUST_CHECK enum err queries_set_link(struct queries *, int fd, enum role mine,
	    const struct link_peer *);

/*
 * Ask for name (as dnsname_fold() made it).  w->fn is called once, perhaps
 * before this returns.
 */
void	queries_join(struct queries *, const char *name, uint16_t rrtype,
	    struct waiter *w);
/* Do not call w->fn any more.  Allowed on one that is not waiting. */
void	queries_leave(struct waiter *w);

#endif
