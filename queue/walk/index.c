/* index.c - a round is first over table delivery, then over table due. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/plan/dispatch.h"
#include "queue/store/store_damage.h"
#include "queue/store/store_list.h"
#include "queue/walk/index.h"

#define FAST_MS		5	/* between readings of the first round	*/
#define SLOW_MS		1000	/* of later ones			*/
#define ROUND_MS	600000	/* between rounds			*/
#define FAST_ROWS	1024	/* of a reading				*/
#define SLOW_ROWS	2048

struct index {
	struct queue	*queue;
	struct timer	 timer;
	struct store_read_index read;
	struct store_mend mend;
	struct store_read_totals totals;
	bool		 has_gone_round;
	bool		 was_made_anew;	/* in this round		*/
	uint64_t	 mended;	/* rows, in this round		*/
	uint64_t	 brought;	/* deliveries, in this round	*/
};

static void
pause_for(struct index *ix, int64_t ms)
{
	timer_set(&ix->timer, ms);
}

static void
log_mended(const struct index *ix)
{
	struct log_line l;

	log_begin(&l, LOG_trouble);
	log_num(&l, LOG_KEY_count, (int64_t)ix->mended);
	log_text(&l, LOG_KEY_why, ix->was_made_anew ?
	    "the due index was out of order and was made anew" :
	    "the due index did not agree with the deliveries");
	log_end(&l);
}

static void
log_brought(const struct index *ix)
{
	struct log_line l;

	log_begin(&l, LOG_trouble);
	log_num(&l, LOG_KEY_count, (int64_t)ix->brought);
	log_text(&l, LOG_KEY_why, "deliveries stood under keys of which a "
	    "bit was flipped, and are put back");
	log_end(&l);
}

/* What waits must be known; if it is not, say so and have it found again. */
static void
totals_read(struct store_op *op, enum err e, void *arg)
{
	struct index *ix = arg;
	struct due *due = ix->queue->due;
	const struct dispatch *ds = ix->queue->dispatch;
	bool is_lost = e == OK && ix->totals.deliveries > ix->totals.held &&
	    due_owns_all(due) && due_is_empty(due) &&
	    ix->queue->message_cnt > 0 &&
	    (ds == NULL || !dispatch_has_strays(ds));

	if (is_lost)
		log_why(LOG_trouble, "messages wait, and none is known to be "
		    "due", 0);
	ix->queue->has_lost = is_lost;
	if (is_lost || due_is_blind(due))
		due_start(due);
	pause_for(ix, ROUND_MS);
}

/* All rows of this table were looked at. */
static void
end_table(struct index *ix)
{
	ix->read.from.len = 0;
	ix->read.in_due = !ix->read.in_due;
	if (ix->read.in_due) {
		pause_for(ix, ix->has_gone_round ? SLOW_MS : FAST_MS);
		return;
	}
	if (ix->mended > 0)
		log_mended(ix);
	if (ix->brought > 0)
		log_brought(ix);
	ix->mended = ix->brought = 0;
	ix->was_made_anew = false;
	ix->has_gone_round = true;
	store_read_totals(ix->queue->store, &ix->totals, totals_read, ix);
}

static void
go_on(struct index *ix)
{
	if (ix->read.at_end)
		end_table(ix);
	else
		pause_for(ix, ix->has_gone_round ? SLOW_MS : FAST_MS);
}

static void
on_mended(struct store_op *op, enum err e, void *arg)
{
	struct index *ix = arg;

	if (e != OK) {
		/* Later, with the next round: what was found is found again. */
		ix->read.from.len = 0;
		ix->read.in_due = false;
		pause_for(ix, ROUND_MS);
		return;
	}
	ix->brought += ix->mend.brought;
	ix->mended += ix->mend.added + ix->mend.removed;
	if (ix->mend.added + ix->mend.removed + ix->mend.brought > 0)
		due_start(ix->queue->due);
	if (ix->read.is_out_of_order)
		ix->was_made_anew = ix->read.at_end = true;
	go_on(ix);
}

static void
on_read(struct store_op *op, enum err e, void *arg)
{
	struct index *ix = arg;

	if (e != OK) {
		pause_for(ix, ROUND_MS);
		return;
	}
	if (ix->read.wrong_cnt == 0 && !ix->read.is_out_of_order) {
		go_on(ix);
		return;
	}
	ix->mend.found = &ix->read;
	store_mend(ix->queue->store, &ix->mend, on_mended, ix);
}

static void
read_on(struct timer *t, void *arg)
{
	struct index *ix = arg;

	ix->read.row_max = ix->has_gone_round ? SLOW_ROWS : FAST_ROWS;
	store_read_index(ix->queue->store, &ix->read, on_read, ix);
}

enum err
index_open(struct index **out, struct queue *q)
{
	struct index *ix = calloc(1, sizeof(*ix));

	if (ix == NULL)
		return ERR_SYS;
	ix->queue = q;
	timer_init(&ix->timer, q->loop, read_on, ix);
	pause_for(ix, FAST_MS);
	*out = ix;
	return OK;
}

/* After the store is closed: no reading is on its way. */
void
index_close(struct index **i)
{
	struct index *ix = *i;

	if (ix == NULL)
		return;
	timer_stop(&ix->timer);
	free(ix);
	*i = NULL;
}
