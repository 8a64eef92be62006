/* aging.c - what is under way is left to its outcome, which tells as well. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/store/store_due.h"
#include "queue/walk/aging.h"
#include "queue/plan/dispatch.h"
#include "sys/clock.h"

#define LOOK_MS		10000	/* how often there is a look		*/
#define MORE_MS		50	/* until the next rows of the same look	*/

struct aging {
	struct queue	*queue;
	struct timer	 look;
	struct store_read_old *read;	/* on its way, or NULL		*/
	struct id	 after;		/* all up to here were looked at */
	uint32_t	 after_no;
};

static void
rows_read(struct store_op *op, enum err e, void *arg)
{
	struct store_read_old *r = (struct store_read_old *)op;
	struct aging *a = arg;

	a->read = NULL;
	if (e != OK)
		log_why(LOG_trouble, "old deliveries could not be read", 0);
	for (unsigned i = 0; e == OK && i < r->cnt; i++)
		dispatch_remind(a->queue, &r->rows[i].flow,
		    &r->rows[i].place);
	if (e == OK) {
		a->after = r->after;
		a->after_no = r->after_no;
	}
	timer_set(&a->look, e == OK && !r->at_end ? MORE_MS : LOOK_MS);
	free(r);
}

/* The highest id there can be of a message that arrived by then. */
static struct id
id_of(int64_t ms)
{
	struct id id;

	memset(id.b, 0xff, sizeof(id.b));
	for (int i = 5; i >= 0; i--, ms >>= 8)
		id.b[i] = (uint8_t)ms;
	return id;
}

static void
look(struct timer *t, void *arg)
{
	struct aging *a = arg;
	int64_t warn_ms = a->queue->settings.retry.warn_ms;

	timer_set(&a->look, LOOK_MS);
	if (a->queue->is_draining || warn_ms == 0 || a->read != NULL ||
	    (a->read = calloc(1, sizeof(*a->read))) == NULL)
		return;
	a->read->after = a->after;
	a->read->after_no = a->after_no;
	a->read->until = id_of(clock_wall_ms() - warn_ms);
	store_read_old(a->queue->store, a->read, rows_read, a);
}

enum err
aging_open(struct aging **out, struct queue *q)
{
	struct aging *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return ERR_SYS;
	a->queue = q;
	timer_init(&a->look, q->loop, look, a);
	timer_set(&a->look, LOOK_MS);
	*out = a;
	return OK;
}

/* At the end of the process: what is still on its way is never read. */
void
aging_close(struct aging **ap)
{
	if (*ap == NULL)
		return;
	timer_stop(&(*ap)->look);
	free((*ap)->read);
	free(*ap);
	*ap = NULL;
}
