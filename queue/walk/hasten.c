/*
 * hasten.c - one walk at a time over the flows as they lie on disk, and within
 * a flow that has such rows over these.  The disk is what is mended: a row in
 * memory alone would be as far off again when it is put back.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/plan/flow.h"
#include "queue/store/store_due.h"
#include "queue/walk/hasten.h"
#include "sys/clock.h"

struct hasten {
	LIST_ENTRY(hasten) entry;
	struct due	*due;
	bool		 is_resumed;	/* a suspension of these is over */
	char		 relay[BLOCK_NAME_MAX + 1], domain[DOMAIN_MAX + 1];
	struct store_read_flows flows;
	unsigned	 at;		/* of those read		*/
	uint64_t	 moved_cnt;
	struct store_hasten rows;
};

static void	next_flow(struct hasten *);

static int64_t
far_ms(const struct hasten *h)
{
	return clock_wall_ms() + (h->is_resumed ? 0 : h->due->longest_ms);
}

static bool
is_meant(const struct hasten *h, const struct store_flow *f)
{
	struct span flow = store_flow_span(f);
	struct store_names n = store_flow_names(flow);

	if (!f->has_far || !due_owns(h->due, flow))
		return false;
	return (h->relay[0] == '\0' || span_eq(n.relay,
	    span_of(h->relay))) && (h->domain[0] == '\0' ||
	    span_eq(n.destination, span_of(h->domain)));
}

static void
free_hasten(struct hasten *h)
{
	LIST_REMOVE(h, entry);
	free(h);
}

static void
end(struct hasten *h)
{
	struct log_line l;

	if (h->moved_cnt > 0) {
		log_begin(&l, LOG_flushed);
		log_num(&l, LOG_KEY_count, (int64_t)h->moved_cnt);
		log_text(&l, LOG_KEY_why, h->is_resumed ?
		    "a suspension is over" :
		    "they were to wait longer than anything does: the clock "
		    "was set back, or the longest delay is less now");
		log_end(&l);
	}
	if (!h->is_resumed)
		h->due->is_hastening = false;
	free_hasten(h);
}

static void
hastened(struct store_op *op, enum err e, void *arg)
{
	struct hasten *h = arg;

	for (unsigned i = 0; e == OK && i < h->rows.cnt; i++)
		due_moved(h->due, &h->rows.flow, &h->rows.rows[i]);
	if (e != OK) {
		log_why(LOG_trouble, "rows could not be made due", 0);
		end(h);
		return;
	}
	h->moved_cnt += h->rows.cnt;
	if (h->rows.at_end) {
		h->at++;
		next_flow(h);
	} else {
		store_hasten(h->due->store, &h->rows, hastened, h);
	}
}

static void
flows_read(struct store_op *op, enum err e, void *arg)
{
	struct hasten *h = arg;

	if (e != OK) {
		log_why(LOG_trouble, "the due index cannot be read", 0);
		end(h);
		return;
	}
	h->at = 0;
	next_flow(h);
}

static void
next_flow(struct hasten *h)
{
	struct store_read_flows *r = &h->flows;

	while (h->at < r->cnt && !is_meant(h, &r->flows[h->at]))
		h->at++;
	if (h->at < r->cnt) {
		h->rows.flow = r->flows[h->at];
		h->rows.far_ms = far_ms(h);
		h->rows.now_ms = clock_wall_ms();
		h->rows.after = store_place_before(0);
		store_hasten(h->due->store, &h->rows, hastened, h);
	} else if (r->at_end || r->cnt == 0) {
		end(h);
	} else {
		r->after = r->flows[r->cnt - 1];
		r->far_ms = far_ms(h);
		store_read_flows(h->due->store, r, flows_read, h);
	}
}

/* NULL: no memory. */
static struct hasten *
begin(struct due *due)
{
	struct hasten *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		log_why(LOG_trouble, "no memory to look for late rows", 0);
		return NULL;
	}
	h->due = due;
	LIST_INSERT_HEAD(&due->hastens, h, entry);
	return h;
}

static void
walk(struct hasten *h)
{
	h->flows.far_ms = far_ms(h);
	store_read_flows(h->due->store, &h->flows, flows_read, h);
}

void
hasten_start(struct due *due)
{
	struct hasten *h;

	if (due->is_hastening || due->longest_ms == 0 ||
	    (h = begin(due)) == NULL)
		return;
	due->is_hastening = true;
	walk(h);
}

void
hasten_resumed(struct due *due, const char *relay, const char *domain)
{
	struct hasten *h = begin(due);

	if (h == NULL)
		return;
	h->is_resumed = true;
	strlcpy(h->relay, relay, sizeof(h->relay));
	strlcpy(h->domain, domain, sizeof(h->domain));
	walk(h);
}

void
hasten_stop(struct due *due)
{
	struct hasten *h;

	while ((h = LIST_FIRST(&due->hastens)) != NULL)
		free_hasten(h);
	due->is_hastening = false;
}
