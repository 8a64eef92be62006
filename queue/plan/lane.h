/*
 * lane - the place of a relay process, and the destinations that take turns
 * for its slots.  A place is a number out of so many: where a reload has made
 * the workers more or fewer, the old ones have places of their own.  Whose a
 * destination is, and so who may speak of its deliveries, is asked of
 * lane_owns() alone.
 *
 * A slot is held by a delivery from its row to its result.  One that hangs
 * holds it for minutes, so slots are shared by what is known of a destination;
 * of eight slots
 *
 *	proven	six, and all when nothing of it is under way
 *	new	three
 *	slow	one
 *	stuck	two
 *	down	one, for probes
 *
 * and one of eight is left to those proven destinations of which nothing is
 * under way.  One host may have two of eight.  A lane with one destination has
 * no need of this.
 *
 * New ones that hang must not hold up newer ones: when others wait for a share
 * that is full, the relay is asked to give back what has been under way for
 * LANE_PATIENCE_MS and was not begun.  That was no attempt, and the destination
 * is slow from now on: it is tried for 1 s, and if that was too short it is
 * stuck, and tried for 8 s, 64 s and so on, until it has had all the time that
 * it needs.  One that is slow once, because its names took long, does not wait
 * for those that hang: a share of slow ones is free again within a second, and
 * who was given up before a host of it was known goes in front there.
 *
 * In each rank a destination that had nothing, and gets new mail, goes in front
 * of those that have had their turn, and comes back there when its rows had to
 * be read first.  Three times of four the one in front is
 * next, then one that has waited longest.
 */
#ifndef QUEUE_LANE_H
#define QUEUE_LANE_H

#include "queue/plan/destination.h"
#include "queue/plan/host.h"

#define LANE_PATIENCE_MS	500
#define LANE_READS_MAX		16	/* envelopes read at once for those that
					 * are not proven: they may be large,
					 * and are served in order	*/

struct queue;
struct worker;

struct ring {
	TAILQ_HEAD(destinations, destination) line;
	unsigned	 cnt;
};

struct lane {
	LIST_ENTRY(lane) entry;
	struct queue	*queue;
	void		(*on_ready)(struct destination *); /* host.c's */
	char		 relay[BLOCK_NAME_MAX + 1];
	unsigned	 no, cnt;	/* the worker's, of so many	*/
	struct worker	*worker;	/* that gets new deliveries, or NULL */
	bool		 logged_strange; /* no relay of that name */
	struct ring	 fresh[RANK__COUNT], others[RANK__COUNT];
	unsigned	 rank;		/* whose turn it is		*/
	unsigned	 pick_cnt;
	unsigned	 destination_cnt;
	struct host_tree hosts;
	unsigned	 read_cnt;	/* envelopes being read		*/
	struct timer	 press;		/* others wait for a full share	*/
};

void	lane_init(struct lane *, struct queue *, const char *relay,
	    unsigned no, unsigned cnt);
/* Its hosts are gone. */
void	lane_fini(struct lane *);

/* The number of the worker, of cnt, that a destination of this name is for. */
unsigned lane_no(const char *name, unsigned cnt);

/* Is the destination one of this relay, and of this worker of it? */
bool	lane_owns(const struct lane *, const struct destination *);

/* The destination is one of this lane; it is in no ring.  NULL: of none. */
void	lane_set(struct destination *, struct lane *);

/* It could move: put it into its ring, or into a better one. */
void	lane_put(struct destination *, int64_t now_ms);
void	lane_remove(struct destination *);

/* Whose turn it is, taken out of its ring; NULL: nobody can be given a slot. */
struct destination *lane_next(struct lane *);

/* The first that waits, whatever the shares say, taken out; or NULL. */
struct destination *lane_any(struct lane *);

/* Deliveries that one host may have here. */
unsigned lane_host_share(const struct lane *);

/* Do others of this rank wait, and its share is full?  How many; 0: no. */
unsigned lane_pressed(const struct lane *, enum destination_rank);

#endif
