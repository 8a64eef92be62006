/*
 * test_queue_claims - what a relay says of deliveries that are not its own, or
 * of recipients that are none, changes nothing for those whose they are.
 *
 * room: queue
 */
#include "bus/boot_inside.h"
#include "queue/plan/dispatch_inside.h"
#include "queue_play.h"

#define OTHER_NO	7	/* of the process that lies	*/
#define THEIR_ATTEMPT	77

struct claims {
	struct play	 play;		/* first: *state is both	*/
	struct boot	 boot;
	struct link	*other;
	bool		 other_gone;
	unsigned	 reported_cnt;	/* the other was told: settled	*/
};

static enum err
other_heard(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	((struct claims *)arg)->reported_cnt += type == MSG_delivery_settled;
	return OK;
}

static void
other_lost(struct link *l, enum err why, void *arg)
{
	struct claims *c = arg;

	c->other_gone = true;
	link_close(&c->other);
}

static void
link_life(struct claims *c, uint32_t start, const char *block,
    uint16_t worker, uint16_t workers)
{
	struct link_peer us = { .role = ROLE_QUEUE, .block = "main" };
	struct link_peer it = { .role = ROLE_RELAY, .no = OTHER_NO,
	    .start = start, .worker = worker, .workers = workers };
	int fds[2];

	link_close(&c->other);
	strlcpy(it.block, block, sizeof(it.block));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
	    0, fds), 0);
	from_relay_peer(&c->play.q, fds[0], &it);
	assert_int_equal(link_open(&c->other, c->play.kit.loop, fds[1],
	    ROLE_RELAY, &us, other_heard, other_lost, c), OK);
}

static void
link_other(struct claims *c, const char *block, uint16_t worker,
    uint16_t workers)
{
	link_life(c, 1, block, worker, workers);
}

static void
say_running(struct link *l, struct id id, uint64_t attempt)
{
	link_send_delivery_running(l, &(struct msg_delivery_running){
	    id, 0, attempt });
}

static void
say_result(struct link *l, struct id id, uint64_t attempt, uint32_t rcpt_no,
    enum outcome_class class)
{
	link_send_delivery_result(l, &(struct msg_delivery_result){
	    .id = id, .attempt = attempt, .rcpt_no = rcpt_no,
	    .class = class, .scope = SCOPE_RECIPIENT, .stage = STAGE_RCPT,
	    .code = class == CLASS_DONE ? 250 : 550,
	    .reply = SPAN("5.1.1 Words of the one that lies"),
	    .hop = SPAN("mx.example.net") });
}

static void
say_done(struct link *l, struct id id, uint64_t attempt, uint32_t cnt)
{
	link_send_delivery_done(l, &(struct msg_delivery_done){
	    id, 0, attempt, cnt, 0, 0 });
}

/* Claimed, failed for good, and listed, in one breath. */
static void
lie(struct claims *c)
{
	struct id id = c->play.id;

	say_running(c->other, id, THEIR_ATTEMPT);
	say_result(c->other, id, THEIR_ATTEMPT, 0, CLASS_NEVER);
	say_done(c->other, id, THEIR_ATTEMPT, 1);
	link_send_delivery_listed(c->other,
	    &(struct msg_delivery_listed){ 10 });
}

static void
queue_one(struct play *p)
{
	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
}

/* The relay whose it is gets it, hands it on, and nobody bounces anything. */
static void
it_goes_its_way(struct play *p)
{
	if (p->relay == NULL) {
		play_link_relay(p, 1);
		play_list_slots(p, 10);
	}
	kit_until(&p->kit, p->rcpt_cnt == 1);
	assert_string_equal(p->rcpt, "to@example.net");
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->q.message_cnt, 0);
	assert_int_equal(p->open_cnt, 1);
}

static void
another_relay_ends_nothing_that_waits(void **state)
{
	struct claims *c = *state;
	struct play *p = &c->play;

	queue_one(p);
	link_other(c, "evil", 0, 1);
	lie(c);
	kit_until(&p->kit, c->reported_cnt >= 1);
	it_goes_its_way(p);
	assert_false(c->other_gone);
}

static void
another_worker_of_the_same_relay_ends_nothing(void **state)
{
	struct claims *c = *state;
	struct play *p = &c->play;
	uint16_t owner;

	queue_one(p);
	owner = (uint16_t)lane_no("out", 5);
	link_other(c, "out", (owner + 1) % 5, 5);
	lie(c);
	kit_until(&p->kit, c->reported_cnt >= 1);
	/* Its house has five workers now; this is the one that is asked. */
	link_close(&c->other);
	dispatch_gone(&p->q, OTHER_NO);
	it_goes_its_way(p);
}

/* As after our own start: the row is not in memory when they speak. */
static void
forget_rows(struct claims *c)
{
	struct play *p = &c->play;

	play_stop_queue(p);
	play_start_queue(p);
	p->q.boot = &c->boot;
	play_link_edge(p);
}

static struct worker *
worker_of(struct play *p, uint32_t no)
{
	struct worker *w;

	LIST_FOREACH(w, &p->q.dispatch->workers, entry)
		if (w->peer.no == no)
			return w;
	fail_msg("no such worker");
	return NULL;
}

static void
claim_at_once(struct claims *c, uint32_t no, uint64_t attempt)
{
	struct play *p = &c->play;
	struct msg_delivery_running m = { p->id, 0, attempt };

	assert_int_equal(dispatch_running(worker_of(p, no), &m), OK);
}

static void
another_relay_ends_nothing_that_is_only_on_disk(void **state)
{
	struct claims *c = *state;
	struct play *p = &c->play;

	queue_one(p);
	forget_rows(c);
	link_other(c, "evil", 0, 1);
	claim_at_once(c, OTHER_NO, THEIR_ATTEMPT);
	assert_int_equal(due_find(p->q.due, p->id, 0)->state,
	    DELIVERY_ADOPTING);
	lie(c);
	kit_until(&p->kit, c->reported_cnt >= 1);
	it_goes_its_way(p);
}

static void
nor_by_its_deaths(void **state)
{
	struct claims *c = *state;
	struct play *p = &c->play;
	struct delivery *dl;

	queue_one(p);
	forget_rows(c);
	link_other(c, "evil", 0, 1);
	claim_at_once(c, OTHER_NO, THEIR_ATTEMPT);
	link_life(c, 2, "evil", 0, 1);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 1);
	dl = due_find(p->q.due, p->id, 0);
	assert_int_equal(dl->envelope->delivery.deaths, 0);
}

static void
whose_it_is_is_asked_again_where_another_spoke_first(void **state)
{
	struct claims *c = *state;
	struct play *p = &c->play;

	queue_one(p);
	forget_rows(c);
	link_other(c, "evil", 0, 1);
	play_link_relay(p, 1);
	claim_at_once(c, OTHER_NO, THEIR_ATTEMPT);
	claim_at_once(c, 2, 5);
	say_result(p->relay, p->id, 5, 0, CLASS_DONE);
	say_done(p->relay, p->id, 5, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->relay_gone);
	assert_int_equal(p->settled_cnt, 0);
	assert_false(c->other_gone);
	/* All of it once more, as any relay does on a new link. */
	play_link_relay(p, 1);
	say_running(p->relay, p->id, 5);
	say_result(p->relay, p->id, 5, 0, CLASS_DONE);
	say_done(p->relay, p->id, 5, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->q.message_cnt, 0);
	assert_int_equal(p->open_cnt, 0);
}

static void
a_relay_that_goes_on_speaking_of_others_is_cut_off(void **state)
{
	struct claims *c = *state;
	struct play *p = &c->play;

	queue_one(p);
	link_other(c, "evil", 0, 1);
	for (uint64_t i = 1; i < 20; i++)
		say_running(c->other, p->id, i);
	kit_until(&p->kit, c->other_gone);
	it_goes_its_way(p);
}

static void
begin_one(struct play *p)
{
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	queue_one(p);
	kit_until(&p->kit, p->open_cnt == 1);
}

static void
a_second_result_of_a_recipient_is_nonsense(void **state)
{
	struct play *p = *state;

	begin_one(p);
	say_result(p->relay, p->id, p->opened.attempt, 0, CLASS_DONE);
	say_result(p->relay, p->id, p->opened.attempt, 0, CLASS_NEVER);
	kit_until(&p->kit, p->relay_gone);
	assert_int_equal(p->q.message_cnt, 1);
}

static void
a_result_of_no_recipient_is_nonsense(void **state)
{
	struct play *p = *state;

	begin_one(p);
	say_result(p->relay, p->id, p->opened.attempt, 1, CLASS_DONE);
	kit_until(&p->kit, p->relay_gone);
	assert_int_equal(p->q.message_cnt, 1);
}

/* It was said before our start, and some recipients were struck by then. */
static void
what_was_adopted_may_know_recipients_that_are_no_more(void **state)
{
	struct claims *c = *state;
	struct play *p = &c->play;

	queue_one(p);
	forget_rows(c);
	play_link_relay(p, 1);
	say_running(p->relay, p->id, 5);
	say_result(p->relay, p->id, 5, 3, CLASS_NEVER);
	say_result(p->relay, p->id, 5, 0, CLASS_DONE);
	say_result(p->relay, p->id, 5, 0, CLASS_NEVER);
	say_done(p->relay, p->id, 5, 3);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->q.message_cnt, 0);
	assert_int_equal(p->open_cnt, 0);
	assert_false(p->relay_gone);
}

/* An older process of the place that is linked anew does not get it back. */
static void
new_mail_goes_to_the_latest_process_of_a_place(void **state)
{
	struct play *p = *state;
	struct link_peer old = { .role = ROLE_RELAY, .block = "out",
	    .no = 1, .start = 1, .workers = 1 };
	struct worker *latest;

	play_link_relay(p, 1);
	latest = worker_of(p, 2);
	assert_non_null(dispatch_worker(&p->q, &old));
	assert_ptr_equal(latest->lane->worker, latest);
	dispatch_gone(&p->q, 1);
	assert_ptr_equal(latest->lane->worker, latest);
}

static void
set_slots(struct play *p, uint32_t slots)
{
	struct settings *set = &p->q.settings;

	if (set->relays == NULL)
		assert_non_null(set->relays = calloc(1,
		    sizeof(*set->relays)));
	set->relay_cnt = 1;
	strcpy(set->relays[0].name, "out");
	set->relays[0].slots = slots;
}

static void
slots_are_believed_up_to_what_the_block_can_have(void **state)
{
	struct play *p = *state;

	set_slots(p, 3);
	play_link_relay(p, 1);
	play_list_slots(p, UINT32_MAX);
	for (uint64_t no = 1; no <= 6; no++)
		play_send_mail(p, no, "ann@example.org", "bob@example.net");
	kit_until(&p->kit, p->q.message_cnt == 6 && p->open_cnt == 3);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 3);
	/* A reload allows more; then the relay says it wants less. */
	set_slots(p, 5);
	dispatch_reload(p->q.dispatch);
	kit_until(&p->kit, p->open_cnt == 5);
	play_list_slots(p, 0);
	kit_until(&p->kit, worker_of(p, 2)->slots == 0);
}

/* Beyond it each has a short one; the results are the same. */
static void
the_bytes_of_results_of_a_worker_are_bounded(void **state)
{
	static char words[1000];
	struct play *p = *state;
	struct worker *w;
	const struct result *r;
	struct delivery *dl;

	memset(words, 'x', sizeof(words));
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "ann@example.org", "bob@example.net");
	kit_until(&p->kit, p->rcpt_cnt == 1);
	w = worker_of(p, 2);
	w->result_bytes += 64u << 20;
	link_send_delivery_result(p->relay, &(struct msg_delivery_result){
	    .id = p->opened.id, .delivery = p->opened.delivery,
	    .attempt = p->opened.attempt, .class = CLASS_NEVER,
	    .scope = SCOPE_RECIPIENT, .stage = STAGE_RCPT, .code = 550,
	    .reply = { words, sizeof(words) } });
	dl = due_find(p->q.due, p->opened.id, p->opened.delivery);
	kit_until(&p->kit, dl->result_cnt == 1);
	r = STAILQ_FIRST(&dl->results);
	assert_int_equal(r->code, 550);
	assert_int_equal(r->reply.len, 80);
	assert_int_equal(w->result_bytes, (64u << 20) + dl->result_bytes);
	say_done(p->relay, p->opened.id, p->opened.attempt, 1);
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(w->result_bytes, 64u << 20);
}

static int
set_up(void **state)
{
	struct claims *c = calloc(1, sizeof(*c));

	kit_dir(&c->play.kit, "/tmp");
	play_start_queue(&c->play);
	c->play.q.boot = &c->boot;
	play_link_edge(&c->play);
	*state = c;
	return 0;
}

static int
tear_down(void **state)
{
	link_close(&((struct claims *)*state)->other);
	return play_tear_down(state);
}

#define CLAIMS_TEST(t) \
	cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIMS_TEST(another_relay_ends_nothing_that_waits),
		CLAIMS_TEST(another_worker_of_the_same_relay_ends_nothing),
		CLAIMS_TEST(another_relay_ends_nothing_that_is_only_on_disk),
		CLAIMS_TEST(nor_by_its_deaths),
		CLAIMS_TEST(
		    whose_it_is_is_asked_again_where_another_spoke_first),
		CLAIMS_TEST(
		    a_relay_that_goes_on_speaking_of_others_is_cut_off),
		CLAIMS_TEST(a_second_result_of_a_recipient_is_nonsense),
		CLAIMS_TEST(a_result_of_no_recipient_is_nonsense),
		CLAIMS_TEST(
		    what_was_adopted_may_know_recipients_that_are_no_more),
		CLAIMS_TEST(new_mail_goes_to_the_latest_process_of_a_place),
		CLAIMS_TEST(slots_are_believed_up_to_what_the_block_can_have),
		CLAIMS_TEST(the_bytes_of_results_of_a_worker_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
