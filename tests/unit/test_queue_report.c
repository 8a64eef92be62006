/*
 * test_queue_report - what senders are told: once for a message, whatever ends
 * when, and whatever dies between.
 * room: queue
 */
#include "queue_play.h"

#include "queue/bounce/telling_inside.h"

#define RCPTS	4

/* A message to four, a delivery each, of which a relay takes one at a time. */
static void
send_to_four(struct play *p, const char *sender)
{
	static const char *const more[] = { "b@example.net", "c@example.net",
	    "d@example.net" };
	struct span header = SPAN("Subject: to four\r\n\r\n");
	struct span body = SPAN("All of it\r\n");

	p->q.settings.splits_rcpts = true;
	play_link_relay(p, 1);
	play_list_slots(p, 1);
	play_open_mail(p, 1, sender, "a@example.net");
	for (int i = 0; i < RCPTS - 1; i++)
		link_send_mail_rcpt(p->edge, &(struct msg_mail_rcpt){
		    .stream = 1, .rcpt = span_of(more[i]) });
	link_send_mail_body(p->edge, &(struct msg_mail_body){ 1 }, body);
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){
	    .stream = 1, .flags = 0,
	    .header_len = header.len, .body_len = body.len }, header);
	kit_until(&p->kit, p->open_cnt == 1 && p->taken_cnt == 1);
}

/* The answer to what was opened last; its number is its delivery's. */
static void
answer(struct play *p, enum outcome_class class, uint16_t code)
{
	struct msg_delivery_result r = {
		.id = p->opened.id, .delivery = p->opened.delivery,
		.attempt = p->opened.attempt, .rcpt_no = p->opened.delivery,
		.class = class, .scope = SCOPE_RECIPIENT, .stage = STAGE_RCPT,
		.code = code, .reply = SPAN("0.1.1 Words"),
		.hop = SPAN("mx.example.net[192.0.2.7]:25"),
	};
	struct msg_delivery_done d = {
		r.id, r.delivery, r.attempt, 1, 0, 0,
	};
	unsigned before = p->settled_cnt;

	link_send_delivery_result(p->relay, &r);
	link_send_delivery_done(p->relay, &d);
	kit_until(&p->kit, p->settled_cnt > before);
}

/* The next one that is opened is the bounce: its text. */
static const char *
bounce_text(struct play *p, unsigned opened)
{
	kit_until(&p->kit, p->open_cnt == opened && p->sender[0] == '\0' &&
	    p->rcpt_cnt == opened);
	assert_string_equal(p->rcpt, "from@example.org");
	p->text_len = 0;
	p->piece_cnt = 0;
	play_pull(p, PART_BODY);
	kit_until(&p->kit, p->piece_cnt == 1);
	p->text[p->text_len] = '\0';
	return p->text;
}

static unsigned
count(const char *text, const char *word)
{
	unsigned cnt = 0;

	for (; (text = strstr(text, word)) != NULL; text += strlen(word))
		cnt++;
	return cnt;
}

static void
a_message_that_fails_four_times_is_one_bounce(void **state)
{
	struct play *p = *state;
	const char *text;

	send_to_four(p, "from@example.org");
	for (unsigned i = 1; i <= RCPTS; i++) {
		kit_until(&p->kit, p->open_cnt == i);
		assert_string_equal(p->sender, "from@example.org");
		answer(p, CLASS_NEVER, 550);
	}
	text = bounce_text(p, RCPTS + 1);
	assert_int_equal(count(text, "Final-Recipient: "), RCPTS);
	assert_int_equal(count(text, "Subject: to four"), 2);
	assert_int_equal(p->q.message_cnt, 1);	/* the bounce alone */
}

/* It waits for the minute, which a test does not. */
static void
what_is_over_early_is_told_after_a_while(void **state)
{
	struct play *p = *state;
	const char *text;

	play_wait_for_years(p);
	send_to_four(p, "from@example.org");
	for (unsigned i = 1; i <= RCPTS; i++) {
		kit_until(&p->kit, p->open_cnt == i);
		answer(p, i < 3 ? CLASS_NEVER : CLASS_LATER, i < 3 ? 550 :
		    450);
	}
	for (int i = 0; i < 50; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, RCPTS);
	TAILQ_FIRST(&p->q.reports->gathers)->ripe_ms = 0;
	timer_set(&p->q.reports->timer, 0);
	text = bounce_text(p, RCPTS + 1);
	assert_int_equal(count(text, "Final-Recipient: "), 2);
	assert_int_equal(p->q.message_cnt, 2);
}

/* Stop behind the settle, and begin anew. */
static void
restart(struct play *p)
{
	play_stop_queue(p);
	p->open_cnt = p->rcpt_cnt = p->settled_cnt = 0;
	play_start_queue(p);
	play_link_edge(p);
	play_link_relay(p, 2);
	play_list_slots(p, 1);
}

static void
two_fail_and_two_wait(struct play *p)
{
	play_wait_for_years(p);
	send_to_four(p, "from@example.org");
	for (unsigned i = 1; i <= RCPTS; i++) {
		kit_until(&p->kit, p->open_cnt == i);
		answer(p, i < 3 ? CLASS_NEVER : CLASS_LATER, i < 3 ? 550 :
		    450);
	}
}

static void
a_restart_tells_what_was_still_to_be_told_once(void **state)
{
	struct play *p = *state;
	const char *text;

	two_fail_and_two_wait(p);
	restart(p);
	text = bounce_text(p, 1);
	assert_int_equal(count(text, "Final-Recipient: "), 2);
	answer(p, CLASS_DONE, 250);
	restart(p);
	for (int i = 0; i < 50; i++)
		kit_turn(&p->kit);
	assert_int_equal(p->open_cnt, 0);
}

/* One byte of the first row is another. */
static void
damage_a_row(struct play *p)
{
	struct store_env e;
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val key, val;
	char row[RECORD_MAX];

	assert_int_equal(store_table_open(&e, p->kit.dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, e.dbi[TABLE_REPORT], &c), 0);
	assert_int_equal(mdb_cursor_get(c, &key, &val, MDB_FIRST), 0);
	memcpy(row, val.mv_data, val.mv_size);
	row[val.mv_size / 2] ^= 4;
	val.mv_data = row;
	assert_int_equal(mdb_cursor_put(c, &key, &val, MDB_CURRENT), 0);
	mdb_cursor_close(c);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
}

static void
a_damaged_row_is_told_without_its_details(void **state)
{
	struct play *p = *state;
	const char *text;

	two_fail_and_two_wait(p);
	play_stop_queue(p);
	damage_a_row(p);
	p->open_cnt = p->rcpt_cnt = p->settled_cnt = 0;
	play_start_queue(p);
	play_link_edge(p);
	play_link_relay(p, 2);
	play_list_slots(p, 1);
	text = bounce_text(p, 1);
	assert_int_equal(count(text, "Final-Recipient: rfc822; "), 1);
	assert_int_equal(count(text, "Final-Recipient: x-postern; unknown"),
	    1);
	assert_int_equal(count(text, "lost by damage to our records"), 1);
	answer(p, CLASS_DONE, 250);
	kit_until(&p->kit, p->q.message_cnt == 1);
	play_stop_queue(p);
	assert_int_equal(kit_rows(&p->kit, TABLE_REPORT), 0);
	play_start_queue(p);
}

static void
forgotten(enum tool_status status, void *arg)
{
	*(bool *)arg = true;
}

static void
what_is_removed_is_not_told_of(void **state)
{
	struct play *p = *state;
	enum tool_status why;
	bool over = false;

	two_fail_and_two_wait(p);
	assert_true(edit_start(&p->q, p->id, EDIT_REMOVE, SPAN(""),
		    &why, forgotten,
	    &over));
	kit_until(&p->kit, over);
	TAILQ_FIRST(&p->q.reports->gathers)->ripe_ms = 0;
	timer_set(&p->q.reports->timer, 0);
	kit_until(&p->kit, RB_EMPTY(&p->q.reports->tasks));
	assert_int_equal(p->open_cnt, RCPTS);
	assert_int_equal(p->q.message_cnt, 0);
}

static void
what_nobody_can_be_told_is_kept_for_the_digest(void **state)
{
	struct play *p = *state;

	send_to_four(p, "");
	for (unsigned i = 1; i <= RCPTS; i++) {
		kit_until(&p->kit, p->open_cnt == i);
		answer(p, CLASS_NEVER, 550);
	}
	kit_until(&p->kit, p->q.message_cnt == 0);
	play_stop_queue(p);
	assert_int_equal(kit_rows(&p->kit, TABLE_DISCARD), RCPTS);
	assert_int_equal(kit_rows(&p->kit, TABLE_REPORT), 0);
	assert_int_equal(kit_rows(&p->kit, TABLE_HEADER), 0);
	play_start_queue(p);
}

/* The first row becomes as old as that, in a store nobody has open. */
static void
age_discards(struct play *p, int64_t by_ms)
{
	struct store_env e;
	struct store_key k;
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val key, val;
	char row[RECORD_MAX];

	assert_int_equal(store_table_open(&e, p->kit.dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, e.dbi[TABLE_DISCARD], &c), 0);
	assert_int_equal(mdb_cursor_get(c, &key, &val, MDB_FIRST), 0);
	k.len = key.mv_size;
	memcpy(k.b, key.mv_data, k.len);
	memcpy(row, val.mv_data, val.mv_size);
	assert_int_equal(mdb_cursor_del(c, 0), 0);
	by_ms = clock_wall_ms() - by_ms;
	for (int i = 7; i >= 0; i--, by_ms >>= 8)
		k.b[i] = (uint8_t)by_ms;
	assert_int_equal(store_table_put(&e, txn, TABLE_DISCARD, &k, row,
	    val.mv_size), 0);
	mdb_cursor_close(c);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
}

/* Four that have no sender fail; then the queue is down. */
static void
lose_four(struct play *p)
{
	send_to_four(p, "");
	for (unsigned i = 1; i <= RCPTS; i++) {
		kit_until(&p->kit, p->open_cnt == i);
		answer(p, CLASS_NEVER, 550);
	}
	kit_until(&p->kit, p->q.message_cnt == 0);
	play_stop_queue(p);
}

/* Up again, with a postmaster, as a slice would say. */
static void
start_with(struct play *p, const char *postmaster)
{
	p->open_cnt = p->rcpt_cnt = p->settled_cnt = 0;
	play_start_queue(p);
	strlcpy(p->q.settings.postmaster, postmaster,
	    sizeof(p->q.settings.postmaster));
	digest_look(p->q.digest);
	play_link_edge(p);
	play_link_relay(p, 2);
	play_list_slots(p, 1);
}

static void
turn(struct play *p)
{
	for (int i = 0; i < 50; i++)
		kit_turn(&p->kit);
}

static void
the_postmaster_is_told_an_hour_later_once(void **state)
{
	struct play *p = *state;

	lose_four(p);
	age_discards(p, DIGEST_EVERY_MS - 20000);
	start_with(p, "pm@example.org");
	turn(p);
	assert_int_equal(p->open_cnt, 0);
	play_stop_queue(p);
	age_discards(p, DIGEST_EVERY_MS);
	start_with(p, "pm@example.org");
	kit_until(&p->kit, p->open_cnt == 1 && p->rcpt_cnt == 1);
	assert_string_equal(p->sender, "");
	assert_string_equal(p->rcpt, "pm@example.org");
	p->text_len = p->piece_cnt = 0;
	play_pull(p, PART_BODY);
	kit_until(&p->kit, p->piece_cnt == 1);
	p->text[p->text_len] = '\0';
	assert_int_equal(count(p->text, "Recipient: "), RCPTS);
	assert_int_equal(count(p->text, "it has no sender to be told"),
	    RCPTS);
	play_stop_queue(p);		/* before it is delivered */
	assert_int_equal(kit_rows(&p->kit, TABLE_DISCARD), 0);
	start_with(p, "pm@example.org");
	kit_until(&p->kit, p->open_cnt == 1);
	answer(p, CLASS_DONE, 250);
	kit_until(&p->kit, p->q.message_cnt == 0);
	turn(p);
	assert_int_equal(p->open_cnt, 1);
}

static void
a_digest_that_fails_is_told_of_by_none(void **state)
{
	struct play *p = *state;

	lose_four(p);
	age_discards(p, 2 * DIGEST_EVERY_MS);
	start_with(p, "pm@example.org");
	kit_until(&p->kit, p->open_cnt == 1);
	answer(p, CLASS_NEVER, 550);
	kit_until(&p->kit, p->q.message_cnt == 0);
	play_stop_queue(p);
	assert_int_equal(kit_rows(&p->kit, TABLE_DISCARD), 0);
	start_with(p, "pm@example.org");
	turn(p);
	assert_int_equal(p->open_cnt, 0);
}

/* There is nobody to tell, or no way to him: then there is. */
static void
what_cannot_be_told_to_the_postmaster_waits(void **state)
{
	struct play *p = *state;

	lose_four(p);
	age_discards(p, 2 * DIGEST_EVERY_MS);
	start_with(p, "");
	turn(p);
	route_free(&p->q.settings.routes);
	assert_int_equal(route_new(&p->q.settings.routes), OK);
	strcpy(p->q.settings.postmaster, "pm@example.org");
	digest_look(p->q.digest);
	turn(p);
	assert_int_equal(p->open_cnt, 0);
	assert_int_equal(p->q.message_cnt, 0);
	route_free(&p->q.settings.routes);
	play_plain_routes(&p->q.settings);
	digest_look(p->q.digest);
	kit_until(&p->kit, p->open_cnt == 1);
	answer(p, CLASS_DONE, 250);
}

/* While one is read or written there is more to tell: it is not forgotten. */
static void
what_comes_after_a_digest_waits_for_its_own_hour(void **state)
{
	struct play *p = *state;

	lose_four(p);
	age_discards(p, 2 * DIGEST_EVERY_MS);
	start_with(p, "pm@example.org");
	kit_until(&p->kit, p->open_cnt == 1);
	answer(p, CLASS_DONE, 250);
	kit_until(&p->kit, p->q.message_cnt == 0);
	p->open_cnt = p->rcpt_cnt = p->taken_cnt = 0;
	play_send_mail(p, 9, "", "late@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	play_answer(p, CLASS_NEVER, SCOPE_RECIPIENT, 550, "5.1.1 No");
	kit_until(&p->kit, p->q.message_cnt == 0);
	turn(p);
	assert_int_equal(p->open_cnt, 1);
	play_stop_queue(p);
	assert_int_equal(kit_rows(&p->kit, TABLE_DISCARD), 1);
	age_discards(p, DIGEST_EVERY_MS);
	start_with(p, "pm@example.org");
	kit_until(&p->kit, p->open_cnt == 1);
	assert_string_equal(p->rcpt, "pm@example.org");
	answer(p, CLASS_DONE, 250);
}

int
main(void)
{
#define PLAY(t)	cmocka_unit_test_setup_teardown(t, play_set_up, play_tear_down)
	const struct CMUnitTest tests[] = {
		PLAY(a_message_that_fails_four_times_is_one_bounce),
		PLAY(what_is_over_early_is_told_after_a_while),
		PLAY(a_restart_tells_what_was_still_to_be_told_once),
		PLAY(a_damaged_row_is_told_without_its_details),
		PLAY(what_is_removed_is_not_told_of),
		PLAY(what_nobody_can_be_told_is_kept_for_the_digest),
		PLAY(the_postmaster_is_told_an_hour_later_once),
		PLAY(a_digest_that_fails_is_told_of_by_none),
		PLAY(what_cannot_be_told_to_the_postmaster_waits),
		PLAY(what_comes_after_a_digest_waits_for_its_own_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
