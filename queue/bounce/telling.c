/*
 * telling.c - a message gathers, is ripe, is under way, and is forgotten, or
 * gathers again.  All gather for the same time, so the first to come is the
 * first to be ripe.
 */
#include <stdlib.h>

#include "base/log.h"
#include "queue/bounce/telling_inside.h"

#define BUSY_MAX	8	/* reports under way: bounds their memory */
#define AGAIN_MS	1000	/* until one that failed is tried again	*/
#define TASKS_MAX	200000	/* that gather; over it none waits	*/

static int
cmp_task(struct report_task *a, struct report_task *b)
{
	return id_cmp(a->id, b->id);
}

#define LOCAL	__attribute__((unused)) static
RB_GENERATE_INTERNAL(report_tree, report_task, by_id, cmp_task, LOCAL)

static void read_on(struct reports *);

static void
ripen(struct reports *rs, struct report_task *t)
{
	if (t->state == REPORT_GATHERS)
		TAILQ_REMOVE(&rs->gathers, t, entry);
	TAILQ_INSERT_TAIL(&rs->ripe, t, entry);
	t->state = REPORT_RIPE;
}

static report_done_fn task_done;

/* Start what is ripe, and wait for what is next. */
static void
go_on(struct reports *rs)
{
	int64_t now_ms = ev_now_ms(rs->queue->loop);
	struct report_task *t;

	while ((t = TAILQ_FIRST(&rs->gathers)) != NULL && t->ripe_ms <= now_ms)
		ripen(rs, t);
	while (rs->busy_cnt < BUSY_MAX && (t = TAILQ_FIRST(&rs->ripe)) !=
	    NULL) {
		TAILQ_REMOVE(&rs->ripe, t, entry);
		t->state = REPORT_UNDER_WAY;
		rs->busy_cnt++;
		report_job_start(rs, t, task_done);
	}
	if ((t = TAILQ_FIRST(&rs->gathers)) != NULL)
		timer_set(&rs->timer, t->ripe_ms - now_ms);
}

static void
ring(struct timer *timer, void *arg)
{
	go_on(arg);
}

static void
gather(struct reports *rs, struct report_task *t, int64_t wait_ms)
{
	t->state = REPORT_GATHERS;
	t->ripe_ms = ev_now_ms(rs->queue->loop) + wait_ms;
	t->rows = 0;
	t->again = false;
	if (wait_ms < REPORT_GATHER_MS)
		TAILQ_INSERT_HEAD(&rs->gathers, t, entry);
	else
		TAILQ_INSERT_TAIL(&rs->gathers, t, entry);
}

static struct report_task *
find(struct reports *rs, struct id id)
{
	struct report_task key = { .id = id }, *t;

	if ((t = RB_FIND(report_tree, &rs->tasks, &key)) != NULL)
		return t;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->id = id;
	RB_INSERT(report_tree, &rs->tasks, t);
	rs->task_cnt++;
	gather(rs, t, REPORT_GATHER_MS);
	return t;
}

void
telling_note(struct reports *rs, struct id id, uint32_t rows, bool is_over)
{
	struct report_task *t = find(rs, id);

	if (t == NULL) {
		log_why(LOG_trouble, "no memory: a report waits for a restart",
		    0);
		return;
	}
	t->rows += rows;
	t->is_over |= is_over;
	if (t->state == REPORT_UNDER_WAY)
		t->again = true;
	else if (t->state == REPORT_GATHERS && (t->is_over ||
	    t->rows >= STORE_REPORT_MAX || rs->task_cnt > TASKS_MAX))
		ripen(rs, t);
	go_on(rs);
}

static void
task_done(struct reports *rs, struct report_task *t, enum err e,
    bool has_more)
{
	rs->busy_cnt--;
	if (e != OK && e != ERR_NONE && e != ERR_STALE) {
		gather(rs, t, AGAIN_MS);
	} else if (t->again || has_more) {
		gather(rs, t, REPORT_GATHER_MS);
		if (t->is_over)
			ripen(rs, t);
	} else {
		RB_REMOVE(report_tree, &rs->tasks, t);
		rs->task_cnt--;
		free(t);
	}
	queue_rested(rs->queue);
	go_on(rs);
}

/* How long they have gathered is not known: they have long enough. */
static void
reports_read(struct store_op *op, enum err e, void *arg)
{
	struct reports *rs = arg;

	if (e != OK) {
		log_why(LOG_trouble, "waiting reports cannot be read", 0);
		return;
	}
	for (unsigned i = 0; i < rs->read.cnt; i++)
		telling_note(rs, rs->read.ids[i], STORE_REPORT_MAX, false);
	if (rs->read.at_end)
		return;
	read_on(rs);
}

static void
read_on(struct reports *rs)
{
	store_read_reports(rs->queue->store, &rs->read, reports_read, rs);
}

void
telling_start(struct reports *rs)
{
	read_on(rs);
}

bool
telling_is_busy(const struct reports *rs)
{
	return rs->busy_cnt > 0;
}

enum err
telling_open(struct reports **out, struct queue *q)
{
	struct reports *rs = calloc(1, sizeof(*rs));

	if (rs == NULL)
		return ERR_SYS;
	rs->queue = q;
	RB_INIT(&rs->tasks);
	TAILQ_INIT(&rs->gathers);
	TAILQ_INIT(&rs->ripe);
	timer_init(&rs->timer, q->loop, ring, rs);
	*out = rs;
	return OK;
}

void
telling_close(struct reports **r)
{
	struct report_task *t;

	if (*r == NULL)
		return;
	timer_stop(&(*r)->timer);
	while ((t = RB_MIN(report_tree, &(*r)->tasks)) != NULL) {
		RB_REMOVE(report_tree, &(*r)->tasks, t);
		free(t);
	}
	free(*r);
	*r = NULL;
}
