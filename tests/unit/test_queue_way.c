/*
 * test_queue_way - the whole queue between an edge and a relay that the test
 * plays, over real links: nothing is taken before it is on disk, nothing is
 * forgotten before it is settled.
 * room: queue
 */
#include <sys/socket.h>

#include "queue_kit.h"

#include "base/log.h"
#include "queue/dispatch.h"
#include "queue/from_edge.h"
#include "queue/from_relay.h"
#include "queue/intake.h"
#include "queue/outcome.h"

/* What the two played peers saw. */
struct stage_play {
	struct kit	 kit;
	struct queue	 q;
	struct link	*edge, *relay;
	bool		 edge_gone, relay_gone;
	unsigned	 grant_cnt, credit_cnt, taken_cnt, refused_cnt;
	unsigned	 open_cnt, rcpt_cnt, piece_cnt, settled_cnt;
	uint16_t	 refused_code;
	struct id	 id;			/* granted		*/
	struct msg_delivery_open opened;
	char		 sender[256], rcpt[256];
	char		 text[2 * PIECE_MAX];
	size_t		 text_len;
};

static enum err
edge_heard(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct stage_play *p = arg;

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
	}
	return OK;
}

static enum err
relay_heard(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct stage_play *p = arg;

	switch (type) {
	case MSG_delivery_open:
		p->opened = m->delivery_open;
		span_cstr(m->delivery_open.sender, p->sender,
		    sizeof(p->sender));
		p->open_cnt++;
		break;
	case MSG_delivery_rcpt:
		span_cstr(m->delivery_rcpt.rcpt, p->rcpt, sizeof(p->rcpt));
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

static void
edge_lost(struct link *l, enum err why, void *arg)
{
	((struct stage_play *)arg)->edge_gone = true;
	link_close(&((struct stage_play *)arg)->edge);
}

static void
relay_lost(struct link *l, enum err why, void *arg)
{
	((struct stage_play *)arg)->relay_gone = true;
	link_close(&((struct stage_play *)arg)->relay);
}

static void
space(bool full, const char *why, void *arg)
{
	struct queue *q = arg;

	q->is_full = full;
	intake_space(q->intake, full);
}

static void
start_queue(struct stage_play *p)
{
	static const struct store_calls store_calls = { space, kit_broken };
	static const struct due_calls due_calls = {
		dispatch_ready, dispatch_vanish
	};
	struct queue *q = &p->q;

	memset(q, 0, sizeof(*q));
	q->loop = p->kit.loop;
	strcpy(q->settings.relay, "out");
	strcpy(q->settings.hostname, "mx.example.org");
	q->settings.retry = (struct retry){
		.delay = "1", .delay_len = 1, .cap_ms = 1000,
		.lifetime_ms = 86400000, .maximum = 5,
	};
	assert_int_equal(store_open(&q->store, q->loop, p->kit.dir,
	    &p->kit.limits, &store_calls, q), OK);
	assert_int_equal(intake_open(&q->intake, q), OK);
	assert_int_equal(outcome_open(&q->outcomes, q), OK);
	assert_int_equal(dispatch_open(&q->dispatch, q), OK);
	assert_int_equal(due_open(&q->due, q->loop, q->store, &due_calls,
	    q->dispatch), OK);
	q->last_id = store_last_id(q->store);
	q->message_cnt = store_message_cnt(q->store);
	due_start(q->due);
}

static void
stop_queue(struct stage_play *p)
{
	link_close(&p->edge);
	link_close(&p->relay);
	intake_close(&p->q.intake);
	store_close(&p->q.store);
	due_close(&p->q.due);
	dispatch_close(&p->q.dispatch);
	outcome_close(&p->q.outcomes);
}

static void
link_edge(struct stage_play *p)
{
	struct link_peer us = { .role = ROLE_QUEUE, .block = "main" };
	struct link_peer edge = { .role = ROLE_EDGE, .block = "in", .no = 1 };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
	    0, fds), 0);
	from_edge_peer(&p->q, fds[0], &edge);
	assert_int_equal(link_open(&p->edge, p->kit.loop, fds[1], ROLE_EDGE,
	    &us, edge_heard, edge_lost, p), OK);
}

static void
link_relay(struct stage_play *p, uint32_t start)
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
	    &us, relay_heard, relay_lost, p), OK);
}

static void
list_slots(struct stage_play *p, uint32_t slots)
{
	link_send_delivery_listed(p->relay,
	    &(struct msg_delivery_listed){ slots });
}

static int
set_up(void **state)
{
	struct stage_play *p = calloc(1, sizeof(*p));

	kit_dir(&p->kit, "/tmp");
	start_queue(p);
	link_edge(p);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage_play *p = *state;

	stop_queue(p);
	kit_close(&p->kit);
	free(p);
	return 0;
}

static void
open_mail(struct stage_play *p, uint64_t stream, const char *sender,
    const char *rcpt)
{
	link_send_mail_open(p->edge, &(struct msg_mail_open){
	    .stream = stream, .sender = span_of(sender),
	    .tenant = SPAN("127.0.0.0/24"), .client = SPAN("127.0.0.1") });
	if (rcpt != NULL)
		link_send_mail_rcpt(p->edge, &(struct msg_mail_rcpt){ stream,
		    span_of(rcpt) });
}

static void
send_mail(struct stage_play *p, uint64_t stream, const char *sender,
    const char *rcpt)
{
	struct span header = SPAN("Subject: hello\r\n\r\n");
	struct span body = SPAN("How are you?\r\n");

	open_mail(p, stream, sender, rcpt);
	link_send_mail_body(p->edge, &(struct msg_mail_body){ stream }, body);
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){ stream, 0,
	    header.len, body.len }, header);
}

static void
pull(struct stage_play *p, enum part part)
{
	link_send_delivery_pull(p->relay, &(struct msg_delivery_pull){
	    p->opened.id, p->opened.delivery, p->opened.attempt, part, 0 });
}

static void
answer(struct stage_play *p, enum outcome_class class,
    enum outcome_scope scope, uint16_t code, const char *reply)
{
	struct msg_delivery_result r = {
		p->opened.id, p->opened.delivery, p->opened.attempt, 0,
		class, scope, STAGE_RCPT, code, span_of(reply),
		SPAN("mx.example.net"),
	};
	struct msg_delivery_done d = {
		p->opened.id, p->opened.delivery, p->opened.attempt, 1,
	};

	link_send_delivery_result(p->relay, &r);
	link_send_delivery_done(p->relay, &d);
}

static void
a_message_goes_all_the_way_and_leaves_nothing(void **state)
{
	struct stage_play *p = *state;

	send_mail(p, 7, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	assert_int_equal(p->q.message_cnt, 1);
	link_relay(p, 1);
	list_slots(p, 10);
	kit_until(&p->kit, p->rcpt_cnt == 1);
	assert_int_equal(id_cmp(p->opened.id, p->id), 0);
	assert_string_equal(p->rcpt, "to@example.net");
	assert_string_equal(p->sender, "from@example.org");
	pull(p, PART_HEADER);
	kit_until(&p->kit, p->piece_cnt == 1);
	pull(p, PART_BODY);
	kit_until(&p->kit, p->piece_cnt == 2);
	p->text[p->text_len] = '\0';
	assert_string_equal(p->text,
	    "Subject: hello\r\n\r\nHow are you?\r\n");
	answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->q.message_cnt, 0);
	assert_int_equal(p->open_cnt, 1);
}

static void
nothing_is_dispatched_before_the_list_or_beyond_the_slots(void **state)
{
	struct stage_play *p = *state;

	for (unsigned i = 0; i < 5; i++)
		send_mail(p, i, "a@example.org", "b@example.org");
	kit_until(&p->kit, p->taken_cnt == 5);
	link_relay(p, 1);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 0);
	list_slots(p, 2);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 2);
	answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->open_cnt == 3);
}

static void
a_permanent_failure_becomes_a_bounce_to_the_sender(void **state)
{
	struct stage_play *p = *state;

	link_relay(p, 1);
	list_slots(p, 10);
	send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->rcpt_cnt == 1);
	answer(p, CLASS_NEVER, SCOPE_RECIPIENT, 550, "5.1.1 No such user");
	kit_until(&p->kit, p->settled_cnt == 1 && p->rcpt_cnt == 2);
	assert_string_equal(p->rcpt, "from@example.org");
	assert_string_equal(p->sender, "");
	pull(p, PART_HEADER);
	kit_until(&p->kit, p->piece_cnt == 1);
	pull(p, PART_BODY);
	kit_until(&p->kit, p->piece_cnt == 2);
	p->text[p->text_len] = '\0';
	assert_non_null(strstr(p->text, "Status: 5.1.1\r\n"));
	assert_non_null(strstr(p->text, "Subject: hello\r\n"));
	/* A bounce that fails ends: nobody is told. */
	answer(p, CLASS_NEVER, SCOPE_RECIPIENT, 550, "5.1.1 No such user");
	kit_until(&p->kit, p->settled_cnt == 2);
	assert_int_equal(p->q.message_cnt, 0);
}

static void
a_temporary_failure_is_tried_again(void **state)
{
	struct stage_play *p = *state;
	uint64_t first;

	link_relay(p, 1);
	list_slots(p, 10);
	send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	first = p->opened.attempt;
	answer(p, CLASS_LATER, SCOPE_RECIPIENT, 451, "4.2.1 Greylisted");
	kit_until(&p->kit, p->settled_cnt == 1);
	kit_until(&p->kit, p->open_cnt == 2);
	assert_true(p->opened.attempt > first);
	answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 2);
	assert_int_equal(p->q.message_cnt, 0);
}

static void
after_three_deaths_of_its_relay_a_delivery_is_held(void **state)
{
	struct stage_play *p = *state;

	send_mail(p, 1, "from@example.org", "to@example.net");
	for (uint32_t start = 1; start <= 3; start++) {
		link_relay(p, start);
		list_slots(p, 10);
		kit_until(&p->kit, p->open_cnt == start);
	}
	link_relay(p, 4);
	list_slots(p, 10);
	for (int i = 0; i < 800; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 3);
	assert_int_equal(p->q.message_cnt, 1);
}

static void
a_new_link_to_the_same_relay_changes_nothing(void **state)
{
	struct stage_play *p = *state;

	link_relay(p, 1);
	list_slots(p, 10);
	send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	link_relay(p, 1);
	link_send_delivery_running(p->relay, &(struct msg_delivery_running){
	    p->opened.id, p->opened.delivery, p->opened.attempt });
	list_slots(p, 10);
	answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->q.message_cnt, 0);
	assert_int_equal(p->open_cnt, 1);
}

static void
a_delivery_lost_with_its_link_is_sent_again(void **state)
{
	struct stage_play *p = *state;

	link_relay(p, 1);
	list_slots(p, 10);
	send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	link_relay(p, 1);
	list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 2);
}

static void
after_our_restart_the_relay_keeps_what_it_runs(void **state)
{
	struct stage_play *p = *state;
	struct msg_delivery_open opened;

	link_relay(p, 1);
	list_slots(p, 10);
	send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1 && p->taken_cnt == 1);
	opened = p->opened;
	stop_queue(p);
	start_queue(p);
	assert_int_equal(p->q.message_cnt, 1);
	link_relay(p, 1);
	link_send_delivery_running(p->relay, &(struct msg_delivery_running){
	    opened.id, opened.delivery, opened.attempt });
	list_slots(p, 10);
	answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->q.message_cnt, 0);
	assert_int_equal(p->open_cnt, 1);
}

static void
a_result_nobody_asked_for_is_settled_and_changes_nothing(void **state)
{
	struct stage_play *p = *state;

	link_relay(p, 1);
	list_slots(p, 10);
	send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	p->opened.attempt++;
	answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 2);
	assert_int_equal(p->q.message_cnt, 1);
	assert_false(p->relay_gone);
}

/*
 * The queue died between its commit and its "settled": after the relink the
 * relay names what it still holds, and says its results at once.
 */
static void
results_for_a_message_that_is_gone_are_settled(void **state)
{
	struct stage_play *p = *state;

	link_relay(p, 1);
	memset(p->opened.id.b, 7, sizeof(p->opened.id.b));
	p->opened.attempt = 99;
	link_send_delivery_running(p->relay, &(struct msg_delivery_running){
	    p->opened.id, p->opened.delivery, p->opened.attempt });
	answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	list_slots(p, 10);
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->open_cnt, 0);
}

static void
a_relay_that_takes_no_more_is_given_no_more(void **state)
{
	struct stage_play *p = *state;

	link_relay(p, 1);
	list_slots(p, 10);
	list_slots(p, 0);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	send_mail(p, 1, "a@example.org", "b@example.org");
	kit_until(&p->kit, p->taken_cnt == 1);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 0);
	list_slots(p, 1);
	kit_until(&p->kit, p->open_cnt == 1);
}

static void
a_large_body_needs_credit_and_arrives_whole(void **state)
{
	struct stage_play *p = *state;
	static char piece[PIECE_MAX];
	struct span header = SPAN("A: b\r\n\r\n");

	memset(piece, 'x', sizeof(piece));
	open_mail(p, 1, "from@example.org", "to@example.net");
	for (unsigned i = 0; i < 6; i++) {
		kit_until(&p->kit, p->credit_cnt + STREAM_CREDIT > i);
		link_send_mail_body(p->edge, &(struct msg_mail_body){ 1 },
		    (struct span){ piece, i < 5 ? PIECE_MAX : 100 });
	}
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){ 1, 0,
	    header.len, 5 * PIECE_MAX + 100 }, header);
	kit_until(&p->kit, p->taken_cnt == 1);
	link_relay(p, 1);
	list_slots(p, 1);
	kit_until(&p->kit, p->open_cnt == 1);
	link_send_delivery_pull(p->relay, &(struct msg_delivery_pull){
	    p->opened.id, 0, p->opened.attempt, PART_BODY, 5 });
	kit_until(&p->kit, p->piece_cnt == 1);
	assert_int_equal(p->text_len, 100);
	answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
}

static void
an_abort_leaves_no_message(void **state)
{
	struct stage_play *p = *state;
	static char piece[PIECE_MAX];

	open_mail(p, 1, "from@example.org", "to@example.net");
	link_send_mail_body(p->edge, &(struct msg_mail_body){ 1 },
	    (struct span){ piece, PIECE_MAX });
	kit_until(&p->kit, p->credit_cnt == 1);
	link_send_mail_abort(p->edge, &(struct msg_mail_abort){ 1 });
	send_mail(p, 2, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	assert_int_equal(p->q.message_cnt, 1);
}

static void
a_full_queue_says_452(void **state)
{
	struct stage_play *p = *state;

	p->q.is_full = true;
	open_mail(p, 1, "from@example.org", NULL);
	kit_until(&p->kit, p->refused_cnt == 1);
	assert_int_equal(p->refused_code, 452);
	/* What was on its way when we refused is no offence. */
	link_send_mail_body(p->edge, &(struct msg_mail_body){ 1 },
	    SPAN("late"));
	p->q.is_full = false;
	send_mail(p, 2, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	assert_false(p->edge_gone);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_message_goes_all_the_way_and_leaves_nothing),
		TEST(nothing_is_dispatched_before_the_list_or_beyond_the_slots),
		TEST(a_permanent_failure_becomes_a_bounce_to_the_sender),
		TEST(a_temporary_failure_is_tried_again),
		TEST(after_three_deaths_of_its_relay_a_delivery_is_held),
		TEST(a_new_link_to_the_same_relay_changes_nothing),
		TEST(a_delivery_lost_with_its_link_is_sent_again),
		TEST(after_our_restart_the_relay_keeps_what_it_runs),
		TEST(a_result_nobody_asked_for_is_settled_and_changes_nothing),
		TEST(results_for_a_message_that_is_gone_are_settled),
		TEST(a_relay_that_takes_no_more_is_given_no_more),
		TEST(a_large_body_needs_credit_and_arrives_whole),
		TEST(an_abort_leaves_no_message),
		TEST(a_full_queue_says_452),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
