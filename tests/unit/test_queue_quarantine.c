/*
 * What was set aside: when it goes, what lets it go, and what an administrator
 * removes.
 * room: queue
 */
#include "queue_play.h"

#include "base/crc.h"
#include "base/wire.h"
#include "queue/walk/quarantine.h"

static struct kit kit;
static struct kit_mail mail;

static void
put_mail(void)
{
	kit_mail(&kit, &mail, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	mail.rcpts[1] = SPAN("other@example.org");
	mail.accept.message.rcpt_cnt = 2;
	assert_int_equal(kit_accept(&kit, &mail), OK);
}

static int
set_up(void **state)
{
	kit_dir(&kit, "/dev/shm");
	kit_reopen(&kit);
	put_mail();
	return 0;
}

static int
tear_down(void **state)
{
	kit_close(&kit);
	return 0;
}

/* Flip a bit in the value of the first row, as the next call does back. */
static void
flip(enum table t)
{
	uint8_t v[RECORD_MAX];
	struct store_env e;
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val key, val;

	store_close(&kit.store);
	assert_int_equal(store_table_open(&e, kit.dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, e.dbi[t], &c), 0);
	assert_int_equal(mdb_cursor_get(c, &key, &val, MDB_FIRST), 0);
	memcpy(v, val.mv_data, val.mv_size);
	v[val.mv_size / 2] ^= 8;
	val.mv_data = v;
	assert_int_equal(mdb_cursor_put(c, &key, &val, MDB_CURRENT), 0);
	mdb_cursor_close(c);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
	kit_reopen(&kit);
}

#define CALL(name, op) do {						\
	unsigned before_ = kit.back_cnt;				\
	name(kit.store, op, kit_back, &kit);				\
	kit_until(&kit, kit.back_cnt > before_);			\
} while (0)

/* What dispatch does with it: read, and held when it cannot be. */
static enum err
load(void)
{
	struct store_read_envelope r = { .id = mail.mail.id };
	struct store_hold h = { .place = { mail.where.due_ms, mail.mail.id,
	    0 } };
	struct store_flow f;

	CALL(store_read_envelope, &r);
	if (kit.last != ERR_PEER) {
		free(r.envelope);
		return kit.last;
	}
	assert_true(store_flow_name(&f, mail.where.relay,
	    mail.where.destination, mail.where.tenant));
	h.flow = (struct span){ f.name, f.len };
	h.why = r.why;
	CALL(store_hold, &h);
	assert_int_equal(kit.last, OK);
	return ERR_PEER;
}

static struct store_read_totals
totals(void)
{
	struct store_read_totals t = { .held = 0 };

	CALL(store_read_totals, &t);
	return t;
}

static enum err
edit(struct store_edit *e, enum edit action)
{
	*e = (struct store_edit){ .id = mail.mail.id, .action = action,
	    .now_ms = clock_wall_ms() };
	CALL(store_edit, e);
	free(e->rows);
	e->rows = NULL;
	return kit.last;
}

static unsigned
due_cnt(void)
{
	struct store_read_due r = { .until_ms = clock_wall_ms() + 1000,
	    .row_max = STORE_DUE_MAX };
	struct store_flow f;

	assert_true(store_flow_name(&f, mail.where.relay,
	    mail.where.destination, mail.where.tenant));
	r.flow = (struct span){ f.name, f.len };
	CALL(store_read_due, &r);
	return r.cnt;
}

static void
what_can_be_read_again_is_due(void **state)
{
	static const enum table tables[] = { TABLE_MESSAGE, TABLE_DELIVERY };
	struct store_edit e;

	for (size_t i = 0; i < 2; i++) {
		flip(tables[i]);
		assert_int_equal(load(), ERR_PEER);
		assert_int_equal(totals().held, 1);
		assert_int_equal(totals().quarantined, 1);
		assert_int_equal(due_cnt(), 0);
		assert_int_equal(edit(&e, EDIT_RETRY), ERR_PEER);
		assert_int_equal(totals().held, 1);
		flip(tables[i]);
		assert_int_equal(edit(&e, EDIT_RETRY), OK);
		assert_int_equal(e.note_cnt, 1);
		assert_int_equal(totals().held, 0);
		assert_int_equal(totals().quarantined, 0);
		assert_int_equal(due_cnt(), 1);
		if (tables[i] == TABLE_MESSAGE)	/* its record says when */
			mail.where.due_ms = e.now_ms;
		assert_int_equal(edit(&e, EDIT_RETRY), ERR_NONE);
	}
	assert_int_equal(load(), OK);
}

/* Whatever cannot be read of it, a removal leaves nothing. */
static void
a_removal_takes_what_cannot_be_read(void **state)
{
	static const enum table tables[] = { TABLE_MESSAGE, TABLE_DELIVERY,
	    TABLE_RECIPIENT, TABLE_BODY };
	struct store_edit e;

	for (size_t i = 0; i < 4; i++) {
		flip(tables[i]);
		(void)load();
		assert_int_equal(edit(&e, EDIT_REMOVE), OK);
		assert_true(e.removed);
		assert_true(e.was_damaged || tables[i] == TABLE_BODY);
		assert_int_equal(totals().held, 0);
		for (int n = 0; n < 20; n++)	/* the sweep */
			kit_turn(&kit);
		store_close(&kit.store);
		for (enum table t = 0; t < TABLE__COUNT; t++)
			if (t != TABLE_HISTORY && t != TABLE_STORY &&
			    t != TABLE_LOOKUP && t != TABLE_TOTAL)
				assert_int_equal(kit_rows(&kit, t), 0);
		kit_reopen(&kit);
		assert_int_equal(edit(&e, EDIT_REMOVE), ERR_NONE);
		put_mail();
	}
}

/* Text, notes, all: what was damaged at the last recipient. */
static void
assert_nothing_is_left(void)
{
	for (int n = 0; n < 20; n++)	/* the sweep */
		kit_turn(&kit);
	store_close(&kit.store);
	for (enum table t = 0; t < TABLE__COUNT; t++)
		if (t != TABLE_HISTORY && t != TABLE_STORY &&
			    t != TABLE_LOOKUP && t != TABLE_TOTAL)
			assert_int_equal(kit_rows(&kit, t), 0);
	kit_reopen(&kit);
}

static enum err
settle_all(struct store_settle *s)
{
	static struct store_change c[2];
	static struct record_delivery was;

	for (uint32_t i = 0; i < 2; i++)
		c[i] = (struct store_change){ .class = CLASS_DONE,
		    .rcpt_no = i, .code = 250, .address = mail.rcpts[i] };
	was = (struct record_delivery){ .rcpt_cnt = 2,
	    .due_ms = (uint64_t)mail.where.due_ms, .relay = mail.where.relay,
	    .destination = mail.where.destination,
	    .tenant = mail.where.tenant };
	*s = (struct store_settle){ .id = mail.mail.id, .is_over = true,
	    .changes = c, .change_cnt = 2, .attempts = 1, .was = &was,
	    .now_ms = clock_wall_ms() };
	CALL(store_settle, s);
	return kit.last;
}

/* Damaged while its last recipient was delivered: nobody needs it any more. */
static void
an_envelope_damaged_at_the_last_recipient_goes(void **state)
{
	struct store_settle s;

	assert_int_equal(load(), OK);
	flip(TABLE_MESSAGE);
	assert_int_equal(settle_all(&s), OK);
	assert_true(s.removed);
	assert_int_equal(totals().quarantined, 0);
	assert_nothing_is_left();
}

/* As one is that an earlier build has left: by the walk over the notes. */
static void
a_note_of_what_nobody_needs_goes_with_it(void **state)
{
	struct store_edit e;
	struct store_env env;
	MDB_txn *txn;

	flip(TABLE_MESSAGE);
	assert_int_equal(load(), ERR_PEER);
	assert_int_equal(totals().quarantined, 1);
	assert_int_equal(edit(&e, EDIT_RETRY), ERR_PEER);
	store_close(&kit.store);
	assert_int_equal(store_table_open(&env, kit.dir), 0);
	assert_int_equal(mdb_txn_begin(env.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_drop(txn, env.dbi[TABLE_DELIVERY], 0), 0);
	assert_int_equal(mdb_drop(txn, env.dbi[TABLE_RECIPIENT], 0), 0);
	assert_int_equal(mdb_drop(txn, env.dbi[TABLE_DUE], 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&env);
	kit_reopen(&kit);
	assert_int_equal(edit(&e, EDIT_RETRY), OK);
	assert_true(e.removed);
	assert_nothing_is_left();
}

/* Rows of table report of the message, and how many are of nobody known. */
static uint32_t
reports(uint32_t *nameless)
{
	struct store_read_report r = { .id = mail.mail.id };
	uint32_t cnt;

	CALL(store_read_report, &r);
	assert_int_equal(kit.last, OK);
	cnt = r.rows->cnt;
	*nameless = 0;
	for (uint32_t i = 0; i < cnt; i++) {
		const struct record_report *rec = &r.rows->rows[i].rec;

		assert_int_equal(rec->action, REPORT_FAILED);
		assert_true(span_eq(rec->reply, SPAN("5.3.0 Gone")));
		assert_int_equal(rec->address.len == 0,
		    (rec->flags & RECORD_UNREAD) != 0);
		*nameless += rec->address.len == 0;
	}
	free(r.rows);
	return cnt;
}

/* All is told to the sender, and then nothing is left. */
static void
end_reports(void)
{
	struct store_read_report r = { .id = mail.mail.id };
	struct store_report told = { .id = mail.mail.id };

	CALL(store_read_report, &r);
	told.rows = r.rows;
	CALL(store_report, &told);
	assert_int_equal(kit.last, OK);
	assert_true(told.removed);
	free(r.rows);
	assert_nothing_is_left();
}

static enum err
give_up(struct store_edit *e)
{
	*e = (struct store_edit){ .id = mail.mail.id, .action = EDIT_GIVE_UP,
	    .reply = SPAN("5.3.0 Gone"), .now_ms = clock_wall_ms() };
	CALL(store_edit, e);
	free(e->rows);
	return kit.last;
}

/* Each of the two, by name or, where that cannot be read, without one. */
static void
what_is_given_up_is_told_to_its_sender(void **state)
{
	static const struct { enum table t; uint32_t nameless; } cases[] = {
		{ TABLE_DELIVERY, 0 }, { TABLE_RECIPIENT, 1 },
		{ TABLE_BODY, 0 },
	};
	uint32_t nameless;
	struct store_edit e;

	for (size_t i = 0; i < 3; i++) {
		flip(cases[i].t);
		(void)load();
		assert_int_equal(give_up(&e), OK);
		assert_false(e.removed);
		assert_int_equal(e.reported_cnt, 2);
		assert_int_equal(reports(&nameless), 2);
		assert_int_equal(nameless, cases[i].nameless);
		assert_int_equal(totals().quarantined, 0);
		assert_int_equal(totals().held, 0);
		assert_int_equal(due_cnt(), 0);
		end_reports();
		put_mail();
	}
}

/* Where the sender cannot be read each recipient is for the postmaster. */
static void
what_has_no_sender_is_told_to_the_postmaster(void **state)
{
	struct store_read_discards d = { .row_max = STORE_DISCARDS_MAX };
	struct store_edit e;

	flip(TABLE_MESSAGE);
	assert_int_equal(load(), ERR_PEER);
	assert_int_equal(give_up(&e), OK);
	assert_true(e.removed);
	assert_int_equal(e.reported_cnt, 0);
	assert_int_equal(e.unreported_cnt, 2);
	CALL(store_read_discards, &d);
	assert_int_equal(d.rows->cnt, 2);
	assert_true(span_eq(d.rows->rows[0].rec.reply, SPAN("5.3.0 Gone")));
	free(d.rows);
	assert_int_equal(totals().quarantined, 0);
	assert_int_equal(give_up(&e), ERR_NONE);
}

/* The comparison with the due index finds it, due or not. */
static void
a_delivery_has_its_note_before_it_is_due(void **state)
{
	static struct store_read_index r = { .row_max = 100 };

	assert_int_equal(totals().quarantined, 0);
	flip(TABLE_DELIVERY);
	for (int i = 0; i < 2; i++) {
		r.from.len = 0;
		CALL(store_read_index, &r);
		assert_true(r.at_end);
	}
	kit_until(&kit, totals().quarantined == 1);
}

/* It was sent when its row could be read, and is not sent again. */
static void
results_of_a_delivery_damaged_under_way_are_kept(void **state)
{
	struct store_read_envelope first = { .id = mail.mail.id };
	struct store_read_envelope r = { .id = mail.mail.id };
	struct store_change c[2] = { { .class = CLASS_DONE, .code = 250,
	    .address = mail.rcpts[0] }, { .class = CLASS_LATER, .code = 450,
	    .rcpt_no = 1, .address = mail.rcpts[1], .reply = SPAN("Busy") } };
	struct store_settle s = { .id = mail.mail.id, .changes = c,
	    .change_cnt = 2, .attempts = 1,
	    .due_ms = clock_wall_ms(), .now_ms = clock_wall_ms() };

	CALL(store_read_envelope, &first);
	assert_int_equal(kit.last, OK);
	s.was = &first.envelope->delivery;
	flip(TABLE_DELIVERY);
	CALL(store_settle, &s);
	assert_int_equal(kit.last, OK);
	assert_true(s.was_lost);
	CALL(store_read_envelope, &r);
	assert_int_equal(kit.last, OK);
	assert_int_equal(r.envelope->rcpt_cnt, 1);
	assert_int_equal(r.envelope->rcpts[0].no, 1);
	assert_int_equal(r.envelope->delivery.rcpt_cnt, 1);
	assert_int_equal(r.envelope->delivery.attempts, 1);
	free(r.envelope);
	assert_int_equal(due_cnt(), 1);
	assert_int_equal(totals().quarantined, 0);
	c[1].class = CLASS_DONE;
	s.changes = &c[1];
	s.change_cnt = 1;
	s.is_over = true;
	CALL(store_settle, &s);
	assert_true(s.removed);
	CALL(store_settle, &s);		/* removed is removed */
	assert_int_equal(kit.last, ERR_NONE);
	free(first.envelope);
}

static void
an_id_far_ahead_is_not_the_last(void **state)
{
	struct id last = kit.ready.last_id, ahead = last;
	struct store_env e;
	struct store_key k;
	MDB_txn *txn;

	ahead.b[0] ^= 0x10;
	store_close(&kit.store);
	assert_int_equal(store_table_open(&e, kit.dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	store_table_key_id(&k, ahead);
	assert_int_equal(store_table_put(&e, txn, TABLE_MESSAGE, &k, "x", 1),
	    0);
	store_table_key_discard(&k, clock_wall_ms() + 1, ahead, 0);
	assert_int_equal(store_table_put(&e, txn, TABLE_HISTORY, &k, "x", 1),
	    0);
	store_table_key_discard(&k, INT64_C(1) << 60, last, 0);
	assert_int_equal(store_table_put(&e, txn, TABLE_HISTORY, &k, "x", 1),
	    0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
	kit_reopen(&kit);
	assert_int_equal(id_cmp(kit.ready.last_id, mail.mail.id), 0);
}

/* The first row as a later version writes it; or, version 0, as it was. */
static void
set_version(const char *dir, enum table t, uint8_t version)
{
	static uint8_t before;
	uint8_t v[RECORD_MAX];
	struct store_env e;
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val key, val;
	struct wire_out w = { v, 0, sizeof(v), false };

	assert_int_equal(store_table_open(&e, dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, e.dbi[t], &c), 0);
	assert_int_equal(mdb_cursor_get(c, &key, &val, MDB_FIRST), 0);
	memcpy(v, val.mv_data, val.mv_size);
	if (version > 0)
		before = v[0];
	v[0] = version > 0 ? version : before;
	w.len = val.mv_size - 4;
	wire_u32(&w, crc_of(0, v, w.len));
	val.mv_data = v;
	assert_int_equal(mdb_cursor_put(c, &key, &val, MDB_CURRENT), 0);
	mdb_cursor_close(c);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
}

static uint64_t
held_in(struct play *p)
{
	struct store_read_totals t = { .held = 0 };
	unsigned before = p->kit.back_cnt;

	store_read_totals(p->q.store, &t, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	return t.held;
}

/* Stop, have the row written by another version, and start with a relay. */
static void
start_with(struct play *p, enum table t, uint8_t version)
{
	play_stop_queue(p);
	quarantine_close(&p->q.quarantine);
	set_version(p->kit.dir, t, version);
	play_start_queue(p);
	assert_int_equal(quarantine_open(&p->q.quarantine, &p->q), OK);
	play_link_edge(p);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
}

static void
what_a_newer_postern_wrote_waits_until_it_is_back(void **state)
{
	static const enum table tables[] = { TABLE_MESSAGE, TABLE_RECIPIENT,
	    TABLE_DELIVERY };
	struct play *p = *state;

	for (unsigned i = 0; i < 3; i++) {
		play_send_mail(p, i, "from@example.org", "to@example.net");
		kit_until(&p->kit, p->taken_cnt == i + 1);
		start_with(p, tables[i], 99);
		kit_until(&p->kit, held_in(p) == 1);
		assert_int_equal(p->open_cnt, i);
		start_with(p, tables[i], 0);
		kit_until(&p->kit, p->open_cnt == i + 1);
		play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
		kit_until(&p->kit, p->settled_cnt == i + 1);
		assert_int_equal(p->q.message_cnt, 0);
		assert_int_equal(held_in(p), 0);
		play_stop_queue(p);
		quarantine_close(&p->q.quarantine);
		play_start_queue(p);
		play_link_edge(p);
	}
}

/* Its recipients are listed, and nobody wonders how they wait. */
static void
a_delivery_that_cannot_be_read_is_listed_as_held(void **state)
{
	struct store_read_rows r = { .one = true, .message_max = 1,
	    .from = { .id = mail.mail.id } };

	flip(TABLE_DELIVERY);
	CALL(store_read_rows, &r);
	assert_int_equal(kit.last, OK);
	assert_int_equal(r.cnt, 4);
	assert_int_equal(r.rows[1].kind, ROW_DELIVERY);
	assert_int_equal(store_held_by(&r.rows[1].rec.delivery), HELD_DAMAGE);
	assert_true(span_eq(r.rows[1].rec.delivery.relay,
	    SPAN("(cannot be read)")));
	free(r.rows);
}

/* Neither memory nor room to hold it: it has no envelope, and is not lost. */
static void
what_cannot_be_held_just_now_is_looked_at_again(void **state)
{
	struct play *p = *state;
	struct delivery *dl;

	play_send_mail(p, 1, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	dl = due_take(p->q.due, due_find_destination(p->q.due, SPAN("out"),
	    SPAN("out")));
	assert_non_null(dl);
	dl->is_expiring = true;
	outcome_put_off(&p->q, dl);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 1);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_can_be_read_again_is_due),
		TEST(a_removal_takes_what_cannot_be_read),
		TEST(an_envelope_damaged_at_the_last_recipient_goes),
		TEST(a_note_of_what_nobody_needs_goes_with_it),
		TEST(what_is_given_up_is_told_to_its_sender),
		TEST(what_has_no_sender_is_told_to_the_postmaster),
		TEST(a_delivery_has_its_note_before_it_is_due),
		TEST(results_of_a_delivery_damaged_under_way_are_kept),
		TEST(an_id_far_ahead_is_not_the_last),
		TEST(a_delivery_that_cannot_be_read_is_listed_as_held),
		cmocka_unit_test_setup_teardown(
		    what_a_newer_postern_wrote_waits_until_it_is_back,
		    play_set_up, play_tear_down),
		cmocka_unit_test_setup_teardown(
		    what_cannot_be_held_just_now_is_looked_at_again,
		    play_set_up, play_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
