/*
 * proxy - a queue that keeps nothing: a mail passes through it, command by
 * command, to the next hop of its one relay, and back comes what that says.
 *
 * It has a role of its own (roles.def), which can neither touch a disk nor
 * start a thread: nothing of struct queue is here, but the routes, which know
 * the relay, whom that takes, and what a recipient's destination is.
 *
 *	proxy_edge	links to edges
 *	passage		one mail on its way through (_text: its pieces;
 *			_answer: what its edge is told)
 *	proxy_relay	links to the processes of the relay, and who gets what
 *	proxy_control	what an administrator asks
 *
 * Owns	   links, passages
 * Blocks  never
 */
#ifndef QUEUE_PROXY_H
#define QUEUE_PROXY_H

#include <sys/queue.h>
#include <sys/tree.h>

#include "bus/boot.h"
#include "queue/route/able.h"
#include "queue/settings.h"

struct passage;
struct proxy_control;

RB_HEAD(passage_tree, passage);
RB_HEAD(attempt_tree, passage);

/* A link to an edge. */
struct proxy_edge {
	LIST_ENTRY(proxy_edge) entry;
	struct proxy	*proxy;
	struct link	*link;
	char		 name[BLOCK_NAME_MAX + 1];
	struct passage_tree passages;	/* by its numbers for them	*/
	unsigned	 cnt;
	size_t		 held;		/* bytes of all of them		*/
	uint64_t	 highest;	/* number so far, + 1		*/
};

/* A process of the relay. */
struct proxy_worker {
	LIST_ENTRY(proxy_worker) entry;
	struct proxy	*proxy;
	struct link	*link;		/* NULL: there is none just now	*/
	struct link_peer peer;
	LIST_HEAD(, passage) passages;
	unsigned	 cnt;
	uint32_t	 slots;		/* 0: before it has said so, and when
					 * it is being stopped		*/
};

struct proxy {
	struct boot	*boot;
	struct ev_loop	*loop;
	struct settings	 settings;
	struct able	 able;		/* what the next hop can	*/
	LIST_HEAD(, proxy_edge) edges;
	LIST_HEAD(, proxy_worker) workers;
	LIST_HEAD(, proxy_control) controls;
	struct attempt_tree attempts;	/* those with the relay		*/
	TAILQ_HEAD(, passage) waiting;	/* for a slot, in their order	*/
	unsigned	 passage_cnt;
	struct id	 last_id;
	uint64_t	 last_attempt;
	struct later	 serve;		/* those that wait		*/
	struct timer	 again;		/* the same, after a host was busy */
	struct timer	 watch;		/* for edges that have fallen silent */
	bool		 is_draining;
	struct timer	 patience;	/* when draining		*/
};

/* What the process does, with a struct proxy as its argument. */
extern const struct boot_calls proxy_calls;

/* Reads the slice; the sandbox comes after it. */
MUST_CHECK enum err proxy_open(struct proxy **out, struct boot *);
void	proxy_close(struct proxy **);

/* A new id, higher than all before it. */
struct id	proxy_mint(struct proxy *);
/* The relay that all is for, and the number it has in the routes. */
const char	*proxy_relay(const struct proxy *);
/* Is its one next hop known before a recipient is? */
bool		 proxy_has_one_hop(const struct proxy *);
/* Does it answer for each recipient at the end of the text (LMTP)? */
bool		 proxy_answers_each(const struct proxy *);
/* Those that wait are tried again in a moment. */
void		 proxy_serve_soon(struct proxy *);
/* A passage less; the last one ends a drain. */
void		 proxy_rested(struct proxy *);

/* proxy_edge.c */
void		 proxy_take_edge(struct proxy *, int fd,
		    const struct link_peer *);
/* What is offered has changed: tell the edges. */
void		 proxy_tell_edges(struct proxy *);
void		 proxy_drop_edge(struct proxy_edge *);

/* proxy_relay.c */
void		 proxy_take_relay(struct proxy *, int fd,
		    const struct link_peer *);
void		 proxy_drop_relay(struct proxy *, uint32_t no);
/* A process of the relay with a free slot, or NULL. */
struct proxy_worker *proxy_worker(struct proxy *);
/* Nobody wants this attempt any more. */
void		 proxy_settle(struct proxy_worker *, struct id,
		    uint64_t attempt);

/* proxy_control.c */
void		 proxy_take_control(struct proxy *, int fd,
		    const struct link_peer *);
void		 proxy_drop_controls(struct proxy *);

#endif
