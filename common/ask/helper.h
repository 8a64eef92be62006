/*
 * helper - a process of ours that is asked over a link of its own: the half
 * that keys, login and queries have in common.
 *
 * The link comes from boot and may be gone at any time; the questions and what
 * holds for them are those of bus/question.h.  Messages are the caller's, who
 * sends them over `link', and finds the question of an answer by its number.
 *
 * Owns	   the link
 * Blocks  never
 * Errors  ERR_SYS
 */
#ifndef ASK_HELPER_H
#define ASK_HELPER_H

#include "bus/link.h"
#include "bus/question.h"

struct helper;

/* The link has died; pass it on to boot_link_lost(). */
typedef void helper_lost_fn(const struct link_peer *, enum err why, void *arg);

struct helper_calls {
	unsigned	 max;		/* questions under way		*/
	int64_t		 patience_ms;	/* for an answer		*/
	/* What it said; anything but OK costs the link. */
	enum err	(*on_msg)(struct helper *, unsigned type,
			    const union msg *);
	question_fn	*on_end;
	/*
	 * Send it once more, over a new link.  NULL: what was asked over a link
	 * that is gone ends with ERR_CLOSED, and so does what is asked while
	 * there is none.
	 */
	void		(*on_link)(struct helper *, struct question *);
};

struct helper {
	struct ev_loop	*loop;
	struct link	*link;		/* NULL while there is none	*/
	struct questions questions;
	const struct helper_calls *calls;
	helper_lost_fn	*on_lost;
	void		*arg;		/* of on_lost()			*/
};

/* In place; must not move.  calls is borrowed. */
void	helper_init(struct helper *, struct ev_loop *,
	    const struct helper_calls *, helper_lost_fn *, void *arg);
/* Close all questions first. */
void	helper_fini(struct helper *);

/* Use fd (taken, whatever the result) as the link from now on. */
MUST_CHECK enum err	helper_set_link(struct helper *, int fd,
			    enum role mine, const struct link_peer *);

/*
 * Take up a question.  True: send it now.  A link that fails meanwhile says so
 * later, as if it had failed behind the message.
 */
bool	helper_ask(struct helper *, struct question *);

#endif
