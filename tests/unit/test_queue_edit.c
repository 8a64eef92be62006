/*
 * Edits as rows: what each moves, what a removal leaves (nothing), on a full
 * disk, and cut off anywhere by a kill.
 * room: queue
 */
#include "queue_disk.h"
#include "sweep_kit.h"

#include <signal.h>

#define DELIVERIES	3

/* A message whose recipients have a delivery each. */
struct wide {
	struct kit_mail	 mail;
	struct store_delivery where[DELIVERIES];
	uint32_t	 numbers[DELIVERIES];
};

static void
fill_wide(struct kit *k, struct wide *w, struct span body)
{
	kit_mail(k, &w->mail, SPAN("A: b\r\n\r\n"), body);
	for (uint32_t i = 0; i < DELIVERIES; i++) {
		w->mail.rcpts[i] = w->mail.rcpts[0];
		w->where[i] = w->mail.where;
		w->where[i].due_ms += 3600000 * (int64_t)i;
		w->numbers[i] = i;
	}
	w->where[1].destination = SPAN("elsewhere");
	w->mail.accept.deliveries = w->where;
	w->mail.accept.rcpt_delivery = w->numbers;
	w->mail.accept.message.rcpt_cnt = DELIVERIES;
	w->mail.accept.message.delivery_cnt = DELIVERIES;
}

/* What the edit says of each, and its rows freed. */
static enum err
edit(struct kit *k, struct store_edit *e, struct id id, enum edit action)
{
	unsigned before = k->back_cnt;

	*e = (struct store_edit){ .id = id, .action = action,
	    .now_ms = clock_wall_ms() };
	store_edit(k->store, e, kit_back, k);
	kit_until(k, k->back_cnt > before);
	return k->last;
}

static uint64_t
held(struct kit *k)
{
	struct store_read_totals t;
	unsigned before = k->back_cnt;

	memset(&t, 0, sizeof(t));
	store_read_totals(k->store, &t, kit_back, k);
	kit_until(k, k->back_cnt > before);
	assert_int_equal(k->last, OK);
	return t.held;
}

/* Each delivery has its one row of due, and the count of the held is right. */
static void
check_rows(struct kit *k)
{
	struct store_env e;
	struct store_key key;
	union record r;
	uint64_t held_cnt = 0, total = 0;
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val at, val;

	assert_int_equal(store_table_open(&e, k->dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, e.dbi[TABLE_DELIVERY], &c), 0);
	while (mdb_cursor_get(c, &at, &val, MDB_NEXT) == 0) {
		struct store_flow flow;
		struct store_place place = { .no = store_table_no(at) };
		MDB_val found;

		assert_int_equal(record_get((struct span){ val.mv_data,
		    val.mv_size }, RECORD_delivery, &r), OK);
		memcpy(place.id.b, at.mv_data, 16);
		place.due_ms = (int64_t)r.delivery.due_ms;
		held_cnt += place.due_ms == STORE_HELD_MS;
		assert_true(store_flow_name(&flow, r.delivery.relay,
		    r.delivery.destination, r.delivery.tenant));
		store_table_key_due(&key, (struct span){ flow.name,
		    flow.len }, &place);
		assert_int_equal(store_table_get(&e, txn, TABLE_DUE, &key,
		    &found), 0);
		store_table_key_id(&key, place.id);
		assert_int_equal(store_table_get(&e, txn, TABLE_MESSAGE,
		    &key, &found), 0);
	}
	mdb_cursor_close(c);
	key = (struct store_key){ .len = 4, .b = "held" };
	if (store_table_get(&e, txn, TABLE_TOTAL, &key, &val) == 0) {
		assert_int_equal(record_get((struct span){ val.mv_data,
		    val.mv_size }, RECORD_total, &r), OK);
		total = r.total.held;
	}
	assert_int_equal(total, held_cnt);
	mdb_txn_abort(txn);
	store_table_close(&e);
}

static void
expect_rows(struct kit *k, size_t messages, size_t deliveries)
{
	store_close(&k->store);
	check_rows(k);
	assert_int_equal(kit_rows(k, TABLE_MESSAGE), messages);
	assert_int_equal(kit_rows(k, TABLE_RECIPIENT), deliveries);
	assert_int_equal(kit_rows(k, TABLE_DELIVERY), deliveries);
	assert_int_equal(kit_rows(k, TABLE_DUE), deliveries);
	kit_reopen(k);
}

static void
each_action_moves_what_it_is_about(void **state)
{
	static const struct {
		enum edit	 action;
		uint32_t	 changed;
		uint64_t	 held;
	} steps[] = {
		{ EDIT_RELEASE, 0, 0 }, { EDIT_FLUSH, 2, 0 },
		{ EDIT_FLUSH, 0, 0 }, { EDIT_HOLD, 3, 3 },
		{ EDIT_HOLD, 0, 3 }, { EDIT_FLUSH, 0, 3 },
		{ EDIT_RELEASE, 3, 0 }, { EDIT_HOLD, 3, 3 },
		{ EDIT_REMOVE, 3, 0 },
	};
	struct kit *k = *state;
	struct wide w;

	fill_wide(k, &w, SPAN("text\r\n"));
	assert_int_equal(kit_accept(k, &w.mail), OK);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct store_edit e;

		assert_int_equal(edit(k, &e, w.mail.mail.id, steps[i].action),
		    OK);
		assert_int_equal(e.changed_cnt, steps[i].changed);
		assert_int_equal(e.row_cnt, DELIVERIES);
		for (uint32_t no = 0; no < e.row_cnt; no++) {
			assert_int_equal(e.rows[no].place.no, no);
			if (e.rows[no].moved)
				assert_int_equal(e.rows[no].place.due_ms,
				    steps[i].action == EDIT_HOLD ?
				    STORE_HELD_MS : e.now_ms);
		}
		free(e.rows);
		assert_int_equal(held(k), steps[i].held);
		expect_rows(k, steps[i].action != EDIT_REMOVE,
		    steps[i].action != EDIT_REMOVE ? DELIVERIES : 0);
	}
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_HEADER), 0);
	assert_int_equal(kit_rows(k, TABLE_BODY), 0);
	kit_reopen(k);
}

static void
a_long_text_is_swept_behind_its_message(void **state)
{
	static char text[PIECE_MAX];
	struct kit *k = *state;
	struct store_piece pieces[8];
	struct store_edit e;
	struct wide w;

	fill_wide(k, &w, SPAN("last\r\n"));
	for (uint32_t i = 0; i < 8; i++) {
		pieces[i] = (struct store_piece){ .mail = &w.mail.mail,
		    .part = PART_BODY, .piece_no = i,
		    .text = { text, PIECE_MAX } };
		store_put_piece(k->store, &pieces[i], kit_back, k);
	}
	w.mail.accept.body_piece_no = 8;
	w.mail.accept.message.body_len += 8 * PIECE_MAX;
	kit_until(k, k->back_cnt == 8);
	assert_int_equal(kit_accept(k, &w.mail), OK);
	assert_int_equal(edit(k, &e, w.mail.mail.id, EDIT_REMOVE), OK);
	free(e.rows);
	expect_rows(k, 0, 0);
	sweep_wait(k);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_BODY), 0);
	assert_int_equal(kit_rows(k, TABLE_LOOSE), 0);
	kit_reopen(k);
}

static void
what_is_not_there_cannot_be_edited(void **state)
{
	struct kit *k = *state;
	struct store_edit e;

	for (enum edit a = 0; a < EDIT__COUNT; a++) {
		assert_int_equal(edit(k, &e, kit_id(k), a), ERR_NONE);
		assert_null(e.rows);
	}
}

static void
a_stale_row_takes_no_right_one_along(void **state)
{
	struct kit *k = *state;
	struct store_undue u = { .is_stale = true };
	struct store_flow flow;
	struct kit_mail m;
	unsigned before;

	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	assert_int_equal(kit_accept(k, &m), OK);
	assert_true(store_flow_name(&flow, m.where.relay,
	    m.where.destination, m.where.tenant));
	u.flow = (struct span){ flow.name, flow.len };
	u.place = (struct store_place){ m.where.due_ms, m.mail.id, 0 };
	before = k->back_cnt;
	store_undue(k->store, &u, kit_back, k);
	kit_until(k, k->back_cnt > before);
	expect_rows(k, 1, 1);
}

/* Where nothing more can be taken, things can still be held and removed. */
static void
edit_on_a_full_disk(const char *dir)
{
	static char text[20000];
	struct store_edit e;
	struct kit k;
	struct wide w;
	struct id ids[512];
	unsigned cnt;

	kit_dir(&k, dir);
	kit_reopen(&k);
	for (cnt = 0; cnt < 512; cnt++) {
		fill_wide(&k, &w, (struct span){ text, sizeof(text) });
		ids[cnt] = w.mail.mail.id;
		if (k.full || kit_accept(&k, &w.mail) != OK)
			break;
	}
	assert_true(cnt > 20 && cnt < 512);
	for (unsigned i = 0; i < cnt; i++) {
		assert_int_equal(edit(&k, &e, ids[i], EDIT_HOLD), OK);
		free(e.rows);
	}
	assert_int_equal(held(&k), cnt * DELIVERIES);
	for (unsigned i = 0; i < cnt; i++) {
		assert_int_equal(edit(&k, &e, ids[i], EDIT_REMOVE), OK);
		free(e.rows);
	}
	expect_rows(&k, 0, 0);
	kit_until(&k, !k.full);
	kit_close(&k);
}

static void
a_full_disk_is_emptied_by_removing(void **state)
{
	disk_try("size=6m", edit_on_a_full_disk);
}

/* What the child says is done: an action on a message. */
struct done {
	struct id	 id;
	uint8_t		 action;
};

#define CHILD_MAILS	6

/* Edits without end, a line on the pipe for each that came back. */
static void
edit_until_killed(const char *dir, int out)
{
	static struct wide w[CHILD_MAILS];
	struct kit k = { .limits = { .reserve = 1 << 20,
	    .history_ms = 86400000, .history_bytes = 1 << 20 } };

	snprintf(k.dir, sizeof(k.dir), "%s", dir);
	if (ev_open(&k.loop) != OK)
		_exit(1);
	kit_reopen(&k);
	for (;;) {
		for (int i = 0; i < CHILD_MAILS; i++) {
			fill_wide(&k, &w[i], SPAN("text\r\n"));
			if (kit_accept(&k, &w[i].mail) != OK)
				_exit(1);
		}
		for (int i = 0; i < CHILD_MAILS * 4; i++) {
			struct id id = w[i % CHILD_MAILS].mail.mail.id;
			struct done d = { id, i >= CHILD_MAILS * 3 &&
			    i % 2 ? EDIT_REMOVE : (uint8_t)(i % EDIT_REMOVE) };
			struct store_edit e;

			if (edit(&k, &e, id, d.action) != OK ||
			    write(out, &d, sizeof(d)) != sizeof(d))
				_exit(1);
			free(e.rows);
		}
	}
}

static bool
is_there(struct kit *k, struct id id, int64_t *due_ms)
{
	struct store_read_envelope r = { .id = id };
	unsigned before = k->back_cnt;

	store_read_envelope(k->store, &r, kit_back, k);
	kit_until(k, k->back_cnt > before);
	if (k->last != OK)
		return false;
	*due_ms = (int64_t)r.envelope->delivery.due_ms;
	free(r.envelope);
	return true;
}

/* The next edit of it may be on disk and not yet be told: two will do. */
static void
check_done(struct kit *k, const struct done *all, unsigned cnt)
{
	for (unsigned i = 0; i < cnt; i++) {
		int64_t due_ms = 0;
		bool last = true;

		for (unsigned j = i + 1; j < cnt; j++)
			last &= id_cmp(all[i].id, all[j].id) != 0;
		if (all[i].action == EDIT_REMOVE)
			assert_false(is_there(k, all[i].id, &due_ms));
		else if (last && i + CHILD_MAILS < cnt)
			assert_true(is_there(k, all[i].id, &due_ms));
	}
}

static void
a_kill_leaves_each_edit_whole_or_undone(void **state)
{
	struct kit *k = *state;
	unsigned total = 0;

	store_close(&k->store);
	for (unsigned round = 0; round < 6; round++) {
		static struct done all[20000];
		unsigned cnt = 0;
		int fds[2];
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		assert_true((pid = fork()) >= 0);
		if (pid == 0)
			edit_until_killed(k->dir, fds[1]);
		close(fds[1]);
		usleep(150000 + 11000 * round);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		while (cnt < 20000 && read(fds[0], &all[cnt],
		    sizeof(all[0])) == sizeof(all[0]))
			cnt++;
		close(fds[0]);
		check_rows(k);
		kit_reopen(k);
		check_done(k, all, cnt);
		total += cnt;
		store_close(&k->store);
	}
	assert_true(total > 50);
	kit_reopen(k);
}

/* The writer does what was handed over; sanitizers see what it leaves. */
static void
what_nobody_hears_of_any_more_is_freed(void **state)
{
	struct kit *k = *state;
	struct store_edit e = { .action = EDIT_HOLD,
	    .now_ms = clock_wall_ms() };
	struct wide w;

	fill_wide(k, &w, SPAN("text\r\n"));
	assert_int_equal(kit_accept(k, &w.mail), OK);
	e.id = w.mail.mail.id;
	store_edit(k->store, &e, kit_back, k);
	store_close(&k->store);
	assert_int_equal(e.changed_cnt, DELIVERIES);
	assert_null(e.rows);
	kit_reopen(k);
	assert_int_equal(held(k), DELIVERIES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_disk_is_emptied_by_removing),
		KIT_TEST(each_action_moves_what_it_is_about),
		KIT_TEST(a_long_text_is_swept_behind_its_message),
		KIT_TEST(what_is_not_there_cannot_be_edited),
		KIT_TEST(what_nobody_hears_of_any_more_is_freed),
		KIT_TEST(a_stale_row_takes_no_right_one_along),
		KIT_TEST(a_kill_leaves_each_edit_whole_or_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
