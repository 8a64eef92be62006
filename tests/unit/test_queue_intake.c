/*
 * test_queue_intake - the rules of the dialogue with an edge, called as
 * from_edge.c calls them: what breaks the link, what is only refused, and what
 * is left of a message that never became one.
 * room: queue
 */
#include "queue_ask.h"

#include "mail/dsn.h"
#include "queue/intake/intake_inside.h"

static char full[PIECE_MAX];

static struct edge *
edge_of(struct play *p)
{
	return LIST_FIRST(&p->q.intake->edges);
}

static enum err
mail(struct play *p, uint64_t no, struct span sender, struct span tenant)
{
	struct msg_mail_open m = {
		.stream = no, .flags = 0xff, .sender = sender,
		.tenant = tenant,
	};

	return intake_mail(edge_of(p), &m);
}

static enum err
rcpt(struct play *p, uint64_t no, struct span address)
{
	return intake_rcpt(edge_of(p), &(struct msg_mail_rcpt){
	    .stream = no, .rcpt = address });
}

static enum err
piece(struct play *p, uint64_t no, enum part part, size_t len)
{
	return intake_piece(edge_of(p), no, part, (struct span){ full, len });
}

static enum err
commit(struct play *p, uint64_t no, size_t header_len, size_t body_len)
{
	struct msg_mail_commit m = {
	    .stream = no, .flags = 0,
	    .header_len = header_len, .body_len = body_len };

	return intake_commit(edge_of(p), &m, (struct span){ full,
	    header_len % PIECE_MAX });
}

/* A stream with a sender and a recipient. */
static void
begin(struct play *p, uint64_t no)
{
	assert_int_equal(mail(p, no, SPAN("a@example.org"), SPAN("t")), OK);
	assert_int_equal(rcpt(p, no, SPAN("b@example.org")), OK);
}

static struct stream *
stream_of(struct play *p, uint64_t no)
{
	struct stream *s = RB_ROOT(&edge_of(p)->streams);

	while (s != NULL && s->no != no)
		s = s->no > no ? RB_LEFT(s, by_no) : RB_RIGHT(s, by_no);
	assert_non_null(s);
	return s;
}

static void
expect_refusal(struct play *p, unsigned cnt, unsigned code)
{
	kit_until(&p->kit, p->refused_cnt == cnt);
	assert_int_equal(p->refused_code, code);
	assert_int_equal(p->q.message_cnt, 0);
}

static void
a_stream_is_opened_once(void **state)
{
	struct play *p = *state;

	begin(p, 1);
	assert_int_equal(mail(p, 1, SPAN(""), SPAN("")), ERR_PEER);
	assert_int_equal(mail(p, UINT64_MAX, SPAN(""), SPAN("")), ERR_PEER);
}

static void
a_control_byte_in_an_address_breaks_the_link(void **state)
{
	struct play *p = *state;

	assert_int_equal(mail(p, 1, SPAN("a\r\nb"), SPAN("")), ERR_PEER);
	assert_int_equal(mail(p, 1, SPAN("a\x7f"), SPAN("")), ERR_PEER);
	assert_int_equal(mail(p, 1, SPAN("a"), SPAN("t\0u")), ERR_PEER);
	begin(p, 1);
	assert_int_equal(rcpt(p, 1, SPAN("b\nDATA")), ERR_PEER);
	assert_int_equal(rcpt(p, 1, SPAN("")), ERR_PEER);
}

static void
a_wrong_parameter_of_reports_breaks_the_link(void **state)
{
	struct msg_mail_rcpt r = { .stream = 9, .rcpt = SPAN("b") };
	struct msg_mail_open m = { .stream = 8 };
	struct play *p = *state;

	m.ret = 3;
	assert_int_equal(intake_mail(edge_of(p), &m), ERR_PEER);
	m.ret = 0;
	m.envid = SPAN("a RET=FULL");
	assert_int_equal(intake_mail(edge_of(p), &m), ERR_PEER);
	begin(p, 9);
	r.notify = 0x03;
	assert_int_equal(intake_rcpt(edge_of(p), &r), ERR_PEER);
	r.notify = 0x10;
	assert_int_equal(intake_rcpt(edge_of(p), &r), ERR_PEER);
	r.notify = 0;
	r.orcpt = SPAN("rfc822;a\r\nRCPT TO:<b@x>");
	assert_int_equal(intake_rcpt(edge_of(p), &r), ERR_PEER);
	r.orcpt = SPAN("rfc822;a");
	assert_int_equal(intake_rcpt(edge_of(p), &r), OK);
}

static void
what_no_mail_can_say_breaks_the_link(void **state)
{
	static const struct msg_mail_open wrong[] = {
		{ .stream = 1, .body = BODY__COUNT },
		{ .stream = 1, .params = PARAM__ALL + 1 },
		{ .stream = 1, .by_mode = BY__ALL + 1 },
	};
	struct play *p = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(intake_mail(edge_of(p), &wrong[i]),
		    ERR_PEER);
}

static void
a_word_about_no_stream_breaks_the_link_a_late_one_not(void **state)
{
	struct play *p = *state;
	enum err expect = ERR_PEER;

	for (int round = 0; round < 2; round++) {
		assert_int_equal(rcpt(p, 5, SPAN("b")), expect);
		assert_int_equal(piece(p, 5, PART_BODY, 1), expect);
		assert_int_equal(commit(p, 5, 1, 0), expect);
		assert_int_equal(intake_abort(edge_of(p), 5), expect);
		if (round == 0) {
			begin(p, 5);
			assert_int_equal(intake_abort(edge_of(p), 5), OK);
			expect = OK;
		}
	}
}

static void
nothing_follows_a_commit_and_an_abort_comes_too_late(void **state)
{
	struct play *p = *state;

	begin(p, 1);
	assert_int_equal(commit(p, 1, 8, 0), OK);
	assert_int_equal(rcpt(p, 1, SPAN("c")), ERR_PEER);
	assert_int_equal(piece(p, 1, PART_BODY, 1), ERR_PEER);
	assert_int_equal(commit(p, 1, 8, 0), ERR_PEER);
	assert_int_equal(intake_abort(edge_of(p), 1), OK);
	kit_until(&p->kit, p->q.message_cnt == 1);
	assert_int_equal(p->taken_cnt, 0);	/* it does not want to know */
	assert_false(intake_is_busy(p->q.intake));
}

static void
a_piece_beyond_the_credit_breaks_the_link(void **state)
{
	struct play *p = *state;

	begin(p, 1);
	for (unsigned round = 1; round <= 3; round++) {
		for (int i = 0; i < STREAM_CREDIT; i++)
			assert_int_equal(piece(p, 1, PART_BODY, PIECE_MAX),
			    OK);
		assert_int_equal(piece(p, 1, PART_BODY, PIECE_MAX), ERR_PEER);
		kit_until(&p->kit, p->credit_cnt == round * STREAM_CREDIT);
	}
	assert_int_equal(intake_abort(edge_of(p), 1), OK);
	for (int i = 0; i < 20; i++)	/* the store lets go of it */
		kit_turn(&p->kit);
}

static void
only_the_last_piece_of_a_body_is_short(void **state)
{
	struct play *p = *state;

	begin(p, 1);
	assert_int_equal(piece(p, 1, PART_BODY, 0), OK);	/* slow */
	assert_int_equal(piece(p, 1, PART_HEADER, 0), ERR_PEER);
	assert_int_equal(piece(p, 1, PART_HEADER, 10), ERR_PEER);
	assert_int_equal(piece(p, 1, PART_BODY, 10), OK);
	assert_int_equal(piece(p, 1, PART_BODY, 10), ERR_PEER);
	assert_int_equal(piece(p, 1, PART_BODY, PIECE_MAX), ERR_PEER);
}

static void
a_commit_counts_right_and_has_a_recipient(void **state)
{
	struct play *p = *state;

	assert_int_equal(mail(p, 1, SPAN("a"), SPAN("")), OK);
	assert_int_equal(commit(p, 1, 8, 0), ERR_PEER);
	begin(p, 2);
	assert_int_equal(intake_commit(edge_of(p), &(struct msg_mail_commit){
	    .stream = 2, .flags = 0,
	    .header_len = 9 }, (struct span){ full, 8 }), ERR_PEER);
	begin(p, 3);
	assert_int_equal(piece(p, 3, PART_BODY, 10), OK);
	assert_int_equal(commit(p, 3, 8, 11), ERR_PEER);
}

static void
too_many_recipients_are_refused(void **state)
{
	struct play *p = *state;

	char address[20];

	begin(p, 1);
	for (int i = 1; i < 10000; i++) {
		snprintf(address, sizeof(address), "b%d@x", i);
		assert_int_equal(rcpt(p, 1, span_of(address)), OK);
	}
	assert_int_equal(p->refused_cnt, 0);
	assert_int_equal(rcpt(p, 1, SPAN("b@x")), OK);
	expect_refusal(p, 1, 452);
}

/* The commit, and what became of it as it went to a relay. */
static void
who_comes_again_is_one_recipient(void **state)
{
	static const char *const same[] = {
		"Ann.Lee@shop.example", "Ann.Lee@SHOP.Example", "postmaster",
		"\"a@b\"@x.example", "Ann.Lee@Shop.example", "PostMaster",
		"\"a@b\"@X.example", "ann.lee@shop.example",
		"ann.lee@shop.exampl", "\"A@b\"@x.example",
	};
	struct play *p = *state;

	assert_int_equal(mail(p, 1, SPAN("a@example.org"), SPAN("t")), OK);
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
			assert_int_equal(rcpt(p, 1, span_of(same[i])), OK);
	assert_int_equal(stream_of(p, 1)->accept.message.rcpt_cnt, 6);
	assert_int_equal(commit(p, 1, 8, 0), OK);
	kit_until(&p->kit, p->taken_cnt == 1);
	play_link_relay(p, 1);
	play_list_slots(p, 1);
	kit_until(&p->kit, p->rcpt_cnt == 6);
	assert_int_equal(p->opened.rcpt_cnt, 6);
	assert_string_equal(p->rcpt, "\"A@b\"@x.example");
}

/* A sender of ten thousand, each of them again and again. */
static void
to_know_ten_thousand_again_costs_next_to_nothing(void **state)
{
	struct play *p = *state;
	int64_t begin_ms = clock_mono_ms();
	char address[60];

	assert_int_equal(mail(p, 1, SPAN("a"), SPAN("")), OK);
	for (int i = 0; i < 10 * 9000; i++) {
		snprintf(address, sizeof(address), "subscriber-%04d@%s",
		    i % 9000, i / 9000 % 2 ? "LARGE.example" :
		    "large.example");
		assert_int_equal(rcpt(p, 1, span_of(address)), OK);
	}
	assert_int_equal(stream_of(p, 1)->accept.message.rcpt_cnt, 9000);
	assert_true(clock_mono_ms() - begin_ms < 2000);
}

static void
too_many_bytes_of_recipients_are_refused(void **state)
{
	struct play *p = *state;
	static char address[BUS_STR_MAX];

	memset(address, 'b', sizeof(address));
	assert_int_equal(mail(p, 1, SPAN("a"), SPAN("")), OK);
	for (size_t at = 0; at < 1 << 20; at += sizeof(address)) {
		snprintf(address, 8, "%07zu", at);
		address[7] = 'b';
		assert_int_equal(rcpt(p, 1, (struct span){ address,
		    sizeof(address) }), OK);
	}
	for (int i = 0; i < 5; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->refused_cnt, 0);
	assert_int_equal(rcpt(p, 1, SPAN("b")), OK);
	expect_refusal(p, 1, 452);
}

static void
a_full_queue_refuses_what_is_under_way(void **state)
{
	struct play *p = *state;

	for (uint64_t no = 1; no <= 2; no++)
		begin(p, no);
	p->q.full = QUEUE_FULL;
	assert_int_equal(piece(p, 1, PART_BODY, PIECE_MAX), OK);
	expect_refusal(p, 1, 452);
	assert_int_equal(commit(p, 2, 8, 0), OK);
	expect_refusal(p, 2, 452);
}

static void
a_queue_whose_disk_takes_nothing_says_451(void **state)
{
	struct play *p = *state;

	for (uint64_t no = 1; no <= 2; no++)
		begin(p, no);
	p->q.full = QUEUE_SHUT;
	assert_int_equal(piece(p, 1, PART_BODY, PIECE_MAX), OK);
	expect_refusal(p, 1, 451);
	assert_int_equal(commit(p, 2, 8, 0), OK);
	expect_refusal(p, 2, 451);
}

static void
edges_hear_of_a_full_queue_and_of_its_end(void **state)
{
	struct play *p = *state;

	kit_until(&p->kit, p->state_cnt == 1);
	assert_false(p->said_full);
	play_space(true, "test", p);
	kit_until(&p->kit, p->state_cnt == 2);
	assert_true(p->said_full);
	link_close(&p->edge);
	intake_edge_gone(&(struct edge *){ edge_of(p) });
	play_link_edge(p);
	kit_until(&p->kit, p->state_cnt == 3);
	assert_true(p->said_full);
	play_space(false, NULL, p);
	kit_until(&p->kit, p->state_cnt == 4);
	assert_false(p->said_full);
}

static void
a_queue_that_stops_takes_nothing_new_and_ends_the_rest(void **state)
{
	struct play *p = *state;

	begin(p, 1);
	begin(p, 2);
	assert_int_equal(commit(p, 2, 8, 0), OK);
	assert_true(intake_is_busy(p->q.intake));
	p->q.is_draining = true;
	intake_drain(p->q.intake);
	assert_int_equal(mail(p, 3, SPAN("a"), SPAN("")), OK);
	p->q.is_draining = false;	/* there is no boot to be done with */
	kit_until(&p->kit, p->refused_cnt == 2 && p->taken_cnt == 1);
	assert_int_equal(p->refused_code, 451);
	assert_int_equal(p->q.message_cnt, 1);
	assert_int_equal(p->grant_cnt, 2);
}

/* The edge goes, and pickup comes. */
static void
link_pickup(struct play *p, const char *block)
{
	link_close(&p->edge);
	intake_edge_gone(&(struct edge *){ edge_of(p) });
	play_link_edge_as(p, ROLE_PICKUP, block);
	assert_string_equal(edge_of(p)->name, block);
}

/* As mail() and rcpt(), under a number of the edge's. */
static void
begin_numbered(struct play *p, uint64_t no, uint64_t once)
{
	struct msg_mail_open m = { .stream = no, .sender = SPAN("a@b.example"),
	    .once = once };

	assert_int_equal(intake_mail(edge_of(p), &m), OK);
	assert_int_equal(rcpt(p, no, SPAN("b@example.org")), OK);
	assert_int_equal(commit(p, no, 8, 0), OK);
}

static void
what_comes_again_under_its_number_is_kept_once(void **state)
{
	struct play *p = *state;

	link_pickup(p, "drop");
	begin_numbered(p, 1, 7);
	kit_until(&p->kit, p->taken_cnt == 1);
	begin_numbered(p, 2, 7);
	kit_until(&p->kit, p->taken_cnt == 2);
	assert_int_equal(p->q.message_cnt, 1);
	begin_numbered(p, 3, 9);
	begin_numbered(p, 4, 0);
	begin_numbered(p, 5, 0);
	kit_until(&p->kit, p->taken_cnt == 5);
	assert_int_equal(p->q.message_cnt, 4);
	link_pickup(p, "other");	/* has files of its own */
	begin_numbered(p, 1, 7);
	kit_until(&p->kit, p->taken_cnt == 6);
	assert_int_equal(p->q.message_cnt, 5);
}

/* Who speaks with strangers could else have others' mail taken for known. */
static void
a_number_of_an_edge_that_has_no_files_is_nonsense(void **state)
{
	struct play *p = *state;

	assert_int_equal(intake_mail(edge_of(p), &(struct msg_mail_open){
	    .stream = 1, .sender = SPAN("a@b.example"), .once = 7 }), ERR_PEER);
}

static void
what_comes_again_while_it_is_committed_comes_later(void **state)
{
	struct play *p = *state;

	link_pickup(p, "drop");
	begin_numbered(p, 1, 7);
	begin_numbered(p, 2, 7);
	kit_until(&p->kit, p->taken_cnt == 1 && p->refused_cnt == 1);
	assert_int_equal(p->refused_code, 451);
	assert_int_equal(p->q.message_cnt, 1);
}

static void
a_number_is_an_edges_own_and_is_forgotten_in_time(void **state)
{
	static struct once o;
	struct span me = SPAN("drop"), other = SPAN("in");

	once_begin(&o, me, 7);
	assert_int_equal(once_state(&o, me, 7), ONCE_COMMITTING);
	assert_int_equal(once_state(&o, other, 7), ONCE_NEW);
	once_forget(&o, me, 7);
	assert_int_equal(once_state(&o, me, 7), ONCE_NEW);
	once_begin(&o, me, 7);
	once_kept(&o, me, 7);
	for (unsigned i = 1; i < ONCE_MAX; i++) {
		assert_int_equal(once_state(&o, me, 7), ONCE_KEPT);
		once_begin(&o, other, 1000 + i);
	}
	once_begin(&o, other, 1);
	assert_int_equal(once_state(&o, me, 7), ONCE_NEW);
	once_begin(&o, me, 0);
	assert_int_equal(once_state(&o, me, 0), ONCE_NEW);
}

static void
an_edge_has_a_limit_of_streams(void **state)
{
	struct play *p = *state;
	unsigned cnt = edge_of(p)->stream_cnt;

	edge_of(p)->stream_cnt = 65536;
	assert_int_equal(mail(p, 1, SPAN("a"), SPAN("")), OK);
	edge_of(p)->stream_cnt = cnt;
	expect_refusal(p, 1, 451);
	assert_int_equal(p->grant_cnt, 0);
}

#define MOST	((size_t)256 << 20)

/* A last, shorter piece waits in memory for the commit that never comes. */
static void
the_memory_an_edge_has_here_is_bounded(void **state)
{
	struct play *p = *state;
	struct edge *ed = edge_of(p);
	const size_t before = MOST - 100 * PIECE_MAX;
	uint64_t no = 0;

	ed->held += before;		/* which would take its time */
	while (ed->begun_cnt == no && no < 200) {
		begin(p, ++no);
		assert_int_equal(piece(p, no, PART_BODY, PIECE_MAX - 1), OK);
		assert_true(ed->held <= MOST);
	}
	assert_in_range(no, 90, 101);
	expect_refusal(p, 1, 452);
	/* Others of it go on, and what ends makes room. */
	assert_int_equal(intake_abort(ed, 1), OK);
	begin(p, no + 1);
	assert_int_equal(piece(p, no + 1, PART_BODY, 20), OK);
	assert_int_equal(commit(p, no + 1, 8, 20), OK);
	kit_until(&p->kit, p->taken_cnt == 1);
	ed->held -= before;
	assert_true(ed->held < 100 * PIECE_MAX);
}

/* Stream 2 says for a while that its client is slow. */
static void
turn_for(struct play *p, int64_t ms, bool says)
{
	int64_t end_ms = clock_mono_ms() + ms;

	while (clock_mono_ms() < end_ms) {
		if (says)
			assert_int_equal(piece(p, 2, PART_BODY, 0), OK);
		kit_turn(&p->kit);
	}
}

static void
a_stream_on_which_nothing_comes_is_dropped(void **state)
{
	struct play *p = *state;
	struct edge *ed = edge_of(p);

	p->q.settings.silence_ms = 400;
	begin(p, 1);
	begin(p, 2);
	assert_int_equal(piece(p, 1, PART_BODY, PIECE_MAX), OK);
	assert_int_equal(piece(p, 1, PART_BODY, PIECE_MAX - 1), OK);
	turn_for(p, 1500, true);
	expect_refusal(p, 1, 451);
	assert_int_equal(ed->stream_cnt, 1);
	kit_until(&p->kit, ed->held < PIECE_MAX);
	assert_true(ed->logged_late);
	/* Its edge may not have heard of it yet. */
	assert_int_equal(piece(p, 1, PART_BODY, PIECE_MAX), OK);
	assert_int_equal(commit(p, 2, 8, 0), OK);
	kit_until(&p->kit, p->taken_cnt == 1);
}

static void
a_stream_lasts_no_longer_than_a_session(void **state)
{
	struct play *p = *state;

	p->q.settings.session_ms = 400;
	begin(p, 2);
	for (int i = 0; i < 40 && p->refused_cnt == 0; i++)
		turn_for(p, 100, true);
	expect_refusal(p, 1, 451);
	assert_int_equal(edge_of(p)->stream_cnt, 0);
}

static void
a_stream_has_the_times_of_its_beginning(void **state)
{
	struct play *p = *state;

	p->q.settings.silence_ms = p->q.settings.session_ms = 600000;
	begin(p, 1);
	p->q.settings.silence_ms = p->q.settings.session_ms = 200;
	begin(p, 2);
	timer_stop(&p->q.intake->watch);	/* it looks often, now */
	intake_watch(p->q.intake);
	expect_refusal(p, 1, 451);
	turn_for(p, 300, false);
	assert_int_equal(p->refused_cnt, 1);
	assert_int_equal(commit(p, 1, 8, 0), OK);
	kit_until(&p->kit, p->taken_cnt == 1);
}

static void
addresses_count_as_memory_of_the_edge(void **state)
{
	static char address[BUS_STR_MAX];
	struct play *p = *state;
	struct edge *ed = edge_of(p);
	struct span a = { address, sizeof(address) };

	memset(address, 'b', sizeof(address));
	for (uint64_t no = 1; no <= 10; no++)
		assert_int_equal(mail(p, no, SPAN("a"), SPAN("")), OK);
	ed->held += MOST - 10 * BUS_STR_MAX;
	for (uint64_t no = 1; no <= 10; no++) {
		snprintf(address, 8, "%07u", (unsigned)no);
		address[7] = 'b';
		assert_int_equal(rcpt(p, no, a), OK);
	}
	kit_until(&p->kit, p->refused_cnt > 0);
	assert_int_equal(p->refused_code, 452);
	ed->held -= MOST - 10 * BUS_STR_MAX;
}

static void
what_the_store_still_has_counts_after_its_stream(void **state)
{
	struct play *p = *state;
	struct edge *ed = edge_of(p);

	begin(p, 1);
	assert_int_equal(piece(p, 1, PART_BODY, PIECE_MAX), OK);
	assert_int_equal(piece(p, 1, PART_BODY, PIECE_MAX), OK);
	assert_int_equal(intake_abort(ed, 1), OK);
	assert_int_equal(ed->stream_cnt, 0);
	assert_true(ed->held >= 2 * PIECE_MAX);
	kit_until(&p->kit, ed->begun_cnt == 0);
	assert_int_equal(ed->held, 0);
}

static void
what_could_not_be_written_is_refused(void **state)
{
	struct play *p = *state;

	begin(p, 1);
	stream_of(p, 1)->mail.failed = ERR_FULL; /* as the writer would */
	assert_int_equal(commit(p, 1, 8, 0), OK);
	expect_refusal(p, 1, 452);
	begin(p, 2);
	stream_of(p, 2)->mail.failed = ERR_SYS;
	assert_int_equal(piece(p, 2, PART_BODY, PIECE_MAX), OK);
	expect_refusal(p, 2, 451);
	assert_int_equal(p->taken_cnt, 0);
	assert_int_equal(p->credit_cnt, 0);
	begin(p, 3);			/* behind it all is back: no leak */
	assert_int_equal(commit(p, 3, 8, 0), OK);
	kit_until(&p->kit, p->taken_cnt == 1);
}

/* Both streams have text on disk; the second one's message is on its way. */
static void
when_an_edge_dies_its_open_streams_leave_nothing(void **state)
{
	struct play *p = *state;
	struct edge *ed = edge_of(p);

	for (uint64_t no = 1; no <= 2; no++) {
		begin(p, no);
		assert_int_equal(piece(p, no, PART_BODY, PIECE_MAX), OK);
	}
	kit_until(&p->kit, p->credit_cnt == 2);
	assert_int_equal(commit(p, 2, 8, PIECE_MAX), OK);
	link_close(&p->edge);
	intake_edge_gone(&ed);
	kit_until(&p->kit, p->q.message_cnt == 1);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	play_stop_queue(p);
	assert_int_equal(kit_rows(&p->kit, TABLE_LOOSE), 0);
	assert_int_equal(kit_rows(&p->kit, TABLE_BODY), PIECE_CHUNKS);
	assert_int_equal(kit_rows(&p->kit, TABLE_MESSAGE), 1);
}

static void
a_stream_that_ends_is_swept_at_once(void **state)
{
	struct play *p = *state;

	begin(p, 1);
	assert_int_equal(piece(p, 1, PART_HEADER, PIECE_MAX), OK);
	assert_int_equal(intake_abort(edge_of(p), 1), OK);
	for (int i = 0; i < 20; i++)
		kit_turn(&p->kit);
	play_stop_queue(p);
	assert_int_equal(kit_rows(&p->kit, TABLE_HEADER), 0);
	assert_int_equal(kit_rows(&p->kit, TABLE_LOOSE), 0);
}

/* Text that goes on behind its pieces is read back in its place. */
static void
header_and_body_of_many_pieces_are_kept_in_order(void **state)
{
	struct play *p = *state;
	size_t len = PIECE_MAX + 100;

	for (size_t i = 0; i < sizeof(full); i++)
		full[i] = (char)(i / CHUNK_MAX + 'a');
	begin(p, 1);
	assert_int_equal(piece(p, 1, PART_HEADER, PIECE_MAX), OK);
	assert_int_equal(piece(p, 1, PART_BODY, PIECE_MAX), OK);
	kit_until(&p->kit, p->credit_cnt == 2);
	assert_int_equal(piece(p, 1, PART_BODY, 100), OK);
	assert_int_equal(commit(p, 1, len, len), OK);
	kit_until(&p->kit, p->taken_cnt == 1);
	play_link_relay(p, 1);
	play_list_slots(p, 1);
	kit_until(&p->kit, p->open_cnt == 1);
	assert_int_equal(p->opened.header_len, len);
	assert_int_equal(p->opened.body_len, len);
	assert_int_equal(p->opened.flags, MAIL_SMTPUTF8 | MAIL_8BIT |
	    MAIL_LONG | MAIL_LOGIN);
	for (enum part part = 0; part < PART__COUNT; part++) {
		for (uint32_t no = 0; no < 2; no++) {
			p->text_len = p->piece_cnt = 0;
			link_send_delivery_pull(p->relay,
			    &(struct msg_delivery_pull){ p->opened.id, 0,
			    p->opened.attempt, part, no });
			kit_until(&p->kit, p->piece_cnt == 1);
			assert_int_equal(p->text_len, no == 0 ? PIECE_MAX :
			    100);
			assert_memory_equal(p->text, full, p->text_len);
		}
	}
}

/* What is said to a recipient of this sender. */
static uint16_t
ask(struct play *p, const char *address, const char *sender, uint8_t notify,
    bool local)
{
	unsigned before = p->judged_cnt;
	uint64_t no = edge_of(p)->highest + 1;

	assert_int_equal(intake_mail(edge_of(p), &(struct msg_mail_open){
	    .stream = no, .sender = span_of(sender), .local = local }), OK);
	assert_int_equal(intake_rcpt(edge_of(p), &(struct msg_mail_rcpt){
	    .stream = no, .ask = 1, .rcpt = span_of(address),
	    .notify = notify }), OK);
	kit_until(&p->kit, p->judged_cnt > before);
	return p->judged_code;
}

static void
a_sender_whose_bounce_would_be_lost_is_refused(void **state)
{
	struct play *p = *state;
	struct routes *r = p->q.settings.routes;

	assert_int_equal(route_add_rcpt(r, SPAN("out"),
	    SPAN("ann@example.org")), OK);
	assert_int_equal(route_add_rcpt(r, SPAN("out"),
	    SPAN("@example.net")), OK);
	assert_int_equal(route_add(r, ROUTE_BY_RCPT, SPAN("trap@example.com"),
	    ROUTE_DOES_DISCARD, SPAN("")), OK);
	assert_int_equal(ask(p, "ann@example.org", "x@example.net", 0, false),
	    250);
	assert_int_equal(ask(p, "ann@example.org", "", 0, false), 250);
	assert_int_equal(ask(p, "ann@example.org", "eve@example.org", 0,
	    false), 550);
	assert_int_equal(ask(p, "ann@example.org", "eve@example.org",
	    DSN_SUCCESS | DSN_FAILURE, false), 550);
	/* nobody would read it; or wants it; or it cannot fail */
	assert_int_equal(ask(p, "ann@example.org", "eve@example.org", 0,
	    true), 250);
	assert_int_equal(ask(p, "ann@example.org", "eve@example.org",
	    DSN_NEVER, false), 250);
	assert_int_equal(ask(p, "trap@example.com", "eve@example.org", 0,
	    false), 250);
}

/* Team stands for ann and bob, gone for nobody, lost for whom no route has. */
struct aliases {
	bool		 is_late;
	struct expansion *asking[8];
	char		 address[8][64];
	unsigned	 cnt, cancel_cnt;
	const char	*owner;
};

static enum err
look(struct expansion *x, struct span address)
{
	if (span_eq(address, SPAN("team@example.net"))) {
		expand_name(x, SPAN("ann@example.net"));
		expand_name(x, SPAN("bob@example.net"));
	} else if (span_eq(address, SPAN("lost@example.net"))) {
		expand_name(x, SPAN("ann@example.net"));
		expand_name(x, SPAN("eve@example.org"));
	} else if (!span_eq(address, SPAN("gone@example.net"))) {
		return ERR_NONE;
	}
	return OK;
}

static enum err
ask_aliases(struct expansion *x, struct span address, void *arg)
{
	struct aliases *a = arg;

	if (a->owner != NULL && span_eq(address, SPAN("team@example.net")))
		expand_own(x, span_of(a->owner));
	if (!a->is_late)
		return look(x, address);
	assert_true(a->cnt < 8);
	assert_true(span_cstr(address, a->address[a->cnt], 64));
	a->asking[a->cnt++] = x;
	return ERR_AGAIN;
}

static void
answer_aliases(struct aliases *a)
{
	struct expansion *x;
	unsigned cnt;

	while ((cnt = a->cnt) > 0) {
		x = a->asking[--a->cnt];
		expand_answer(x, look(x, span_of(a->address[cnt - 1])));
	}
}

static void
cancel_aliases(struct expansion *x, void *arg)
{
	((struct aliases *)arg)->cancel_cnt++;
}

#define ALIASES(a)	&(struct expander){ "alias", ask_aliases,	\
			    cancel_aliases, a }

static void
send_to(struct play *p, uint64_t no, uint64_t ask_no, struct span address)
{
	assert_int_equal(mail(p, no, SPAN("a@example.org"), SPAN("t")), OK);
	assert_int_equal(intake_rcpt(edge_of(p), &(struct msg_mail_rcpt){
	    .stream = no, .ask = ask_no, .rcpt = address, .notify = 0x06,
	    .orcpt = SPAN("rfc822;x@y") }), OK);
}

static void
who_stands_for_others_is_them_and_that_is_on_record(void **state)
{
	struct play *p = *state;
	struct aliases aliases = { .is_late = false };
	struct ask a;

	p->q.expanders = (struct expanders){ ALIASES(&aliases), 1 };
	send_to(p, 1, 1, SPAN("team@example.net"));
	kit_until(&p->kit, p->judged_cnt == 1);
	assert_int_equal(p->judged_code, 250);
	assert_int_equal(rcpt(p, 1, SPAN("bob@example.net")), OK);
	assert_int_equal(stream_of(p, 1)->accept.message.rcpt_cnt, 2);
	assert_int_equal(commit(p, 1, 8, 0), OK);
	kit_until(&p->kit, p->taken_cnt == 1);
	ask_link(&a, p);
	ask_show(&a, p->id);
	assert_int_equal(a.rcpt_cnt, 2);
	assert_string_equal(a.address, "bob@example.net");
	assert_string_equal(a.trace, "alias\tteam@example.net");
	play_link_relay(p, 1);
	play_list_slots(p, 1);
	kit_until(&p->kit, p->rcpt_cnt == 2);
	/* Success is told here, as "expanded": RFC 3461 5.2.7.3 c. */
	assert_string_equal(p->asked, "ret=0 envid= 4:rfc822;x@y "
	    "4:rfc822;x@y");
	ask_unlink(&a);
}

static void
members_of_a_list_hear_of_its_owner_and_not_of_the_sender(void **state)
{
	struct play *p = *state;
	struct aliases aliases = { .owner = "owner-team@example.net" };

	p->q.expanders = (struct expanders){ ALIASES(&aliases), 1 };
	send_to(p, 1, 1, SPAN("team@example.net"));
	assert_int_equal(intake_rcpt(edge_of(p), &(struct msg_mail_rcpt){
	    .stream = 1, .rcpt = SPAN("zoe@example.net") }), OK);
	assert_int_equal(stream_of(p, 1)->report_cnt, 1);
	assert_int_equal(stream_of(p, 1)->reports[0].report,
	    REPORT_DELIVERED);
	assert_int_equal(commit(p, 1, 8, 0), OK);
	kit_until(&p->kit, p->taken_cnt == 1);
	play_link_relay(p, 1);
	play_list_slots(p, 9);
	/* And perhaps the report already, that is for the sender. */
	kit_until(&p->kit, p->rcpt_cnt >= 3);
	assert_true(p->open_cnt >= 2);
	assert_non_null(strstr(p->senders, "owner-team@example.net "));
	assert_non_null(strstr(p->senders, "a@example.org "));
	assert_null(strstr(p->asked, "rfc822"));
	/* A bounce that comes to a list stays one. */
	assert_int_equal(mail(p, 2, SPAN(""), SPAN("t")), OK);
	assert_int_equal(intake_rcpt(edge_of(p), &(struct msg_mail_rcpt){
	    .stream = 2, .ask = 1, .rcpt = SPAN("team@example.net"),
	    .notify = DSN_SUCCESS }), OK);
	assert_int_equal(stream_of(p, 2)->rcpt_route[0].owner.len, 0);
	assert_int_equal(stream_of(p, 2)->report_cnt, 0);
}

static void
who_stands_for_one_without_a_route_is_refused_whole(void **state)
{
	struct play *p = *state;
	struct aliases aliases = { .is_late = false };

	p->q.expanders = (struct expanders){ ALIASES(&aliases), 1 };
	assert_int_equal(route_add_rcpt(p->q.settings.routes, SPAN("out"),
	    SPAN("@example.net")), OK);
	send_to(p, 1, 1, SPAN("lost@example.net"));
	kit_until(&p->kit, p->judged_cnt == 1);
	assert_int_equal(p->judged_code, 550);
	assert_int_equal(stream_of(p, 1)->accept.message.rcpt_cnt, 0);
}

static void
who_stands_for_nobody_is_no_recipient(void **state)
{
	struct play *p = *state;
	struct aliases aliases = { .is_late = false };

	p->q.expanders = (struct expanders){ ALIASES(&aliases), 1 };
	send_to(p, 1, 1, SPAN("gone@example.net"));
	kit_until(&p->kit, p->judged_cnt == 1);
	assert_int_equal(p->judged_code, 550);
	assert_int_equal(stream_of(p, 1)->accept.message.rcpt_cnt, 0);
}

/* The commit waits for who is not known yet; an end waits for nobody. */
static void
who_it_is_may_be_known_after_the_text(void **state)
{
	struct play *p = *state;
	struct aliases aliases = { .is_late = true };

	p->q.expanders = (struct expanders){ ALIASES(&aliases), 1 };
	send_to(p, 1, 0, SPAN("team@example.net"));
	assert_int_equal(rcpt(p, 1, SPAN("zoe@example.net")), OK);
	assert_int_equal(commit(p, 1, 8, 0), OK);
	assert_int_equal(piece(p, 1, PART_BODY, 1), ERR_PEER);
	for (int i = 0; i < 5; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->taken_cnt, 0);
	answer_aliases(&aliases);
	kit_until(&p->kit, p->taken_cnt == 1);
	assert_int_equal(p->q.message_cnt, 1);
	send_to(p, 2, 1, SPAN("team@example.net"));
	assert_int_equal(intake_abort(edge_of(p), 2), OK);
	assert_int_equal(aliases.cancel_cnt, 1);
	assert_int_equal(edge_of(p)->held, 0);
}

/* Its route is found once; after a reload queued mail follows today's. */
static void
a_route_that_was_judged_is_kept_until_routes_change(void **state)
{
	struct play *p = *state;
	struct routes *r = p->q.settings.routes;

	assert_int_equal(route_add_rcpt(r, SPAN("out"),
	    SPAN("@example.net")), OK);
	for (uint64_t no = 1; no <= 2; no++) {
		assert_int_equal(mail(p, no, SPAN("a@example.org"),
		    SPAN("t")), OK);
		assert_int_equal(intake_rcpt(edge_of(p),
		    &(struct msg_mail_rcpt){ .stream = no, .ask = no,
		    .rcpt = SPAN("b@example.net") }), OK);
	}
	kit_until(&p->kit, p->judged_cnt == 2);
	assert_int_equal(route_add(r, ROUTE_BY_RCPT, SPAN("b@example.net"),
	    ROUTE_DOES_DISCARD, SPAN("")), OK);
	assert_int_equal(commit(p, 1, 8, 0), OK);
	kit_until(&p->kit, p->taken_cnt == 1);
	assert_int_equal(p->q.message_cnt, 1);
	p->q.routes_turn++;
	assert_int_equal(commit(p, 2, 8, 0), OK);
	kit_until(&p->kit, p->taken_cnt == 2);
	assert_int_equal(p->q.message_cnt, 1);
}

static void
who_is_refused_is_no_recipient(void **state)
{
	struct play *p = *state;

	assert_int_equal(route_add_rcpt(p->q.settings.routes, SPAN("out"),
	    SPAN("@example.net")), OK);
	assert_int_equal(ask(p, "b@example.org", "a@example.org", 0, false),
	    550);
	assert_int_equal(stream_of(p, 1)->accept.message.rcpt_cnt, 0);
	assert_int_equal(intake_commit(edge_of(p), &(struct msg_mail_commit){
	    .stream = 1, .header_len = 8 }, (struct span){ full, 8 }),
	    ERR_PEER);
}

/* An id and some memory. */
static void
a_mail_without_text_leaves_nothing_on_disk(void **state)
{
	struct play *p = *state;

	for (uint64_t no = 1; no <= 100; no++)
		begin(p, no);
	assert_int_equal(edge_of(p)->stream_cnt, 100);
	assert_true(edge_of(p)->held < 100 * 2048);
	play_stop_queue(p);
	assert_int_equal(kit_rows(&p->kit, TABLE_LOOSE), 0);
	assert_int_equal(kit_rows(&p->kit, TABLE_MESSAGE), 0);
	play_start_queue(p);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, play_set_up, \
	    play_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_stream_is_opened_once),
		TEST(a_control_byte_in_an_address_breaks_the_link),
		TEST(a_wrong_parameter_of_reports_breaks_the_link),
		TEST(what_no_mail_can_say_breaks_the_link),
		TEST(a_word_about_no_stream_breaks_the_link_a_late_one_not),
		TEST(nothing_follows_a_commit_and_an_abort_comes_too_late),
		TEST(a_piece_beyond_the_credit_breaks_the_link),
		TEST(only_the_last_piece_of_a_body_is_short),
		TEST(a_commit_counts_right_and_has_a_recipient),
		TEST(too_many_recipients_are_refused),
		TEST(who_comes_again_is_one_recipient),
		TEST(to_know_ten_thousand_again_costs_next_to_nothing),
		TEST(too_many_bytes_of_recipients_are_refused),
		TEST(a_full_queue_refuses_what_is_under_way),
		TEST(a_queue_whose_disk_takes_nothing_says_451),
		TEST(edges_hear_of_a_full_queue_and_of_its_end),
		TEST(a_queue_that_stops_takes_nothing_new_and_ends_the_rest),
		TEST(what_comes_again_under_its_number_is_kept_once),
		TEST(a_number_of_an_edge_that_has_no_files_is_nonsense),
		TEST(what_comes_again_while_it_is_committed_comes_later),
		TEST(a_number_is_an_edges_own_and_is_forgotten_in_time),
		TEST(an_edge_has_a_limit_of_streams),
		TEST(the_memory_an_edge_has_here_is_bounded),
		TEST(a_stream_on_which_nothing_comes_is_dropped),
		TEST(a_stream_lasts_no_longer_than_a_session),
		TEST(a_stream_has_the_times_of_its_beginning),
		TEST(addresses_count_as_memory_of_the_edge),
		TEST(what_the_store_still_has_counts_after_its_stream),
		TEST(what_could_not_be_written_is_refused),
		TEST(when_an_edge_dies_its_open_streams_leave_nothing),
		TEST(a_stream_that_ends_is_swept_at_once),
		TEST(header_and_body_of_many_pieces_are_kept_in_order),
		TEST(who_stands_for_others_is_them_and_that_is_on_record),
		TEST(members_of_a_list_hear_of_its_owner_and_not_of_the_sender),
		TEST(who_stands_for_one_without_a_route_is_refused_whole),
		TEST(who_stands_for_nobody_is_no_recipient),
		TEST(who_it_is_may_be_known_after_the_text),
		TEST(a_route_that_was_judged_is_kept_until_routes_change),
		TEST(who_is_refused_is_no_recipient),
		TEST(a_mail_without_text_leaves_nothing_on_disk),
		TEST(a_sender_whose_bounce_would_be_lost_is_refused),
	};

	return KIT_RUN_BOTH(tests,
	    "when_an_edge_dies_its_open_streams_leave_nothing");
}
