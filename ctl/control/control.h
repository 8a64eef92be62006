/*
 * control - the process that answers the administrator: who is in it.
 *
 * A tool (posternctl) asks; control asks master or a queue in its place, under
 * a number of its own, and hands the answers back.  It decides nothing and
 * keeps nothing but the questions under way:
 *
 *	tool -> ask -> queue or house (master) -> ask -> tool
 *
 * Owns	   the tools, the links to the queues, the counter pages
 * Blocks  never
 * Errors  a tool's nonsense costs that tool its connection and nothing else
 */
#ifndef CTL_CONTROL_CONTROL_H
#define CTL_CONTROL_CONTROL_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "bus/link.h"
#include "bus/question.h"
#include "sys/counters.h"
#include "sys/ev.h"

#define TOOLS_MAX	16	/* connections at a time		*/
#define READERS_MAX	12	/* of them, before who may only read is
				 * told to wait: some are left for others */
#define TOOL_ASKS_MAX	64	/* questions under way, of one tool	*/
#define QUEUE_ASKS_MAX	512	/* that one queue has to answer		*/
#define MASTER_ASKS_MAX	512	/* that master has			*/
#define PAGES_MAX	2048	/* counter pages			*/

struct control_calls {
	/* The link to master, or NULL when it is gone. */
	struct link	*(*master)(void *arg);
	/* A queue's link is unusable; it is closed after the call. */
	void		 (*lost)(const struct link_peer *, enum err why,
			    void *arg);
	/* Drained: nobody is left. */
	void		 (*drained)(void *arg);
};

struct page {
	uint32_t	 no;		/* of the process		*/
	bool		 is_known;	/* new, or in the last listing	*/
	const void	*at;
};

struct control {
	struct ev_loop	*loop;
	const struct control_calls *calls;
	void		*arg;
	bool		 draining;

	LIST_HEAD(, tool) tools;
	unsigned	 tool_cnt, unwanted_cnt;
	LIST_HEAD(, queue) queues;
	struct questions queries;	/* that master has to answer	*/
	struct page	 pages[PAGES_MAX];
	unsigned	 page_cnt;
};

/* calls and arg are borrowed.  ERR_SYS: no memory. */
MUST_CHECK enum err	control_new(struct control **out, struct ev_loop *,
			    const struct control_calls *, void *arg);
void			control_free(struct control **);

/* Take no more questions; drained() follows when the last is answered. */
void			control_drain(struct control *);

#endif
