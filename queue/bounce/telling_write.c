/*
 * telling_write.c - one report: its rows are read, then what is given back of
 * the message; the bounce is written, and one transaction keeps it and takes
 * the rows away.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/bounce/digest.h"
#include "queue/bounce/telling_inside.h"
#include "sys/clock.h"
#include "sys/counters.h"

#define RET_FULL	1	/* RFC 3461: RET=FULL, as it is on disk	*/

static void read_text(struct report_job *, enum part);

/* The job is over; its task hears how. */
static void
end_job(struct report_job *j, enum err e)
{
	struct reports *rs = j->reports;
	struct report_task *t = j->task;
	report_done_fn *done = j->done;
	bool has_more = j->store.has_more;

	free(j->rows);
	free(j->text[PART_HEADER]);
	free(j->text[PART_BODY]);
	free(j->rcpts);
	free(j->bounce.text);
	free(j->discards);
	addressee_fini(&j->addressee);
	free(j);
	done(rs, t, e, has_more);
}

/* Nobody is told of these recipients. */
static void
log_discarded(const struct report_job *j, uint32_t cnt, const char *why)
{
	struct log_line l;

	log_begin(&l, LOG_discarded);
	log_id(&l, LOG_KEY_id, j->store.id);
	log_num(&l, LOG_KEY_count, cnt);
	log_text(&l, LOG_KEY_why, why);
	log_end(&l);
	counter_add(COUNTER_untold, cnt);
	digest_note(j->reports->queue->digest);
}

static void
log_reported(const struct report_job *j)
{
	struct log_line l;

	if (j->store.bounce != NULL) {
		log_begin(&l, LOG_bounced);
		log_id(&l, LOG_KEY_id, j->mail.id);
		log_id(&l, LOG_KEY_of, j->store.id);
		log_str(&l, LOG_KEY_rcpt, j->to);
		log_num(&l, LOG_KEY_count, j->rows->cnt);
		log_end(&l);
	} else if (j->why_none != NULL) {
		log_discarded(j, j->rows->cnt, j->why_none);
	}
	if (j->store.removed) {
		log_begin(&l, LOG_removed);
		log_id(&l, LOG_KEY_id, j->store.id);
		log_end(&l);
	}
}

static void
committed(struct store_op *op, enum err e, void *arg)
{
	struct report_job *j = arg;
	struct queue *q = j->reports->queue;

	if (e == ERR_NONE && j->store.lost_cnt > 0) {
		log_discarded(j, j->store.lost_cnt, "its message was lost by "
		    "damage, and its sender with it");
	} else if (e == OK) {
		log_reported(j);
		if (j->store.removed)
			counter_add(COUNTER_removed, 1);
		if (j->store.bounce != NULL) {
			counter_add(COUNTER_bounced, 1);
			queue_accepted(q, &j->accept);
		}
	}
	end_job(j, e);
}

static void
commit(struct report_job *j)
{
	j->store.now_ms = clock_wall_ms();
	j->store.rows = j->rows;
	store_report(j->reports->queue->store, &j->store, committed, j);
}

static struct bounce_rcpt
rcpt_of(const struct report_row *row)
{
	const struct record_report *r = &row->rec;

	return (struct bounce_rcpt){
		.action = r->action >= REPORT__COUNT ||
		    r->action == REPORT_NONE ? REPORT_FAILED : r->action,
		.address = r->address, .orcpt = r->orcpt, .reply = r->reply,
		.hop = r->hop, .code = r->code,
		.is_lost = row->is_lost || (r->flags & RECORD_UNREAD) != 0,
		.is_theirs = r->flags & RECORD_THEIRS,
		.is_late = r->flags & RECORD_LATE,
		.tried_ms = (int64_t)r->tried_ms,
		.until_ms = (int64_t)r->until_ms,
	};
}

static enum err
write_bounce(struct report_job *j)
{
	struct queue *q = j->reports->queue;
	const struct record_message *m = &j->rows->message;
	struct bounce b = {
		.of = j->store.id, .now_ms = j->now_ms,
		.arrived_ms = (int64_t)m->arrived_ms,
		.hostname = span_of(q->settings.hostname),
		.home = span_of(q->settings.home), .to = m->sender,
		.envid = m->envid, .is_utf8 = m->flags & MAIL_SMTPUTF8,
		.header = { j->text[PART_HEADER], j->len[PART_HEADER] },
		.body = { j->text[PART_BODY], j->len[PART_BODY] },
		.has_body = j->is_whole, .rcpt_cnt = j->rows->cnt,
		.notice = q->settings.notice_text != NULL ?
		    &q->settings.notice : NULL,
	};
	enum err e;

	j->rcpts = calloc(j->rows->cnt, sizeof(*j->rcpts));
	if (j->rcpts == NULL)
		return ERR_SYS;
	for (uint32_t i = 0; i < j->rows->cnt; i++)
		j->rcpts[i] = rcpt_of(&j->rows->rows[i]);
	b.rcpts = j->rcpts;
	b.id = j->mail.id = queue_mint(q);
	if ((e = bounce_write(&j->bounce, &b)) != OK)
		return e;
	j->to = m->sender;
	return OK;
}

/* The report is a message like any other, but that it has no sender. */
static void
add_bounce(struct report_job *j)
{
	struct store_accept *a = &j->accept;

	a->mail = &j->mail;
	addressee_put(&j->addressee, a);
	a->header = (struct span){ j->bounce.text, j->bounce.header_len };
	a->body = span_tail((struct span){ j->bounce.text, j->bounce.len },
	    j->bounce.header_len);
	a->message.flags = j->bounce.flags;
	a->message.arrived_ms = (uint64_t)j->now_ms;
	a->message.header_len = a->header.len;
	a->message.body_len = a->body.len;
	j->store.bounce = a;
}

/* Nobody can be told: each row is for the postmaster. */
static enum err
discard(struct report_job *j, const char *why)
{
	j->why_none = why;
	j->discards = calloc(j->rows->cnt, sizeof(*j->discards));
	if (j->discards == NULL)
		return ERR_SYS;
	for (uint32_t i = 0; i < j->rows->cnt; i++)
		j->discards[i] = (struct store_discard){
			.rcpt_no = j->rows->rows[i].no,
			.rec = {
				.code = j->rows->rows[i].rec.code,
				.sender = j->rows->message.sender,
				.address = j->rows->rows[i].rec.address,
				.why = span_of(why),
				.reply = j->rows->rows[i].rec.reply,
			},
		};
	j->store.discards = j->discards;
	j->store.discard_cnt = j->rows->cnt;
	return OK;
}

/* Find the way for the report and write it. */
static void
make_bounce(struct report_job *j)
{
	struct span to = j->rows->message.sender;
	enum err e;

	j->now_ms = clock_wall_ms();
	e = addressee_find(&j->addressee, j->reports->queue, to, j->now_ms);
	if (e == ERR_NONE)
		e = discard(j, j->addressee.why_none);
	else if (e == OK && (e = write_bounce(j)) == OK)
		add_bounce(j);
	if (e != OK)
		end_job(j, ERR_SYS);
	else
		commit(j);
}

/* Bytes of this part that are wanted: a header alone is cut after a piece. */
static size_t
wanted(const struct report_job *j, enum part part)
{
	const struct record_message *m = &j->rows->message;

	if (part == PART_BODY)
		return j->is_whole ? m->body_len : 0;
	return j->is_whole || m->header_len < PIECE_MAX ? m->header_len :
	    PIECE_MAX;
}

/* This part is over: what is missing of it is not given back. */
static void
part_read(struct report_job *j, enum part part)
{
	if (j->len[part] < wanted(j, part))
		j->is_whole = false;
	if (part == PART_HEADER && j->is_whole && wanted(j, PART_BODY) > 0)
		read_text(j, PART_BODY);
	else
		make_bounce(j);
}

static void
piece_read(struct store_op *op, enum err e, void *arg)
{
	struct report_job *j = arg;
	struct store_read_piece *p = &j->piece;
	size_t want = wanted(j, p->part), len = j->len[p->part];
	bool fits = e == OK && p->len > 0 && p->len <= want - len;

	if (fits)
		memcpy(j->text[p->part] + len, p->text, p->len);
	free(p->text);
	p->text = NULL;
	if (!fits) {
		part_read(j, p->part);
		return;
	}
	j->len[p->part] += p->len;
	p->piece_no++;
	if (j->len[p->part] == want)
		part_read(j, p->part);
	else
		store_read_piece(j->reports->queue->store, p, piece_read, j);
}

/* Without its header (damaged, or no memory) it is sent all the same. */
static void
read_text(struct report_job *j, enum part part)
{
	size_t want = wanted(j, part);

	if (want == 0 || (j->text[part] = malloc(want)) == NULL) {
		part_read(j, part);
		return;
	}
	j->piece = (struct store_read_piece){
		.id = j->store.id, .part = part,
	};
	store_read_piece(j->reports->queue->store, &j->piece, piece_read, j);
}

static bool
wants_whole(const struct report_rows *rows)
{
	const struct record_message *m = &rows->message;

	/* A bounce goes by DATA, where binary octets may not be. */
	if (m->ret != RET_FULL || m->body == BODY_BINARYMIME ||
	    m->header_len > BOUNCE_RETURN_MAX ||
	    m->body_len > BOUNCE_RETURN_MAX - m->header_len)
		return false;
	for (uint32_t i = 0; i < rows->cnt; i++)
		if (rows->rows[i].rec.action == REPORT_FAILED)
			return true;
	return false;
}

/*
 * Only what one and the same is to be told, the sender or the owner of a list;
 * the rest has its turn afterwards.
 */
static void
keep_one_sender(struct report_rows *rows)
{
	struct span owner = rows->rows[0].rec.owner;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < rows->cnt; i++)
		if (span_eq(rows->rows[i].rec.owner, owner))
			rows->rows[kept++] = rows->rows[i];
	rows->cnt = kept;
	if (owner.len == 0)
		return;
	rows->message.sender = owner;
	rows->message.envid = SPAN("");
	rows->message.ret = 0;
}

static void
rows_read(struct store_op *op, enum err e, void *arg)
{
	struct report_job *j = arg;

	j->rows = j->read.rows;
	if (e == ERR_NONE || (e == OK && j->rows->cnt == 0)) {
		commit(j);		/* only to tidy up		*/
	} else if (e == ERR_PEER) {
		log_why(LOG_trouble,
		    "a report waits: its message is damaged", 0);
		end_job(j, OK);
	} else if (e != OK) {
		end_job(j, e);
	} else {
		keep_one_sender(j->rows);
		j->is_whole = wants_whole(j->rows);
		read_text(j, PART_HEADER);
	}
}

void
report_job_start(struct reports *rs, struct report_task *t,
    report_done_fn *done)
{
	struct report_job *j = calloc(1, sizeof(*j));

	if (j == NULL) {
		done(rs, t, ERR_SYS, false);
		return;
	}
	j->reports = rs;
	j->task = t;
	j->done = done;
	j->store.id = t->id;
	j->read.id = t->id;
	store_read_report(rs->queue->store, &j->read, rows_read, j);
}
