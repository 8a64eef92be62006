/*
 * What a relay says to a queue, and what it bears from one: the test is the
 * queue, and the relay of the type that the test needs.
 *
 * room: relay
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "bus/boot.h"
#include "relay/from_queue.h"
#include "relay/worker.h"

#define SLOTS	7

struct bench {
	struct ev_loop	*loop;
	struct worker	 work;
	struct link	*link;		/* the queue's end		*/
	struct timer	 pause;
	char		 heard[4096];	/* what the relay said		*/
	struct delivery	*taken;		/* the last one taken		*/
	unsigned	 taken_cnt, lost_cnt, done_cnt;
	bool		 is_instant;	/* finish what is taken at once	*/
	bool		 wants_text;	/* prefetch			*/
	struct delivery	*partner;	/* ends with whatever ends	*/
	enum err	 gone;		/* of the queue's end		*/
};

static struct bench *bench;

/* In place of the real one: no master here. */

static struct link_peer self = { .role = ROLE_RELAY, .block = "out" };

struct ev_loop *
boot_loop(struct boot *b)
{
	return bench->loop;
}

const struct link_peer *
boot_self(const struct boot *b)
{
	return &self;
}

void
boot_link_lost(struct boot *b, const struct link_peer *peer, enum err why)
{
	bench->lost_cnt++;
}

void
boot_done(struct boot *b)
{
	bench->done_cnt++;
	ev_stop(bench->loop);
}

void
boot_fatal(const char *why, int err)
{
	abort();
}

/* What the kinds of relay ask for, none of which are here. */

int
boot_file(const struct boot *b, unsigned index)
{
	return -1;
}

int
boot_marks(const struct boot *b)
{
	return -1;
}

void
boot_ids(const struct boot *b, uint32_t *uid, uint32_t *gid)
{
	abort();
}

uint64_t
boot_endpoint(struct boot *b, unsigned index, boot_endpoint_fn *fn, void *arg)
{
	return 0;
}

void
boot_endpoint_cancel(struct boot *b, uint64_t request)
{
}

/* The relay of the test. */

static uint32_t
slots(const void *arg)
{
	return SLOTS;
}

static void
end(struct delivery *d)
{
	struct verdict v = verdict_own(OWN_discarded, STAGE_BODY);

	delivery_end(d, &v, SPAN("hop"));
}

static void
on_piece(struct delivery *d, void *arg)
{
	struct verdict v = verdict_own(OWN_no_text, STAGE_BODY);
	struct span s;

	if (delivery_text(d, 0, &s) != ERR_CLOSED)
		return;
	delivery_end(d, &v, SPAN(""));
	if (bench->partner != NULL)
		end(bench->partner);
	bench->partner = NULL;
}

static void
take(void *arg, struct delivery *d)
{
	bench->taken = d;
	bench->taken_cnt++;
	if (bench->is_instant) {
		end(d);
		return;
	}
	if (!bench->wants_text)
		return;
	d->on_text = on_piece;
	delivery_prefetch(d);
}

static void
drain(void *arg)
{
}

static bool
is_busy(const void *arg)
{
	return false;
}

static const struct relay_type kind = {
	.slots = slots, .take = take,
	.drain = drain, .is_busy = is_busy,
};

/* The queue of the test. */

__attribute__((format(printf, 1, 2)))
static void
note(const char *format, ...)
{
	size_t len = strlen(bench->heard);
	va_list ap;

	va_start(ap, format);
	vsnprintf(bench->heard + len, sizeof(bench->heard) - len, format, ap);
	va_end(ap);
}

static enum err
relay_says(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	switch (type) {
	case MSG_delivery_running:
		note("running %u; ", m->delivery_running.delivery);
		break;
	case MSG_delivery_listed:
		note("listed %u; ", m->delivery_listed.slots);
		break;
	case MSG_delivery_pull:
		note("pull %u.%u; ", m->delivery_pull.part,
		    m->delivery_pull.piece_no);
		break;
	case MSG_delivery_result:
		note("result %u %u; ", m->delivery_result.rcpt_no,
		    m->delivery_result.code);
		break;
	case MSG_delivery_done:
		note("done %u of %u; ", m->delivery_done.delivery,
		    m->delivery_done.result_cnt);
		break;
	default:
		note("odd %u; ", type);
	}
	return OK;
}

static void
relay_gone(struct link *l, enum err why, void *arg)
{
	bench->gone = why;
	link_close(&bench->link);
}

static void
stop_pause(struct timer *t, void *arg)
{
	ev_stop(bench->loop);
}

/* Let both ends talk until they have nothing more to say. */
static void
settle(void)
{
	timer_set(&bench->pause, 30);
	assert_int_equal(ev_run(bench->loop), OK);
	timer_stop(&bench->pause);
}

/* However slow we are: so many deliveries are the kind's. */
static void
await_taken(unsigned cnt)
{
	for (int i = 0; i < 500 && bench->taken_cnt < cnt; i++)
		settle();
	assert_int_equal(bench->taken_cnt, cnt);
}

static void
await_done(void)
{
	for (int i = 0; i < 500 && bench->done_cnt == 0; i++)
		settle();
	assert_int_equal(bench->done_cnt, 1);
}

static void
connect_queue(uint32_t no)
{
	const struct link_peer queue = { .role = ROLE_QUEUE, .block = "main",
	    .no = no };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
	    0, fds), 0);
	link_close(&bench->link);
	bench->heard[0] = '\0';
	assert_int_equal(link_open(&bench->link, bench->loop, fds[0],
	    ROLE_QUEUE, &self, relay_says, relay_gone, NULL), OK);
	from_queue_link(&bench->work, fds[1], &queue);
	settle();
}

static void
send_open(uint32_t delivery, uint32_t rcpt_cnt, uint64_t body_len)
{
	(void)link_send_delivery_open(bench->link, &(struct msg_delivery_open){
	    .delivery = delivery, .attempt = 5, .rcpt_cnt = rcpt_cnt,
	    .header_len = 10, .body_len = body_len,
	    .sender = SPAN("s@a.example") });
}

static void
send_rcpt(uint32_t delivery, uint32_t no)
{
	(void)link_send_delivery_rcpt(bench->link, &(struct msg_delivery_rcpt){
	    .delivery = delivery, .attempt = 5, .rcpt_no = no,
	    .rcpt = SPAN("r@b.example") });
}

static void
send_piece(uint32_t delivery, unsigned part, uint32_t no, size_t len)
{
	static const char bytes[PIECE_MAX];

	(void)link_send_delivery_piece(bench->link,
	    &(struct msg_delivery_piece){ .delivery = delivery, .attempt = 5,
	    .part = (uint8_t)part, .piece_no = no },
	    (struct span){ bytes, len });
}

static void
send_settled(uint32_t delivery)
{
	(void)link_send_delivery_settled(bench->link,
	    &(struct msg_delivery_settled){ .delivery = delivery,
	    .attempt = 5 });
}

static void
want_heard(const char *want)
{
	settle();
	assert_string_equal(bench->heard, want);
	bench->heard[0] = '\0';
}

static int
set_up(void **state)
{
	bench = calloc(1, sizeof(*bench));
	*state = bench;
	if (bench == NULL || ev_open(&bench->loop) != OK)
		return -1;
	timer_init(&bench->pause, bench->loop, stop_pause, NULL);
	worker_init(&bench->work, NULL, &kind, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	struct attempts_queue *q;
	struct delivery *d;

	link_close(&bench->link);
	while ((q = TAILQ_FIRST(&bench->work.attempts.queues)) != NULL) {
		link_close(&q->link);
		while ((d = TAILQ_FIRST(&q->deliveries)) != NULL)
			attempts_remove(&bench->work.attempts, d);
		TAILQ_REMOVE(&bench->work.attempts.queues, q, entry);
		free(q);
	}
	timer_stop(&bench->work.drained);
	ev_close(&bench->loop);
	free(bench);
	return 0;
}

static void
a_parameter_that_could_become_a_command_breaks_the_link(void **state)
{
	static const struct span bad[] = {
		{ "rfc822;a\r\nDATA", 14 }, { "rfc822;a b", 10 },
		{ "a@b.example", 11 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		connect_queue((uint32_t)i + 1);
		want_heard("listed 7; ");
		send_open(0, 1, 0);
		(void)link_send_delivery_rcpt(bench->link,
		    &(struct msg_delivery_rcpt){ .attempt = 5,
		    .rcpt = SPAN("r@b.example"), .orcpt = bad[i] });
		settle();
		assert_int_not_equal(bench->gone, OK);
		bench->gone = OK;
	}
}

static void
a_new_link_begins_with_the_list(void **state)
{
	connect_queue(1);
	want_heard("listed 7; ");
}

static void
results_are_said_once_all_recipients_are_known(void **state)
{
	bench->is_instant = true;
	connect_queue(1);
	bench->heard[0] = '\0';
	send_open(3, 2, 0);
	send_rcpt(3, 8);
	want_heard("");
	send_rcpt(3, 9);
	want_heard("result 8 250; result 9 250; done 3 of 2; ");
	assert_int_equal(bench->work.attempts.delivery_cnt, 1);
	send_settled(3);
	settle();
	assert_int_equal(bench->work.attempts.delivery_cnt, 0);
}

static void
no_more_than_two_pieces_are_pulled_ahead(void **state)
{
	connect_queue(1);
	bench->heard[0] = '\0';
	bench->wants_text = true;
	send_open(1, 1, PIECE_MAX + 5);
	send_rcpt(1, 0);
	want_heard("pull 0.0; pull 1.0; ");
	send_piece(1, PART_HEADER, 0, 10);
	want_heard("");
	delivery_drop(bench->taken, 1);
	want_heard("pull 1.1; ");
	send_piece(1, PART_BODY, 0, PIECE_MAX);
	send_piece(1, PART_BODY, 1, 5);
	settle();
	delivery_drop(bench->taken, 2);
	want_heard("");
	assert_int_equal(bench->gone, OK);
}

static void
unsettled_results_are_said_again_on_the_next_link(void **state)
{
	connect_queue(1);
	send_open(1, 1, 0);
	send_rcpt(1, 0);
	send_open(2, 1, 0);
	send_rcpt(2, 0);
	send_open(3, 2, 0);	/* never complete: the link dies first */
	send_rcpt(3, 0);
	settle();
	end(bench->taken);
	connect_queue(1);
	want_heard("running 1; running 2; result 0 250; done 2 of 1; "
	    "listed 7; ");
}

static void
a_running_delivery_without_its_text_fails_with_the_link(
    void **state)
{
	connect_queue(1);
	bench->wants_text = true;
	send_open(1, 1, 20);
	send_rcpt(1, 0);
	send_open(2, 1, 20);
	send_rcpt(2, 0);
	settle();
	send_piece(2, PART_HEADER, 0, 10);
	send_piece(2, PART_BODY, 0, 20);
	settle();
	connect_queue(1);
	want_heard("running 1; running 2; result 0 451; done 1 of 1; "
	    "listed 7; ");
	assert_false(bench->taken->is_finished);
	end(bench->taken);
	want_heard("result 0 250; done 2 of 1; ");
}

static void
what_is_settled_while_it_runs_ends_without_a_word(void **state)
{
	connect_queue(1);
	send_open(1, 1, 0);
	send_rcpt(1, 0);
	send_settled(1);
	settle();
	bench->heard[0] = '\0';
	end(bench->taken);
	want_heard("");
	assert_int_equal(bench->work.attempts.delivery_cnt, 0);
}

/* Its text cannot be read, say: what waits for more of it waits in vain. */
static void
what_is_settled_while_it_waits_for_text_ends(void **state)
{
	connect_queue(1);
	bench->wants_text = true;
	send_open(1, 1, 10);
	send_rcpt(1, 0);
	settle();
	bench->heard[0] = '\0';
	send_settled(1);
	want_heard("");
	assert_int_equal(bench->work.attempts.delivery_cnt, 0);
}

/* As in a pipe relay, where the slot of one goes to another. */
static void
when_the_link_breaks_the_end_of_one_may_end_another(void **state)
{
	connect_queue(1);
	for (unsigned i = 1; i <= 2; i++) {
		bench->wants_text = i == 1;
		send_open(i, 1, 10);
		send_rcpt(i, 0);
		settle();
	}
	send_settled(2);
	settle();
	bench->partner = bench->taken;
	bench->heard[0] = '\0';
	connect_queue(1);
	want_heard("running 1; result 0 451; done 1 of 1; listed 7; ");
	assert_int_equal(bench->work.attempts.delivery_cnt, 1);
}

static void
a_queue_that_never_comes_back_leaves_nothing(void **state)
{
	connect_queue(4);
	send_open(1, 1, 0);
	send_rcpt(1, 0);
	settle();
	from_queue_gone(&bench->work, 4);
	end(bench->taken);
	assert_int_equal(bench->work.attempts.delivery_cnt, 0);
}

static char logged[4096];

static void
keep_line(enum log_level level, const char *line, size_t len)
{
	assert_true(strlen(logged) + len < sizeof(logged));
	strncat(logged, line, len);
}

/* Nothing is said of what was not handed on, or was settled. */
static void
who_has_got_what_no_queue_has_settled_is_logged(void **state)
{
	struct delivery *second = NULL;

	for (int is_end = 0; is_end < 2; is_end++) {
		connect_queue(4);
		for (uint32_t no = 1; no <= 3; no++) {
			send_open(no, 1, 0);
			send_rcpt(no, 0);
			settle();
			if (no == 2)
				second = bench->taken;
			else
				end(bench->taken);
		}
		send_settled(3);
		settle();
		log_setup("relay", keep_line, false);
		if (is_end)
			worker_end(&bench->work);
		else
			from_queue_gone(&bench->work, 4);
		log_setup("relay", NULL, false);
		assert_non_null(strstr(logged, "rcpt=r@b.example "));
		assert_null(strstr(strstr(logged, "rcpt=") + 1, "rcpt="));
		assert_non_null(strstr(logged, "it may be sent again"));
		logged[0] = '\0';
		if (!is_end)
			end(second);
	}
}

static struct hold *
hold_of_queue(void)
{
	return &TAILQ_FIRST(&bench->work.attempts.queues)->hold;
}

/* What is too large is refused, and small ones still find room. */
static void
what_a_queue_can_have_a_relay_keep_is_bounded(void **state)
{
	unsigned many = DELIVERY_HOLD_MAX / DELIVERY_RCPTS_MAX /
	    sizeof(struct delivery_rcpt) + 1;
	unsigned refused = 0;
	struct delivery *d;

	connect_queue(1);
	bench->heard[0] = '\0';
	bench->is_instant = true;
	for (unsigned i = 0; i < 2 * many; i++) {
		send_open(100 + i, DELIVERY_RCPTS_MAX, 0);
		if (i % 16 != 15)
			continue;
		settle();
		assert_in_range(hold_of_queue()->bytes, 1, DELIVERY_HOLD_MAX +
		    2 * many * sizeof(struct delivery));
	}
	TAILQ_FOREACH(d, &TAILQ_FIRST(&bench->work.attempts.queues)->deliveries,
	    entry)
		refused += d->rcpts == NULL;
	assert_in_range(refused, many, many + 1);
	send_open(1, 1, 0);
	send_rcpt(1, 0);
	want_heard("result 0 250; done 1 of 1; ");
	assert_int_equal(bench->gone, OK);
	send_settled(1);
	settle();
	connect_queue(1);		/* they were not whole */
	send_open(2, 1, 0);
	send_rcpt(2, 0);
	want_heard("listed 7; result 0 250; done 2 of 1; ");
	send_settled(2);
	settle();
	assert_int_equal(hold_of_queue()->bytes, 0);
	assert_int_equal(hold_of_queue()->text, 0);
}

/* One that is being said when there is no room left loses what it had. */
static void
addresses_count_as_they_come(void **state)
{
	size_t before;

	connect_queue(1);
	bench->is_instant = true;
	send_open(1, 3, 0);
	send_rcpt(1, 0);
	settle();
	before = hold_of_queue()->bytes;
	send_rcpt(1, 1);
	settle();
	assert_true(hold_of_queue()->bytes >= before + strlen("r@b.example"));
	hold_of_queue()->bytes += DELIVERY_HOLD_MAX;	/* others have it */
	bench->heard[0] = '\0';
	send_rcpt(1, 2);
	want_heard("done 1 of 0; ");
	assert_int_equal(hold_of_queue()->bytes, DELIVERY_HOLD_MAX +
	    sizeof(struct delivery));
	hold_of_queue()->bytes -= DELIVERY_HOLD_MAX;
}

static void
when_memory_is_short_replies_are_cut(void **state)
{
	char words[REPLY_TEXT_MAX] = "5.1.1 ";
	struct verdict v = verdict_own(OWN_no_text, STAGE_RCPT);
	struct delivery *d;

	memset(words + 6, 'w', sizeof(words) - 6);
	v.text = (struct span){ words, sizeof(words) };
	connect_queue(1);
	send_open(1, 2, 0);
	send_rcpt(1, 0);
	send_rcpt(1, 1);
	settle();
	assert_non_null(d = bench->taken);
	delivery_decide(d, 0, delivery_outcome(d, &v, SPAN("hop")));
	hold_of_queue()->bytes += DELIVERY_HOLD_MAX / 2;
	delivery_decide(d, 1, delivery_outcome(d, &v, SPAN("hop")));
	hold_of_queue()->bytes -= DELIVERY_HOLD_MAX / 2;
	assert_int_equal(d->rcpts[0].outcome->verdict.text.len,
	    REPLY_TEXT_MAX);
	assert_int_equal(d->rcpts[1].outcome->verdict.text.len, 80);
	delivery_finish(d);
}

/* The queue has taken all that it may, and the next hop goes on talking. */
static void
when_memory_is_up_results_of_a_class_share_a_reply(void **state)
{
	struct verdict v[2] = { verdict_own(OWN_no_text, STAGE_RCPT),
		verdict_own(OWN_needs_smtputf8, STAGE_RCPT) };
	struct delivery *d;
	size_t before;

	connect_queue(1);
	send_open(1, 1000, 0);
	for (unsigned i = 0; i < 1000; i++)
		send_rcpt(1, i);
	await_taken(1);
	d = bench->taken;
	hold_of_queue()->bytes += DELIVERY_HOLD_MAX;
	before = hold_of_queue()->bytes;
	for (uint32_t i = 0; i < 1000; i++)
		delivery_decide(d, i, delivery_outcome(d, &v[i % 2],
		    SPAN("hop")));
	assert_in_range(hold_of_queue()->bytes, before, before + 1000);
	assert_ptr_equal(d->rcpts[0].outcome, d->rcpts[998].outcome);
	assert_int_equal(d->rcpts[0].outcome->verdict.class, CLASS_LATER);
	assert_int_equal(d->rcpts[999].outcome->verdict.class, CLASS_NEVER);
	assert_int_equal(d->rcpts[999].outcome->verdict.code, 550);
	assert_int_equal(d->undecided, 0);
	hold_of_queue()->bytes -= DELIVERY_HOLD_MAX;
	delivery_finish(d);
}

/* Each costs what its try does: connections, hosts, what is converted. */
static void
what_a_queue_has_running_is_bounded(void **state)
{
	unsigned most = 2 * (SLOTS + 1);

	connect_queue(1);
	bench->heard[0] = '\0';
	for (unsigned i = 0; i < most; i++) {
		send_open(100 + i, 1, 0);
		send_rcpt(100 + i, 0);
		send_settled(100 + i);	/* it may say so of each */
	}
	await_taken(most);
	want_heard("");
	send_open(1, 1, 0);
	send_rcpt(1, 0);
	want_heard("done 1 of 0; ");
	assert_int_equal(bench->gone, OK);
	end(bench->taken);
	send_open(2, 1, 0);
	send_rcpt(2, 0);
	await_taken(most + 1);
}

static void
nonsense_costs_the_link_and_nothing_else(void **state)
{
	for (int i = 0; i < 9; i++) {
		tear_down(state);
		set_up(state);
		connect_queue(1);
		bench->wants_text = true;
		send_open(1, 1, 20);
		send_rcpt(1, 0);
		settle();
		assert_int_equal(bench->gone, OK);
		switch (i) {
		case 0: send_open(1, 1, 20); break;	/* twice	*/
		case 1: send_open(2, 0, 20); break;	/* to nobody	*/
		case 2: send_open(2, UINT32_MAX, 0); break;
		case 3: send_open(2, 1, UINT64_MAX); break;
		case 4: send_rcpt(1, 1); break;		/* too many	*/
		case 5: send_rcpt(9, 1); break;		/* unknown	*/
		case 6: send_piece(1, PART_BODY, 0, 19); break;
		case 7: send_piece(1, PART_BODY, 1, 0); break;
		case 8: send_piece(1, 7, 0, 10); break;
		}
		settle();
		assert_int_not_equal(bench->gone, OK);
		assert_int_equal(bench->lost_cnt, 1);
	}
}

static void
what_crosses_with_the_end_of_a_delivery_is_borne(void **state)
{
	connect_queue(1);
	send_piece(77, PART_BODY, 0, 3);
	send_settled(77);
	settle();
	assert_int_equal(bench->gone, OK);
}

static void
a_drained_relay_takes_nothing_and_ends_when_settled(void **state)
{
	connect_queue(1);
	send_open(1, 1, 0);
	send_rcpt(1, 0);
	settle();
	bench->heard[0] = '\0';
	worker_drain(&bench->work);
	want_heard("listed 0; ");
	send_open(2, 1, 0);
	send_rcpt(2, 0);
	want_heard("result 0 451; done 2 of 1; ");
	end(bench->taken);
	send_settled(2);
	settle();
	assert_int_equal(bench->done_cnt, 0);
	send_settled(1);
	await_done();
}

/* A queue that opens and says no more keeps nobody from being stopped. */
static void
a_drained_relay_waits_for_nothing_that_was_never_whole(void **state)
{
	connect_queue(1);
	send_open(1, 2, 0);
	send_rcpt(1, 0);
	send_open(2, 1, 0);
	send_open(3, 1, 0);
	send_rcpt(3, 0);
	await_taken(1);
	worker_drain(&bench->work);
	settle();
	assert_int_equal(bench->done_cnt, 0);
	end(bench->taken);
	send_settled(3);
	await_done();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_parameter_that_could_become_a_command_breaks_the_link),
		TEST(a_new_link_begins_with_the_list),
		TEST(results_are_said_once_all_recipients_are_known),
		TEST(no_more_than_two_pieces_are_pulled_ahead),
		TEST(unsettled_results_are_said_again_on_the_next_link),
		TEST(a_running_delivery_without_its_text_fails_with_the_link),
		TEST(what_is_settled_while_it_waits_for_text_ends),
		TEST(what_is_settled_while_it_runs_ends_without_a_word),
		TEST(when_the_link_breaks_the_end_of_one_may_end_another),
		TEST(a_queue_that_never_comes_back_leaves_nothing),
		TEST(who_has_got_what_no_queue_has_settled_is_logged),
		TEST(what_a_queue_can_have_a_relay_keep_is_bounded),
		TEST(addresses_count_as_they_come),
		TEST(when_memory_is_short_replies_are_cut),
		TEST(when_memory_is_up_results_of_a_class_share_a_reply),
		TEST(what_a_queue_has_running_is_bounded),
		TEST(nonsense_costs_the_link_and_nothing_else),
		TEST(what_crosses_with_the_end_of_a_delivery_is_borne),
		TEST(a_drained_relay_takes_nothing_and_ends_when_settled),
		TEST(a_drained_relay_waits_for_nothing_that_was_never_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
