/* lone.c - readings with pauses; what is found, the store makes a note of. */
#include <stdlib.h>

#include "queue/store/store_damage.h"
#include "queue/walk/lone.h"

#define FIRST_MS	50	/* until the first reading		*/
#define PAUSE_MS	1000	/* between readings			*/
#define WALK_MS		600000	/* between walks			*/
#define ROWS		256	/* of a reading				*/

struct lone {
	struct queue	*queue;
	struct timer	 timer;
	struct store_read_lone read;
};

static void
on_read(struct store_op *op, enum err e, void *arg)
{
	struct lone *lo = arg;

	if (e != OK || lo->read.at_end) {
		lo->read.table = 0;
		lo->read.from.len = 0;
		timer_set(&lo->timer, WALK_MS);
		return;
	}
	/* A new table begins at once: most stores have few rows. */
	timer_set(&lo->timer, lo->read.from.len == 0 ? FIRST_MS : PAUSE_MS);
}

static void
read_on(struct timer *t, void *arg)
{
	struct lone *lo = arg;

	lo->read.row_max = ROWS;
	store_read_lone(lo->queue->store, &lo->read, on_read, lo);
}

enum err
lone_open(struct lone **out, struct queue *q)
{
	struct lone *lo = calloc(1, sizeof(*lo));

	if (lo == NULL)
		return ERR_SYS;
	lo->queue = q;
	timer_init(&lo->timer, q->loop, read_on, lo);
	timer_set(&lo->timer, FIRST_MS);
	*out = lo;
	return OK;
}

void
lone_close(struct lone **l)
{
	if (*l == NULL)
		return;
	timer_stop(&(*l)->timer);
	free(*l);
	*l = NULL;
}
