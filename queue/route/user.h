/*
 * user - whether a recipient is a user of this host, and whom he forwards to:
 * an expander that asks the relay which his route leads to, if its recipients
 * are users of this host.
 *
 * So one who is nobody is refused before 250.  A relay that is away is asked
 * when it is there again; if that, or its answer, takes longer than USER_MS, or
 * it cannot tell, nobody knows who he is: 451.
 *
 * Owns	   the questions under way
 * Errors  ERR_PEER an answer to what was not asked, or not of this one
 */
#ifndef QUEUE_USER_H
#define QUEUE_USER_H

#include "bus/messages.h"
#include "bus/question.h"
#include "queue/route/expand.h"
#include "queue/route/route.h"

#define USER_MS		5000	/* for an answer			*/
#define USER_QUERIES_MAX 4096	/* under way			*/

struct link;

struct user_look {
	struct questions queries;
	const struct routes *routes;	/* borrowed, of today		*/
	/* Where a relay is asked, and who that is; NULL: it is away. */
	struct link	*(*link_of)(void *arg, const char *relay,
			    const void **who);
	void		*arg;
};

/* link_of as above, with its arg. */
void	user_init(struct user_look *, struct ev_loop *,
	    struct link *(*link_of)(void *, const char *, const void **),
	    void *arg);

/* Calls of struct expander; arg is the struct user_look. */
enum err user_ask(struct expansion *, struct span address, void *arg);
void	user_cancel(struct expansion *, void *arg);

/* An answer of this one. */
MUST_CHECK enum err user_answered(struct user_look *, const void *who,
	    const struct msg_user_answer *);
/* This one is away, or there is one that was not. */
void	user_lost(struct user_look *, const void *who);
void	user_there(struct user_look *);

#endif
