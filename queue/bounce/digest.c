/*
 * digest.c - one look at the first row sets the timer; when it rings all rows
 * are read, and one transaction keeps the message and takes them away.  Then
 * there is a look again, for what came meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/bounce/addressee.h"
#include "queue/bounce/digest.h"
#include "queue/bounce/digest_text.h"
#include "queue/store/store_intake.h"
#include "queue/store/store_report.h"
#include "sys/clock.h"
#include "sys/counters.h"

#define AGAIN_MS	60000	/* until what failed is tried again	*/

enum digest_state {
	DIGEST_IDLE,		/* no row is known of			*/
	DIGEST_LOOKS,		/* the first row is being read		*/
	DIGEST_WAITS,		/* for the hour				*/
	DIGEST_UNDER_WAY,	/* all of them are read, or told of	*/
};

struct digest {
	struct queue	*queue;
	struct timer	 timer;
	enum digest_state state;
	bool		 again;		/* look once more behind this	*/
	struct store_read_discards read;
	struct discard_rows *rows;
	struct bounce_text text;
	struct store_mail mail;
	char		 address[PATH_MAX_SMTP + 1];	/* outlives a reload */
	struct span	 to;
	struct addressee addressee;	/* whom `to' stands for		*/
	struct store_accept accept;
	struct store_digest store;
	int64_t		 now_ms;
};

static void
wait_for(struct digest *d, int64_t ms)
{
	d->state = DIGEST_WAITS;
	timer_set(&d->timer, ms);
}

/* What was read and written for one digest. */
static void
clear(struct digest *d)
{
	free(d->rows);
	free(d->text.text);
	addressee_fini(&d->addressee);
	d->rows = NULL;
	d->text = (struct bounce_text){ .text = NULL };
	d->accept = (struct store_accept){ .mail = NULL };
	d->store = (struct store_digest){ .rows = NULL };
}

static void
fail(struct digest *d, const char *why, int64_t wait_ms)
{
	log_why(LOG_trouble, why, 0);
	clear(d);
	wait_for(d, wait_ms);
	queue_rested(d->queue);
}

/* There is nothing to do by now, but for what came meanwhile. */
static void
rest(struct digest *d)
{
	clear(d);
	d->state = DIGEST_IDLE;
	if (d->again)
		digest_look(d);
	queue_rested(d->queue);
}

static void
first_read(struct store_op *op, enum err e, void *arg)
{
	struct digest *d = arg;
	struct discard_rows *rows = d->read.rows;
	int64_t left_ms;

	d->read.rows = NULL;
	if (e != OK) {
		fail(d, "what was discarded cannot be read", AGAIN_MS);
		return;
	}
	d->state = DIGEST_IDLE;
	if (rows->cnt > 0) {
		left_ms = rows->rows[0].at_ms + DIGEST_EVERY_MS -
		    clock_wall_ms();
		if (left_ms > DIGEST_EVERY_MS)	/* a clock was set back */
			left_ms = DIGEST_EVERY_MS;
		wait_for(d, left_ms < 0 ? 0 : left_ms);
	}
	free(rows);
	if (d->again)
		digest_look(d);
}

void
digest_look(struct digest *d)
{
	if (d == NULL)
		return;
	d->again = d->state == DIGEST_LOOKS || d->state == DIGEST_UNDER_WAY;
	if (d->again || d->queue->settings.postmaster[0] == '\0')
		return;
	timer_stop(&d->timer);
	d->state = DIGEST_LOOKS;
	d->read = (struct store_read_discards){ .row_max = 1 };
	store_read_discards(d->queue->store, &d->read, first_read, d);
}

void
digest_note(struct digest *d)
{
	if (d != NULL && d->state != DIGEST_WAITS)
		digest_look(d);
}

static void
log_sent(const struct digest *d)
{
	struct log_line l;

	log_begin(&l, LOG_digested);
	log_id(&l, LOG_KEY_id, d->mail.id);
	log_str(&l, LOG_KEY_rcpt, d->to);
	log_num(&l, LOG_KEY_count, (int64_t)d->rows->all_cnt);
	log_end(&l);
}

static void
committed(struct store_op *op, enum err e, void *arg)
{
	struct digest *d = arg;

	if (e == ERR_STALE) {		/* somebody else has told it */
		d->again = true;
		rest(d);
		return;
	}
	if (e != OK) {
		fail(d, "the digest of what was discarded cannot be kept",
		    AGAIN_MS);
		return;
	}
	log_sent(d);
	queue_accepted(d->queue, &d->accept);
	d->again = true;	/* for what was not read		*/
	rest(d);
}

static enum err
write_text(struct digest *d)
{
	struct digest_about about = {
		.now_ms = d->now_ms, .to = d->to, .rows = d->rows,
		.hostname = span_of(d->queue->settings.hostname),
		.home = span_of(d->queue->settings.home),
		.queue = span_of(d->queue->settings.name),
	};

	d->mail = (struct store_mail){ .id = queue_mint(d->queue) };
	about.id = d->mail.id;
	return digest_text_write(&d->text, &about);
}

/* A message of ours without a sender, as a bounce is. */
static void
keep(struct digest *d)
{
	struct store_accept *a = &d->accept;

	a->mail = &d->mail;
	addressee_put(&d->addressee, a);
	a->header = (struct span){ d->text.text, d->text.header_len };
	a->body = span_tail((struct span){ d->text.text, d->text.len },
	    d->text.header_len);
	a->message.flags = d->text.flags;
	a->message.arrived_ms = (uint64_t)d->now_ms;
	a->message.header_len = a->header.len;
	a->message.body_len = a->body.len;
	d->store.rows = d->rows;
	d->store.message = a;
	store_digest(d->queue->store, &d->store, committed, d);
}

static void
all_read(struct store_op *op, enum err e, void *arg)
{
	struct digest *d = arg;
	const struct settings *set = &d->queue->settings;

	d->rows = d->read.rows;
	d->read.rows = NULL;
	if (e != OK) {
		fail(d, "what was discarded cannot be read", AGAIN_MS);
		return;
	}
	if (d->rows->cnt == 0 || set->postmaster[0] == '\0') {
		rest(d);
		return;
	}
	strlcpy(d->address, set->postmaster, sizeof(d->address));
	d->to = span_of(d->address);
	d->now_ms = clock_wall_ms();
	e = addressee_find(&d->addressee, d->queue, d->to, d->now_ms);
	if (e == ERR_NONE)
		fail(d, "there is no route to the postmaster, who should be "
		    "told what was discarded", DIGEST_EVERY_MS);
	else if (e != OK || write_text(d) != OK)
		fail(d, "no memory for the digest of what was discarded",
		    AGAIN_MS);
	else
		keep(d);
}

static void
ring(struct timer *t, void *arg)
{
	struct digest *d = arg;

	d->state = DIGEST_IDLE;
	if (d->queue->is_draining)
		return;
	d->state = DIGEST_UNDER_WAY;
	d->read = (struct store_read_discards){
		.row_max = STORE_DISCARDS_MAX,
	};
	store_read_discards(d->queue->store, &d->read, all_read, d);
}

bool
digest_is_busy(const struct digest *d)
{
	return d != NULL && d->state == DIGEST_UNDER_WAY;
}

enum err
digest_open(struct digest **out, struct queue *q)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return ERR_SYS;
	d->queue = q;
	timer_init(&d->timer, q->loop, ring, d);
	*out = d;
	return OK;
}

void
digest_close(struct digest **dp)
{
	if (*dp == NULL)
		return;
	timer_stop(&(*dp)->timer);
	clear(*dp);
	free((*dp)->read.rows);
	free(*dp);
	*dp = NULL;
}
