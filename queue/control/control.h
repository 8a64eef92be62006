/*
 * control - what postern-control may ask of the queue: how much there is, what
 * (browse.h), what of it is damaged, where an address goes, an edit of one
 * message, and what is suspended.
 *
 * Every question is answered, in any order, and costs a bounded amount of work;
 * too many at once are answered STATUS_BUSY.
 *
 * Owns	   struct control, until its link is gone and nothing points to it
 * Errors  ERR_PEER control broke the rules
 */
#ifndef QUEUE_CONTROL_H
#define QUEUE_CONTROL_H

#include "queue/queue.h"

#define CONTROL_PENDING_MAX	1024	/* more at once makes no sense */

struct listing;
struct aliasing;

/* A link to control. */
struct control {
	LIST_ENTRY(control) entry;
	struct queue	*queue;
	struct link	*link;		/* NULL: it is gone		*/
	unsigned	 pending_cnt;	/* calls on their way		*/
	unsigned	 text_cnt;	/* of them, pieces of text	*/

	LIST_HEAD(, aliasing) aliasings;	/* of aliases.c		*/
	unsigned	 aliasing_cnt;

	/* Of browse.c. */
	STAILQ_HEAD(, listing) listings;
	unsigned	 listing_cnt;
	bool		 is_reading;
	struct timer	 pause;		/* until the link has drained	*/
};

struct control *control_new(struct queue *);	/* NULL: no memory */
void	control_linked(struct control *, struct link *);
/* Its link is gone, closed here; *c becomes NULL. */
void	control_gone(struct control **);
/* One call less that points to it. */
void	control_release(struct control *);
/* At the end of the process: all of them. */
void	control_close(struct queue *);

MUST_CHECK enum err control_totals(struct control *,
	    const struct msg_queue_ask *);
MUST_CHECK enum err control_aside(struct control *,
	    const struct msg_aside_ask *);
void	control_route(struct control *, const struct msg_route_ask *);
MUST_CHECK enum err control_alias(struct control *,
	    const struct msg_alias_ask *);
/* What it has asked about aliases is not wanted any more. */
void	control_alias_end(struct control *);
MUST_CHECK enum err control_suspend(struct control *,
	    const struct msg_suspend_ask *);
void	control_suspended(struct control *, const struct msg_suspended_ask *);
/* past.c: what happened to messages, by what they are looked for. */
MUST_CHECK enum err control_found(struct control *,
	    const struct msg_found_ask *);
MUST_CHECK enum err control_story(struct control *,
	    const struct msg_story_ask *);
/* text.c: a piece of one's text. */
MUST_CHECK enum err control_text(struct control *,
	    const struct msg_text_ask *);
MUST_CHECK enum err control_edit(struct control *,
	    const struct msg_edit_ask *);

#endif
