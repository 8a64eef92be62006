/*
 * quarantine.c - a walk over the notes, some at a time: for each that is over
 * its message is edited as an administrator's retry would, and the walk goes on
 * when all those edits came back.
 */
#include <stdlib.h>

#include "queue/control/edit.h"
#include "queue/store/store_damage.h"
#include "queue/walk/quarantine.h"

#define FIRST_MS	5	/* until the first walk			*/
#define PAUSE_MS	5	/* between readings			*/
#define WALK_MS		600000	/* between walks			*/

struct quarantine {
	struct queue	*queue;
	struct timer	 timer;
	struct store_read_notes read;
	unsigned	 edit_cnt;	/* on their way			*/
};

static void
go_on(struct quarantine *qu)
{
	if (qu->read.at_end)
		qu->read.from.len = 0;
	timer_set(&qu->timer, qu->read.at_end ? WALK_MS : PAUSE_MS);
}

/* What came to nothing is found again by the next walk. */
static void
retried(enum tool_status status, void *arg)
{
	struct quarantine *qu = arg;

	if (--qu->edit_cnt == 0)
		go_on(qu);
}

static void
on_read(struct store_op *op, enum err e, void *arg)
{
	struct quarantine *qu = arg;
	enum tool_status why;

	if (e != OK) {
		timer_set(&qu->timer, WALK_MS);
		return;
	}
	qu->edit_cnt = 1;		/* ours, until all are begun */
	for (unsigned i = 0; i < qu->read.cnt; i++) {
		if (!qu->read.rows[i].is_over)
			continue;
		qu->edit_cnt++;
		if (!edit_start(qu->queue, qu->read.rows[i].id, EDIT_RETRY,
		    SPAN(""), &why, retried, qu))
			qu->edit_cnt--;
	}
	retried(STATUS_DONE, qu);
}

static void
read_on(struct timer *t, void *arg)
{
	struct quarantine *qu = arg;

	qu->read.looks = true;
	store_read_notes(qu->queue->store, &qu->read, on_read, qu);
}

enum err
quarantine_open(struct quarantine **out, struct queue *q)
{
	struct quarantine *qu = calloc(1, sizeof(*qu));

	if (qu == NULL)
		return ERR_SYS;
	qu->queue = q;
	timer_init(&qu->timer, q->loop, read_on, qu);
	timer_set(&qu->timer, FIRST_MS);
	*out = qu;
	return OK;
}

void
quarantine_close(struct quarantine **q)
{
	if (*q == NULL)
		return;
	timer_stop(&(*q)->timer);
	free(*q);
	*q = NULL;
}
