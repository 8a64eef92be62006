/*
 * asked - the questions under way, and the link to the resolver they go over.
 *
 * The inner half of resolve.h: one question per name and type however many
 * wait for it, asked again on each new link, given up after
 * RESOLVE_PATIENCE_MS.
 *
 * Owns	   the link, the questions, what is known; never the waiters
 * Blocks  never
 * Errors  ERR_SYS
 */
#ifndef ASK_ASKED_H
#define ASK_ASKED_H

#include <sys/queue.h>

#include <stdint.h>

#include "ask/resolve.h"

struct asked;
struct question;

/* Lies in the caller's struct; must not move until called or left. */
struct waiter {
	TAILQ_ENTRY(waiter) entry;
	struct question	*question;	/* NULL when not waiting	*/
	resolve_answer_fn *fn;
	void		*arg;
};

MUST_CHECK enum err asked_open(struct asked **out, struct ev_loop *,
	    resolve_lost_fn *, void *arg);
void	asked_close(struct asked **);

MUST_CHECK enum err asked_set_link(struct asked *, int fd, enum role mine,
	    const struct link_peer *);

/*
 * Ask for name (as dnsname_fold() made it).  w->fn is called once, perhaps
 * before this returns.
 */
void	asked_join(struct asked *, const char *name, uint16_t rrtype,
	    struct waiter *w);
/* Do not call w->fn any more.  Allowed on one that is not waiting. */
void	asked_leave(struct waiter *w);

#endif
