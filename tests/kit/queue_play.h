/*
 * queue_play - the whole queue between an edge and a relay that the test
 * plays, over real links.
 */
#ifndef TESTS_QUEUE_PLAY_H
#define TESTS_QUEUE_PLAY_H

#include <sys/socket.h>

#include "queue_kit.h"

#include "base/log.h"
#include "queue/control/control.h"
#include "queue/bounce/digest.h"
#include "queue/plan/dispatch.h"
#include "queue/control/edit.h"
#include "queue/control/errand.h"
#include "queue/from_control.h"
#include "queue/from_edge.h"
#include "queue/from_relay.h"
#include "queue/intake/intake.h"
#include "queue/plan/outcome.h"
#include "queue/route/reroute.h"
#include "queue/plan/suspend.h"
#include "queue/bounce/telling.h"

/* What the two played peers saw. */
struct play {
	struct kit	 kit;
	struct queue	 q;
	struct link	*edge, *relay;
	bool		 edge_gone, relay_gone;
	unsigned	 grant_cnt, credit_cnt, taken_cnt, refused_cnt;
	unsigned	 open_cnt, rcpt_cnt, piece_cnt, settled_cnt;
	uint16_t	 refused_code;
	unsigned	 judged_cnt;
	uint16_t	 judged_code;		/* of a recipient */
	unsigned	 state_cnt;
	bool		 said_full, said_asks;
	struct id	 id;			/* granted		*/
	struct msg_delivery_open opened;
	char		 sender[256], rcpt[256];
	char		 senders[512];		/* a blank behind each	*/
	uint32_t	 first_no;		/* said first of those	*/
	char		 asked[1200];		/* of reports, by RFC 3461 */
	char		 text[2 * PIECE_MAX];
	size_t		 text_len;
	const struct retry *retry;		/* of queues that are started
						 * from now on; NULL: usual */
};

static inline enum err
play_edge_heard(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct play *p = arg;

	switch (type) {
	case MSG_mail_grant:
		p->id = m->mail_grant.id;
		p->grant_cnt++;
		break;
	case MSG_mail_credit:
		p->credit_cnt += m->mail_credit.pieces;
		break;
	case MSG_mail_taken:
		p->taken_cnt++;
		break;
	case MSG_mail_refused:
		p->refused_cnt++;
		p->refused_code = m->mail_refused.code;
		break;
	case MSG_rcpt_answer:
		p->judged_code = m->rcpt_answer.code;
		p->judged_cnt++;
		break;
	case MSG_queue_state:
		p->said_full = m->queue_state.full;
		p->said_asks = m->queue_state.asks;
		p->state_cnt++;
		break;
	}
	return OK;
}

static inline enum err
play_relay_heard(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct play *p = arg;

	switch (type) {
	case MSG_delivery_open:
		p->opened = m->delivery_open;
		span_cstr(m->delivery_open.sender, p->sender,
		    sizeof(p->sender));
		snprintf(p->senders + strlen(p->senders),
		    sizeof(p->senders) - strlen(p->senders), "%s ", p->sender);
		snprintf(p->asked, sizeof(p->asked), "ret=%u envid=%.*s",
		    m->delivery_open.ret, (int)m->delivery_open.envid.len,
		    m->delivery_open.envid.ptr);
		p->open_cnt++;
		p->first_no = UINT32_MAX;
		break;
	case MSG_delivery_rcpt:
		if (p->first_no == UINT32_MAX)
			p->first_no = m->delivery_rcpt.rcpt_no;
		span_cstr(m->delivery_rcpt.rcpt, p->rcpt, sizeof(p->rcpt));
		snprintf(p->asked + strlen(p->asked),
		    sizeof(p->asked) - strlen(p->asked), " %x:%.*s",
		    m->delivery_rcpt.notify, (int)m->delivery_rcpt.orcpt.len,
		    m->delivery_rcpt.orcpt.ptr);
		p->rcpt_cnt++;
		break;
	case MSG_delivery_piece:
		assert_true(piece.len <= sizeof(p->text) - p->text_len);
		memcpy(p->text + p->text_len, piece.ptr, piece.len);
		p->text_len += piece.len;
		p->piece_cnt++;
		break;
	case MSG_delivery_settled:
		p->settled_cnt++;
		break;
	}
	return OK;
}

static inline void
play_edge_lost(struct link *l, enum err why, void *arg)
{
	((struct play *)arg)->edge_gone = true;
	link_close(&((struct play *)arg)->edge);
}

static inline void
play_relay_lost(struct link *l, enum err why, void *arg)
{
	struct play *p = arg;

	p->relay_gone = true;
	if (l == p->relay)
		link_close(&p->relay);
}

static inline void
play_space(enum queue_full full, const char *why, void *arg)
{
	struct queue *q = &((struct play *)arg)->q;

	q->full = full;
	intake_tell(q->intake);
}

static inline void
play_ready(const struct store_ready *r, void *arg)
{
	struct queue *q = &((struct play *)arg)->q;

	queue_ready(q, r);
	telling_start(q->reports);
}

static inline void
play_owned(unsigned shard, void *arg)
{
	struct play *p = arg;

	queue_owned(&p->q, shard);
	p->kit.is_ready = true;
}

static inline void
play_held(uint64_t message_cnt, void *arg)
{
	queue_held(message_cnt, &((struct play *)arg)->q);
}

static inline void
play_rows(const struct store_flow *flow, const struct store_place *place,
    void *arg)
{
	queue_rows(flow, place, &((struct play *)arg)->q);
}

static inline void
play_disowned(unsigned shard, void *arg)
{
	queue_disowned(shard, &((struct play *)arg)->q);
}

/* All goes to the relay "out", as itself. */
static inline void
play_plain_routes(struct settings *s)
{
	assert_int_equal(route_new(&s->routes), OK);
	assert_int_equal(route_add_relay(s->routes, SPAN("out"),
	    ROUTE_OUT), OK);
	assert_int_equal(route_set_last(s->routes, SPAN("out")), OK);
}

static inline void
play_start_queue(struct play *p)
{
	static const struct store_calls store_calls = {
		.space = play_space, .broken = kit_broken, .ready = play_ready,
		.held = play_held, .rows = play_rows, .owned = play_owned,
		.disowned = play_disowned,
	};
	static const struct due_calls due_calls = {
		dispatch_ready, dispatch_vanish, dispatch_is_strange
	};
	struct queue *q = &p->q;

	memset(q, 0, sizeof(*q));
	q->loop = p->kit.loop;
	play_plain_routes(&q->settings);
	strcpy(q->settings.hostname, "mx.example.org");
	strcpy(q->settings.home, "mx.example.org");
	q->settings.retry = (struct retry){
		.delay = "1", .delay_len = 1, .cap_ms = 1000,
		.lifetime_ms = 86400000, .maximum = 5,
	};
	if (p->retry != NULL)
		q->settings.retry = *p->retry;
	q->settings.bounce_retry = q->settings.retry;
	assert_int_equal(store_open(&q->store, &(struct store_start){
	    .engine = store_engine_find(span_of(kit_engine)), .loop = q->loop,
	    .dir = p->kit.dir, .limits = &p->kit.limits,
	    .calls = &store_calls, .arg = p }), OK);
	assert_int_equal(intake_open(&q->intake, q), OK);
	assert_int_equal(outcome_open(&q->outcomes, q), OK);
	assert_int_equal(telling_open(&q->reports, q), OK);
	assert_int_equal(digest_open(&q->digest, q), OK);
	assert_int_equal(edit_open(&q->edits, q), OK);
	assert_int_equal(reroute_open(&q->reroutes, q), OK);
	assert_int_equal(dispatch_open(&q->dispatch, q), OK);
	assert_int_equal(due_open(&q->due, q->loop, q->store, &due_calls,
	    q->dispatch), OK);
	if (p->retry != NULL)
		due_set_longest(q->due, retry_longest_ms(p->retry));
	p->kit.is_ready = false;
	kit_until(&p->kit, p->kit.is_ready);
}

static inline void
play_stop_queue(struct play *p)
{
	link_close(&p->edge);
	link_close(&p->relay);
	intake_close(&p->q.intake);
	control_close(&p->q);
	store_close(&p->q.store);
	due_close(&p->q.due);
	dispatch_close(&p->q.dispatch);
	outcome_close(&p->q.outcomes);
	telling_close(&p->q.reports);
	digest_close(&p->q.digest);
	edit_close(&p->q.edits);
	reroute_close(&p->q.reroutes);
	errand_close(&p->q);
	suspend_close(&p->q);
	settings_fini(&p->q.settings);
	able_fini(&p->q.able);
}

static inline void
play_link_edge_as(struct play *p, enum role role, const char *block)
{
	struct link_peer us = { .role = ROLE_QUEUE, .block = "main" };
	struct link_peer edge = { .role = role, .no = 1 };
	int fds[2];

	(void)strlcpy(edge.block, block, sizeof(edge.block));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
	    0, fds), 0);
	from_edge_peer(&p->q, fds[0], &edge);
	assert_int_equal(link_open(&p->edge, p->kit.loop, fds[1], role,
	    &us, play_edge_heard, play_edge_lost, p), OK);
}

static inline void
play_link_edge(struct play *p)
{
	play_link_edge_as(p, ROLE_EDGE, "in");
}

static inline void
play_link_relay(struct play *p, uint32_t start)
{
	struct link_peer us = { .role = ROLE_QUEUE, .block = "main" };
	struct link_peer relay = { .role = ROLE_RELAY, .block = "out",
	    .no = 2, .start = start, .workers = 1 };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
	    0, fds), 0);
	link_close(&p->relay);
	from_relay_peer(&p->q, fds[0], &relay);
	assert_int_equal(link_open(&p->relay, p->kit.loop, fds[1], ROLE_RELAY,
	    &us, play_relay_heard, play_relay_lost, p), OK);
}

static inline void
play_list_slots(struct play *p, uint32_t slots)
{
	link_send_delivery_listed(p->relay,
	    &(struct msg_delivery_listed){ slots });
}

/*
 * What is deferred is not due again within a test.  The wait is by chance, and
 * of an hour it is a second or two in some runs.
 */
static inline void
play_wait_for_years(struct play *p)
{
	p->q.settings.retry.delay_len = 0;	/* only the cap counts */
	p->q.settings.retry.cap_ms = INT64_C(10000000000000);
}

static inline int
play_set_up(void **state)
{
	struct play *p = calloc(1, sizeof(*p));

	kit_dir(&p->kit, "/tmp");
	play_start_queue(p);
	play_link_edge(p);
	*state = p;
	return 0;
}

static inline int
play_tear_down(void **state)
{
	struct play *p = *state;
	int64_t end = clock_mono_ms() + KIT_PATIENCE_MS;

	/* What the store still has would not come back, and leak. */
	while (p->q.outcomes != NULL && p->q.intake != NULL &&
	    (outcome_is_busy(p->q.outcomes) || telling_is_busy(p->q.reports) ||
	    digest_is_busy(p->q.digest) ||
	    intake_is_busy(p->q.intake)) && clock_mono_ms() < end)
		kit_turn(&p->kit);
	play_stop_queue(p);
	kit_close(&p->kit);
	free(p);
	return 0;
}

/* A test with a queue of its own. */
#define PLAY_TEST(t) \
	cmocka_unit_test_setup_teardown(t, play_set_up, play_tear_down)

/* So many deaths, on disk and in memory, of a delivery that is under way. */
static inline void
play_age_in_deaths(struct play *p, struct delivery *dl, uint32_t deaths)
{
	struct store_settle s = {
		.id = dl->place.id, .no = dl->place.no,
		.due_ms = dl->place.due_ms, .deaths = deaths,
		.attempts = dl->envelope->delivery.attempts,
	};
	unsigned before = p->kit.back_cnt;

	store_settle(p->q.store, &s, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	assert_int_equal(p->kit.last, OK);
	dl->envelope->delivery.deaths = deaths;
}

static inline void
play_open_mail(struct play *p, uint64_t stream, const char *sender,
    const char *rcpt)
{
	link_send_mail_open(p->edge, &(struct msg_mail_open){
	    .stream = stream, .sender = span_of(sender),
	    .tenant = SPAN("127.0.0.0/24"), .client = SPAN("127.0.0.1") });
	if (rcpt != NULL)
		link_send_mail_rcpt(p->edge, &(struct msg_mail_rcpt){
		    .stream = stream, .rcpt = span_of(rcpt) });
}

static inline void
play_send_mail(struct play *p, uint64_t stream, const char *sender,
    const char *rcpt)
{
	struct span header = SPAN("Subject: hello\r\n\r\n");
	struct span body = SPAN("How are you?\r\n");

	play_open_mail(p, stream, sender, rcpt);
	link_send_mail_body(p->edge, &(struct msg_mail_body){ stream }, body);
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){
	    .stream = stream, .flags = 0,
	    .header_len = header.len, .body_len = body.len }, header);
}

static inline void
play_pull(struct play *p, enum part part)
{
	link_send_delivery_pull(p->relay, &(struct msg_delivery_pull){
	    p->opened.id, p->opened.delivery, p->opened.attempt, part, 0 });
}

static inline void
play_answer(struct play *p, enum outcome_class class,
    enum outcome_scope scope, uint16_t code, const char *reply)
{
	struct msg_delivery_result r = {
		.id = p->opened.id, .delivery = p->opened.delivery,
		.attempt = p->opened.attempt, .class = class, .scope = scope,
		.stage = STAGE_RCPT, .code = code, .reply = span_of(reply),
		.hop = SPAN("mx.example.net"),
	};
	struct msg_delivery_done d = {
		p->opened.id, p->opened.delivery, p->opened.attempt, 1, 0, 0,
	};

	link_send_delivery_result(p->relay, &r);
	link_send_delivery_done(p->relay, &d);
}

#endif
