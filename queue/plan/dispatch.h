/*
 * dispatch - who gets the next delivery, and who has which.
 *
 * Relays are known by their number and start, not by their link: a link that
 * breaks takes nothing with it, a start that changed means that the relay died
 * with all it had under way.
 */
#ifndef QUEUE_DISPATCH_H
#define QUEUE_DISPATCH_H

#include "queue/queue.h"

/* A relay process, as long as master knows it. */
struct worker {
	LIST_ENTRY(worker) entry;
	struct queue	*queue;
	struct link	*link;		/* NULL: none just now		*/
	struct link_peer peer;
	struct lane	*lane;
	bool		 is_listed;	/* has said what it runs	*/
	unsigned	 claim_cnt;	/* deliveries it said so of	*/
	unsigned	 false_cnt;	/* of them are another's	*/
	size_t		 unread;	/* bytes of results of those that are
					 * not read yet		*/
	uint32_t	 slots, used;	/* slots: what is believed of	*/
	uint32_t	 said_slots;	/* what it said			*/
	size_t		 result_bytes;	/* of results of what runs	*/
	uint32_t	 rank_used[RANK__COUNT];	/* of them	*/
	struct deliveries running;	/* that hold a slot		*/
	struct delivery	*suspect;	/* the one of them, or NULL	*/
	struct timer	 alone;		/* then another may begin	*/
	struct deliveries suspects;	/* that wait, of suspect.c	*/
};

MUST_CHECK enum err dispatch_open(struct dispatch **out, struct queue *);
void	dispatch_close(struct dispatch **);

/* Calls for struct due. */
void	dispatch_ready(struct destination *, void *dispatch);
void	dispatch_vanish(struct destination *, void *dispatch);
bool	dispatch_is_strange(const struct destination *, void *dispatch);

/* The worker this peer is; its former life's work is dealt with.  Or NULL. */
struct worker *dispatch_worker(struct queue *, const struct link_peer *);

/* The link of a worker is there, or gone; the process itself is gone. */
void	dispatch_linked(struct worker *, struct link *);
void	dispatch_unlinked(struct worker *);
void	dispatch_gone(struct queue *, uint32_t no);

/* Where a relay is asked something, and which worker that is; or NULL.  One
 * that takes no more work is asked only where no other is. */
struct link *dispatch_link_of(void *dispatch, const char *relay,
	    const void **worker);

/* What workers say; ERR_PEER when it makes no sense. */
MUST_CHECK enum err dispatch_running(struct worker *,
	    const struct msg_delivery_running *);
MUST_CHECK enum err dispatch_listed(struct worker *, uint32_t slots);
MUST_CHECK enum err dispatch_pull(struct worker *,
	    const struct msg_delivery_pull *);
MUST_CHECK enum err dispatch_result(struct worker *,
	    const struct msg_delivery_result *);
MUST_CHECK enum err dispatch_done(struct worker *,
	    const struct msg_delivery_done *);
MUST_CHECK enum err dispatch_back(struct worker *,
	    const struct msg_delivery_back *);

/* The results of a delivery are on disk: say so to whom it may concern. */
void	dispatch_settled(struct queue *, const struct delivery *);

/* It will not be sent: give its slot back, if it has one. */
void	dispatch_release_untried(struct queue *, struct delivery *);

/* An edit of its message has come back: load it now, if that was put off. */
void	dispatch_unpark(struct queue *, struct delivery *);

/* The same, but the delivery is read again from the disk.  Taken. */
void	dispatch_reread(struct queue *, struct delivery *);

/* It has grown old: tell its sender, without trying it. */
void	dispatch_remind(struct queue *, const struct store_flow *,
	    const struct store_place *);

/* What is down is tried at once. */
void	dispatch_retry(struct queue *, struct destination *);

/* The routes are others: see whose relay is gone, or back. */
void	dispatch_reload(struct dispatch *);

/* Others are suspended, or wait no longer. */
void	dispatch_suspend(struct dispatch *);

/* Some wait on disk for a relay that is none of ours, and are not known. */
bool	dispatch_has_strays(const struct dispatch *);

uint64_t dispatch_active_cnt(const struct dispatch *);

/* Is anything in a relay's hands that can still answer? */
bool	dispatch_is_busy(const struct dispatch *);

#endif
