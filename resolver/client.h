/*
 * client - one link to who asks: takes questions and sends their answers.
 *
 * At most CLIENT_QUESTIONS_MAX are under way; more fail at once.  A name or
 * type that our own clients never ask about is nonsense and ends the link.
 *
 * Owns	   the link, its questions under way; borrows the sources
 * Blocks  never
 * Errors  ERR_SYS
 */
#ifndef RESOLVER_CLIENT_H
#define RESOLVER_CLIENT_H

#include <sys/queue.h>

#include "bus/link.h"
#include "resolver/dns.h"
#include "resolver/hosts.h"

#define CLIENT_QUESTIONS_MAX	4000	/* as RESOLVE_ASKED_MAX */

struct client;
struct request;

/* Where answers come from; the program's, and its to change. */
struct client_sources {
	struct hosts	*hosts;		/* may be NULL		*/
	struct dns	*dns;
	unsigned	 under_way;	/* questions of all clients */
};

/*
 * The link is gone: close the client, here if you like.  why as of link.h.
 */
typedef void client_gone_fn(struct client *, enum err why, void *arg);

/* fd is taken, whatever the result. */
MUST_CHECK enum err client_open(struct client **out, struct ev_loop *,
	    int fd, const struct link_peer *, struct client_sources *,
	    client_gone_fn *, void *arg);
void	client_close(struct client **);

const struct link_peer	*client_peer(const struct client *);

#endif
