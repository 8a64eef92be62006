/*
 * expand - who a recipient stands for, between his arrival and the split: he
 * himself, others, or nobody.
 *
 * An expander (a table, aliases, somebody who is asked) is told an address, and
 * knows it or does not, or knows that it is nobody's: it is left to its relay
 * then, for others are to have the message, unless all are nobody's.  Whom it
 * names is asked about in turn.  Who was named before is one recipient and no
 * second; who is named by himself stays, so that a copy can go to others; so
 * does who is named to stop at him.  Mail for the members of a list has an
 * owner, who is its sender from there on.  How each came to be a recipient is
 * his trace: a step a line, "alias TAB the address that stood for him", the
 * first one first.
 *
 * An answer may take its time: then it is heard of later, as an answer to any
 * question is, and never from within the call that asked.
 *
 * Owns	   an expansion its addresses, until expand_end()
 * Errors  ERR_CLOSED all it came to is nobody's; ERR_FULL more than EXPAND_MAX
 *	   addresses, or EXPAND_DEPTH_MAX steps;
 *	   ERR_PEER nobody is left, for they name each other; ERR_SYS no memory,
 *	   or the expander could not be asked
 */
#ifndef QUEUE_EXPAND_H
#define QUEUE_EXPAND_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define EXPAND_MAX		1000	/* addresses that one comes to	*/
#define EXPAND_DEPTH_MAX	10	/* steps			*/
#define EXPAND_TRACE_MAX	512	/* bytes of a trace; "..." ends one
					 * that would be longer		*/

struct expansion;
struct route_ask;

struct expander {
	const char	*word;		/* of its steps: "alias"	*/
	/* Whom does this address stand for?  OK: those that expand_name() was
	 * called for, maybe none; ERR_NONE: it is not known here; ERR_CLOSED:
	 * it is nobody's; ERR_SYS: it cannot be told; ERR_AGAIN:
	 * expand_answer() follows, with one of these. */
	enum err	(*ask)(struct expansion *, struct span address,
			    void *arg);
	/* That answer is not wanted any more; NULL: it never is later. */
	void		(*cancel)(struct expansion *, void *arg);
	void		*arg;
};

/* In the order they are asked; the first that knows an address has the word. */
struct expanders {
	const struct expander *list;	/* borrowed			*/
	unsigned	 cnt;		/* 0: all are who they are	*/
};

struct expand_rcpt {
	struct span	 address;
	struct span	 trace;		/* empty: he was said himself	*/
	struct span	 owner;		/* of the list he is on; or empty */
};

/* It is over, after ERR_AGAIN; why is as for expand_begin(). */
typedef void expand_fn(struct expansion *, enum err why, void *arg);

/*
 * who: whose mail to whom; its spans, but for the recipient, are borrowed until
 * expand_end().  OK: expand_rcpt() has them; ERR_AGAIN: fn is called once.
 * *out is yours either way, and NULL where expanders are none or on another
 * error.
 */
MUST_CHECK enum err expand_begin(struct expansion **out,
	    const struct expanders *, const struct route_ask *who,
	    expand_fn *fn, void *arg);

/* So many recipients it came to, and each of them; valid until expand_end(). */
uint32_t expand_cnt(const struct expansion *);
void	expand_rcpt(const struct expansion *, uint32_t i,
	    struct expand_rcpt *out);

/* Free it; whoever is asked is told that nobody waits.  Allowed on NULL. */
void	expand_end(struct expansion **);

/*
 * For an expander: it stands for this one too, who is not asked about, or is;
 * whoever it stands for, this is the owner; and, later, that is all.
 */
void	expand_stop(struct expansion *, struct span address);
void	expand_name(struct expansion *, struct span address);
void	expand_own(struct expansion *, struct span owner);
void	expand_answer(struct expansion *, enum err);
/* How many steps is it from who was named first? */
unsigned expand_depth(const struct expansion *);
/* As it was begun, but for the recipient. */
const struct route_ask *expand_who(const struct expansion *);

#endif
