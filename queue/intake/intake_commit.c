/*
 * intake_commit.c - the end of a stream: its recipients are split, the store
 * takes it, and the edge hears so.
 */
#include <stdlib.h>

#include "base/log.h"
#include "queue/bounce/telling.h"
#include "queue/intake/intake_inside.h"
#include "queue/to_edge.h"
#include "sys/clock.h"
#include "sys/counters.h"

/* Their numbers are behind those of the recipients that are left. */
static void
put_reports(struct stream *s)
{
	for (uint32_t i = 0; i < s->report_cnt; i++)
		s->reports[i].rcpt_no = s->accept.message.rcpt_cnt + i;
	s->accept.reports = s->reports;
	s->accept.report_cnt = s->report_cnt;
}

static void
log_queued(const struct stream *s)
{
	const struct record_message *m = &s->accept.message;
	struct log_line l;

	log_begin(&l, LOG_queued);
	if (s->accept.session != 0)
		log_hex(&l, LOG_KEY_session, s->accept.session);
	log_id(&l, LOG_KEY_id, s->mail.id);
	log_str(&l, LOG_KEY_from, m->sender);
	if (s->accept.message_id.len > 0)
		log_str(&l, LOG_KEY_message_id, s->accept.message_id);
	log_num(&l, LOG_KEY_size, (int64_t)(m->header_len + m->body_len));
	log_num(&l, LOG_KEY_rcpts, m->rcpt_cnt);
	log_str(&l, LOG_KEY_client, m->client);
	if (m->helo.len > 0)
		log_str(&l, LOG_KEY_helo, m->helo);
	if ((m->flags & MAIL_LOGIN) != 0)
		log_str(&l, LOG_KEY_user, m->tenant);
	if (s->accept.tls.len > 0)
		log_str(&l, LOG_KEY_tls, s->accept.tls);
	log_str(&l, LOG_KEY_edge, m->edge);
	log_end(&l);
}

static void
log_discarded(const struct stream *s, struct span rcpt)
{
	struct log_line l;

	log_begin(&l, LOG_discarded);
	log_id(&l, LOG_KEY_id, s->mail.id);
	log_str(&l, LOG_KEY_from, s->accept.message.sender);
	log_str(&l, LOG_KEY_rcpt, rcpt);
	log_text(&l, LOG_KEY_why, "a route discards it");
	log_end(&l);
}

static void
kept(struct stream *s)
{
	struct queue *q = s->queue;

	once_kept(&q->intake->once, s->accept.message.edge, s->once);
	if (s->edge != NULL)
		to_edge_taken(s->edge->link, s->no);
	log_queued(s);
	queue_accepted(q, &s->accept);
	if (s->report_cnt > 0)
		telling_note(q->reports, s->mail.id, s->report_cnt, false);
	stream_detach(s);
	stream_free(s);
}

static void
log_undone(const struct stream *s)
{
	struct log_line l;

	log_begin(&l, LOG_removed);
	log_id(&l, LOG_KEY_id, s->mail.id);
	log_text(&l, LOG_KEY_why, "its client was told to try again, for the "
	    "store answered too late");
	log_end(&l);
}

static void
undone(struct store_op *op, enum err e, void *arg)
{
	struct stream *s = arg;
	struct queue *q = s->queue;

	q->intake->busy_cnt--;
	free(s->undo.rows);
	if (e != OK) {			/* it comes twice, and is not lost */
		kept(s);
	} else {
		once_forget(&q->intake->once, s->accept.message.edge,
		    s->once);
		log_undone(s);
		stream_free(s);
	}
	queue_rested(q);
}

/* Its client has heard 451, and sends it again: twice is once too often. */
static void
undo(struct stream *s)
{
	s->undo = (struct store_edit){ .id = s->mail.id,
	    .action = EDIT_REMOVE, .now_ms = clock_wall_ms() };
	s->queue->intake->busy_cnt++;
	store_edit(s->queue->store, &s->undo, undone, s);
}

static void
accepted(struct store_op *op, enum err e, void *arg)
{
	struct stream *s = arg;
	struct queue *q = s->queue;

	q->intake->busy_cnt--;
	stream_answered(s);
	if (e != OK)
		once_forget(&q->intake->once, s->accept.message.edge,
		    s->once);
	if (e != OK)
		stream_refuse_room(s, e == ERR_FULL);
	else if (s->is_given_up)
		undo(s);
	else
		kept(s);
	queue_rested(q);
}

static void
drop_rcpt(struct stream *s, struct span address)
{
	struct stream_rcpt *r = stream_rcpt_of(address);

	RB_REMOVE(rcpt_tree, &s->known_rcpts, r);
	free(r);
}

/*
 * Whom a route discards is told of, and is no recipient any more: what is said
 * of one stands at the same place in each of the arrays.
 */
static void
drop_discarded(struct stream *s)
{
	uint32_t cnt = s->accept.message.rcpt_cnt, kept = 0;

	for (uint32_t i = 0; i < cnt; i++) {
		if (s->split.rcpt_delivery[i] == SPLIT_NOBODY) {
			log_discarded(s, s->rcpts[i]);
			drop_rcpt(s, s->rcpts[i]);
			continue;
		}
		s->rcpts[kept] = s->rcpts[i];
		if (s->rcpt_dsn != NULL)
			s->rcpt_dsn[kept] = s->rcpt_dsn[i];
		s->split.rcpt_delivery[kept++] = s->split.rcpt_delivery[i];
	}
	s->accept.message.rcpt_cnt = kept;
	counter_add(COUNTER_discarded, cnt - kept);
}

/* Nobody is left, or it is kept: it is answered, and nothing is to be done. */
static void
take_for_nobody(struct stream *s)
{
	if (s->edge != NULL)
		to_edge_taken(s->edge->link, s->no);
	stream_end(s);
}

struct route_ask
stream_who(const struct stream *s)
{
	const struct record_message *m = &s->accept.message;
	struct route_ask who = { .sender = m->sender };

	if ((m->flags & MAIL_LOGIN) != 0)
		who.login = m->tenant;
	return who;
}

/* What was found before routes changed counts for nothing. */
static enum err
split(struct stream *s, int64_t now_ms)
{
	const struct record_message *m = &s->accept.message;
	struct route_ask who = stream_who(s);

	for (uint32_t i = 0; i < m->rcpt_cnt; i++)
		if (s->rcpt_route[i].turn != s->queue->routes_turn)
			s->rcpt_route[i].is_known = false;
	return split_make(&s->split, &s->queue->settings, &who, s->rcpts,
	    s->rcpt_route, m->rcpt_cnt, m->tenant, now_ms);
}

static void
commit(struct stream *s)
{
	enum once_state once = once_state(&s->queue->intake->once,
	    s->accept.message.edge, s->once);
	struct store_accept *a = &s->accept;
	int64_t now_ms = clock_wall_ms();
	enum err e;

	if (s->said_cnt == 0) {
		stream_refuse(s, 554, "5.5.1", "No valid recipients");
		return;
	}
	if (once == ONCE_COMMITTING) {
		stream_refuse(s, 451, "4.3.0", "It is being taken already");
		return;
	}
	if (once == ONCE_KEPT || a->message.rcpt_cnt == 0) {
		take_for_nobody(s);
		return;
	}
	if ((e = split(s, now_ms)) != OK) {
		/* Asked again, each recipient hears what is wrong with it. */
		stream_refuse(s, 451, "4.3.0", e == ERR_NONE ?
		    "A recipient has no route any more" : "Out of memory");
		return;
	}
	if (s->split.discarded_cnt > 0)
		drop_discarded(s);
	if (s->split.delivery_cnt == 0) {
		take_for_nobody(s);
		return;
	}
	s->state = STREAM_COMMITTING;
	a->mail = &s->mail;
	a->rcpts = s->rcpts;
	a->rcpt_dsn = s->rcpt_dsn;
	a->rcpt_delivery = s->split.rcpt_delivery;
	a->deliveries = s->split.deliveries;
	a->message.arrived_ms = (uint64_t)now_ms;
	a->message.delivery_cnt = s->split.delivery_cnt;
	a->message.header_len = s->len[PART_HEADER];
	a->message.body_len = s->len[PART_BODY];
	a->header = (struct span){ s->tail[PART_HEADER],
	    s->tail_len[PART_HEADER] };
	a->body = (struct span){ s->tail[PART_BODY], s->tail_len[PART_BODY] };
	a->header_piece_no = s->pieces[PART_HEADER];
	a->body_piece_no = s->pieces[PART_BODY];
	put_reports(s);
	s->queue->intake->busy_cnt++;
	stream_handed(s);
	once_begin(&s->queue->intake->once, a->message.edge, s->once);
	store_accept(s->queue->store, a, accepted, s);
}

void
stream_complete(struct stream *s)
{
	s->state = STREAM_EXPANDING;
	if (LIST_EMPTY(&s->arrivals))
		commit(s);
}
