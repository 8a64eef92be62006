/*
 * One bit of one row of the store is flipped, in each row of each table in
 * turn: in its value, in its key, and in its key where it lies in the file, out
 * of order.  Every message is delivered whole and once, or is named and held
 * with all its text; where a key is out of order only the row itself is missed.
 * room: queue
 */
#include "dice.h"
#include "queue_kit.h"

#define MAILS	6
#define RCPTS	3
#define LONG	(PIECE_MAX + 5000)

enum where { IN_VALUE, IN_KEY, IN_PLACE };

static const char *const words[] = { "value", "key", "key in its place" };

static struct kit kit;
static struct id ids[MAILS];
static char body[LONG];
static uint8_t *base;
static size_t base_len;
static unsigned got[MAILS][RCPTS];	/* delivered so often	*/
static bool broken;

static void
stop(struct store_op *op, enum err e, void *arg)
{
	kit.last = e;
	ev_stop(kit.loop);
}

/* A call of the store, until it came back; what it answered. */
#define CALL(name, op)	(name(kit.store, op, stop, NULL), run_loop())

static enum err
run_loop(void)
{
	assert_int_equal(ev_run(kit.loop), OK);
	return kit.last;
}

static void
no_space(enum queue_full full, const char *why, void *arg)
{
}

static void
on_broken(const char *why, int error, void *arg)
{
	broken = true;
	ev_stop(kit.loop);
}

static void
on_ready(const struct store_ready *r, void *arg)
{
	kit_ready(r, &kit);
}

static void
reopen(void)
{
	static const struct store_calls calls = {
		.space = no_space, .broken = on_broken, .ready = on_ready,
	};

	assert_int_equal(store_open(&kit.store, &(struct store_start){
	    .engine = store_engine_find(SPAN("lmdb")), .loop = kit.loop,
	    .dir = kit.dir, .limits = &kit.limits, .calls = &calls }), OK);
}

static unsigned
rcpts_of(unsigned n)
{
	return n == 1 || n == 3 ? 3 : 1;
}

static size_t
len_of(unsigned n)
{
	return n == 2 ? LONG : n == 4 ? 0 : 100 * n + 7;
}

static struct span
address_of(unsigned n, unsigned i)
{
	static char text[MAILS][RCPTS][32];

	snprintf(text[n][i], sizeof(text[n][i]), "r%u-%u@example.org", n, i);
	return span_of(text[n][i]);
}

static void
put_mail(unsigned n)
{
	static const uint32_t split[RCPTS] = { 0, 1, 1 };
	struct store_delivery where[2];
	struct store_piece piece;
	struct kit_mail m;
	size_t len = len_of(n), first = len > PIECE_MAX ? PIECE_MAX : 0;

	kit_mail(&kit, &m, SPAN("A: b\r\n\r\n"), SPAN(""));
	ids[n] = m.mail.id;
	m.accept.message.body_len = len;
	if (first > 0) {
		piece = (struct store_piece){ .mail = &m.mail,
		    .part = PART_BODY, .text = { body, first } };
		assert_int_equal(CALL(store_put_piece, &piece), OK);
		m.accept.body_piece_no = 1;
	}
	m.accept.body = (struct span){ body + first, len - first };
	for (unsigned i = 0; i < rcpts_of(n); i++)
		m.rcpts[i] = address_of(n, i);
	m.accept.message.rcpt_cnt = rcpts_of(n);
	where[0] = where[1] = m.where;
	if (rcpts_of(n) > 1) {
		m.accept.message.delivery_cnt = 2;
		m.accept.rcpt_delivery = split;
		m.accept.deliveries = where;
	}
	assert_int_equal(CALL(store_accept, &m.accept), OK);
}

/* Rows of report and discard, of a message that then ends. */
static void
put_told(void)
{
	struct store_change c = { .class = CLASS_NEVER, .code = 550,
	    .reply = SPAN("5.1.1 No"), .report = REPORT_FAILED,
	    .address = SPAN("to@example.org") };
	struct store_discard d = { .rec = { .code = 550,
	    .sender = SPAN("a@example.org"), .why = SPAN("because") } };
	struct store_settle s = { .is_over = true, .changes = &c,
	    .change_cnt = 1, .discards = &d, .discard_cnt = 1,
	    .now_ms = clock_wall_ms() };
	struct kit_mail m;

	kit_mail(&kit, &m, SPAN("A: b\r\n\r\n"), SPAN("x\r\n"));
	assert_int_equal(CALL(store_accept, &m.accept), OK);
	s.id = m.mail.id;
	assert_int_equal(CALL(store_settle, &s), OK);
}

/* Half a message, of a life before. */
static void
put_loose(void)
{
	static struct store_mail mail;
	struct store_piece p = { .mail = &mail, .part = PART_BODY,
	    .text = { body, PIECE_MAX } };

	mail.id = kit_id(&kit);
	assert_int_equal(CALL(store_put_piece, &p), OK);
}

/* A note, and the sum of those held: both of mail 5, which has no envelope. */
static void
put_note(void)
{
	struct store_flow f;
	struct store_hold h = { .why = ASIDE_MISSING };

	assert_true(store_flow_name(&f, SPAN("out"), SPAN("out"),
	    SPAN("tenant")));
	h.flow = (struct span){ f.name, f.len };
	h.place = (struct store_place){ clock_wall_ms(), kit_id(&kit), 0 };
	assert_int_equal(CALL(store_hold, &h), OK);
}

static void
put_suspension(void)
{
	struct store_suspend s = { .rec = { .active = 1,
	    .relay = SPAN("far"), .domain = SPAN("far.example") } };

	assert_int_equal(CALL(store_suspend, &s), OK);
}

static void
file_name(char *path, size_t cap, const char *name)
{
	snprintf(path, cap, "%s/%s", kit.dir, name);
}

static int
make_base(void **state)
{
	char path[128];
	FILE *f;

	dice_begin();
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = "abcdefg\r\n "[random() % 10];
	kit_dir(&kit, "/dev/shm");
	reopen();
	for (unsigned n = 0; n < MAILS; n++)
		put_mail(n);
	put_told();
	put_note();
	put_loose();
	put_suspension();
	store_close(&kit.store);
	kit_put_gathered(&kit);
	file_name(path, sizeof(path), "data.mdb");
	assert_non_null(f = fopen(path, "r"));
	fseek(f, 0, SEEK_END);
	base_len = (size_t)ftell(f);
	rewind(f);
	assert_non_null(base = malloc(base_len));
	assert_int_equal(fread(base, 1, base_len, f), base_len);
	fclose(f);
	return 0;
}

static int
end_base(void **state)
{
	kit_close(&kit);
	free(base);
	return 0;
}

static void
restore(void)
{
	char path[128];
	FILE *f;

	file_name(path, sizeof(path), "data.mdb");
	assert_non_null(f = fopen(path, "w"));
	assert_int_equal(fwrite(base, 1, base_len, f), base_len);
	fclose(f);
	memset(got, 0, sizeof(got));
	broken = false;
}

static void
flip_bit(uint8_t *b, size_t len)
{
	b[(size_t)random() % len] ^= (uint8_t)(1u << random() % 8);
}

/*
 * Ids of a test differ by less than those of the world: a key that another row
 * has is none that a flip would make.
 */
static bool
put_flipped(MDB_txn *txn, MDB_dbi dbi, MDB_val key, MDB_val val,
    enum where where)
{
	uint8_t k[STORE_KEY_MAX];
	MDB_val there, flipped = { key.mv_size, k };

	memcpy(k, key.mv_data, key.mv_size);
	if (where == IN_VALUE)
		flip_bit(val.mv_data, val.mv_size);
	while (where == IN_KEY) {
		memcpy(k, key.mv_data, key.mv_size);
		flip_bit(k, key.mv_size);
		if (mdb_get(txn, dbi, &flipped, &there) == MDB_NOTFOUND)
			break;
	}
	assert_int_equal(mdb_put(txn, dbi, &flipped, &val, 0), 0);
	return true;
}

/* Where in the file these bytes of the map lie: their page says its number. */
static off_t
offset_of(const void *p)
{
	uintptr_t at = (uintptr_t)p;
	uint64_t page_no;

	memcpy(&page_no, (const void *)(at & ~(uintptr_t)4095),
	    sizeof(page_no));
	return (off_t)(page_no * 4096 + (at & 4095));
}

/* Another message's than before?  Ids of the world differ by more bits. */
static bool
is_others(const uint8_t *k, const uint8_t *before, size_t len)
{
	if (len < sizeof(struct id) ||
	    memcmp(k, before, sizeof(struct id)) == 0)
		return false;
	for (unsigned n = 0; n < MAILS; n++)
		if (memcmp(k, ids[n].b, sizeof(ids[n].b)) == 0)
			return true;
	return false;
}

/* A key that another row has is none that a flip would make: see above. */
static void
flip_in_place(MDB_txn *txn, MDB_dbi dbi, MDB_val key)
{
	MDB_val there, flipped = { key.mv_size, NULL };
	uint8_t k[STORE_KEY_MAX];
	char path[128];
	FILE *f;

	flipped.mv_data = k;
	do {
		memcpy(k, key.mv_data, key.mv_size);
		flip_bit(k, key.mv_size);
	} while (is_others(k, key.mv_data, key.mv_size) ||
	    mdb_get(txn, dbi, &flipped, &there) != MDB_NOTFOUND);
	file_name(path, sizeof(path), "data.mdb");
	assert_non_null(f = fopen(path, "r+"));
	assert_int_equal(fseek(f, offset_of(key.mv_data), SEEK_SET), 0);
	assert_int_equal(fwrite(k, 1, key.mv_size, f), key.mv_size);
	fclose(f);
}

/* Of row `no` of the table; false: there is none, or nothing to flip. */
static bool
damage(enum table t, unsigned no, enum where where, bool *there)
{
	uint8_t k[STORE_KEY_MAX], v[PIECE_MAX];
	struct store_env e;
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val key, val;
	bool done = false;
	int rc;

	assert_int_equal(store_table_open(&e, kit.dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, e.dbi[t], &c), 0);
	for (rc = mdb_cursor_get(c, &key, &val, MDB_FIRST); rc == 0 && no > 0;
	    no--)
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	*there = rc == 0;
	if (rc == 0 && where == IN_PLACE) {
		flip_in_place(txn, e.dbi[t], key);
		done = true;
	} else if (rc == 0 && (where == IN_KEY || val.mv_size > 0)) {
		memcpy(k, key.mv_data, key.mv_size);
		memcpy(v, val.mv_data, val.mv_size);
		key.mv_data = k;
		val.mv_data = v;
		assert_int_equal(mdb_cursor_del(c, 0), 0);
		done = put_flipped(txn, e.dbi[t], key, val, where);
	}
	mdb_cursor_close(c);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
	return done;
}

static bool
is_text_right(unsigned n, struct id id)
{
	size_t len = 0;

	for (uint32_t no = 0;; no++) {
		struct store_read_piece r = { .id = id, .part = PART_BODY,
		    .piece_no = no };
		size_t piece;

		if (CALL(store_read_piece, &r) != OK)
			return false;
		piece = r.len;
		if (piece > 0) {
			assert_memory_equal(r.text, body + len, piece);
			free(r.text);
		}
		len += piece;
		if (piece < PIECE_MAX)
			break;
	}
	assert_int_equal(len, len_of(n));
	return true;
}

/* Whose it is; a message that no test made is nobody's. */
static unsigned
number_of(struct span address)
{
	for (unsigned n = 0; n < MAILS; n++)
		for (unsigned i = 0; i < rcpts_of(n); i++)
			if (span_eq(address, address_of(n, i)))
				return n * RCPTS + i;
	fail_msg("who is that?");
	return 0;
}

/* As a relay that takes all; what cannot be read is held, as dispatch does. */
static void
deliver(struct span flow, const struct store_place *place)
{
	struct store_read_envelope r = { .id = place->id, .no = place->no };
	struct store_hold hold = { .flow = flow, .place = *place };
	struct store_change c[RCPTS];
	struct store_settle s = { .id = place->id, .no = place->no,
	    .is_over = true, .changes = c, .attempts = 1,
	    .now_ms = clock_wall_ms() };
	enum err e = CALL(store_read_envelope, &r);
	unsigned n;

	hold.why = r.why;
	if (e == ERR_NONE)
		return;
	if (e == ERR_PEER) {
		e = CALL(store_hold, &hold);
		if (e == ERR_SYS)	/* what was missing is back */
			deliver(flow, place);
		else
			assert_int_equal(e, OK);
		return;
	}
	assert_int_equal(e, OK);
	s.change_cnt = r.envelope->rcpt_cnt;
	n = s.change_cnt > 0 ? number_of(r.envelope->rcpts[0].address) /
	    RCPTS : 0;
	if (s.change_cnt > 0 && !is_text_right(n, place->id)) {
		s.change_cnt = 0;
		s.is_over = false;
		s.due_ms = STORE_HELD_MS;
		s.held = HELD_DAMAGE;
	}
	for (unsigned i = 0; i < s.change_cnt; i++) {
		unsigned who = number_of(r.envelope->rcpts[i].address);

		got[who / RCPTS][who % RCPTS]++;
		c[i] = (struct store_change){ .class = CLASS_DONE,
		    .rcpt_no = r.envelope->rcpts[i].no, .code = 250,
		    .address = r.envelope->rcpts[i].address };
	}
	assert_int_equal(CALL(store_settle, &s), OK);
	free(r.envelope);
}

static void
deliver_flow(const struct store_flow *f)
{
	struct store_read_due r = { .flow = { f->name, f->len },
	    .until_ms = clock_wall_ms() + 86400000,
	    .row_max = STORE_DUE_MAX };

	assert_int_equal(CALL(store_read_due, &r), OK);
	for (unsigned i = 0; i < r.cnt; i++)
		deliver(r.flow, &r.rows[i]);
}

static void
compare_index(void)
{
	static struct store_read_index r;
	struct store_mend m = { .found = &r };

	memset(&r, 0, sizeof(r));
	for (int t = 0; t < 2; t++) {
		r.in_due = t == 1;
		r.row_max = 1000;
		r.from.len = 0;
		assert_int_equal(CALL(store_read_index, &r), OK);
		assert_true(r.at_end || r.is_out_of_order);
		assert_int_equal(CALL(store_mend, &m), OK);
	}
}

static void
go_round(void)
{
	static struct store_read_flows r;

	reopen();
	compare_index();
	memset(&r, 0, sizeof(r));
	assert_int_equal(CALL(store_read_flows, &r), OK);
	for (unsigned i = 0; i < r.cnt; i++)
		deliver_flow(&r.flows[i]);
	compare_index();
	assert_false(broken);
}

/* Is there a note about the message? */
static bool
is_named(struct id id)
{
	static struct store_read_notes r;

	memset(&r, 0, sizeof(r));
	do {
		assert_int_equal(CALL(store_read_notes, &r), OK);
		for (unsigned i = 0; i < r.cnt; i++)
			if (id_cmp(r.rows[i].id, id) == 0)
				return true;
	} while (!r.at_end);
	return false;
}

/* Chunks of its text, and of its header. */
static size_t
chunks_of(struct id id)
{
	struct store_env e;
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val key, val;
	size_t cnt = 0;

	assert_int_equal(store_table_open(&e, kit.dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, MDB_RDONLY, &txn), 0);
	for (enum table t = TABLE_HEADER; t <= TABLE_BODY; t++) {
		assert_int_equal(mdb_cursor_open(txn, e.dbi[t], &c), 0);
		while (mdb_cursor_get(c, &key, &val, MDB_NEXT) == 0)
			cnt += store_table_same_id(key, id);
		mdb_cursor_close(c);
	}
	mdb_txn_abort(txn);
	store_table_close(&e);
	return cnt;
}

static size_t
expected_chunks(unsigned n, enum table t, enum where where)
{
	size_t all = 1 + (len_of(n) + CHUNK_MAX - 1) / CHUNK_MAX;

	return all - (where != IN_VALUE && (t == TABLE_HEADER ||
	    t == TABLE_BODY));
}

static void
judge(enum table t, unsigned no, enum where where)
{
	unsigned mails_missed = 0;

	for (unsigned n = 0; n < MAILS; n++) {
		unsigned missing = 0;

		for (unsigned i = 0; i < rcpts_of(n); i++) {
			missing += got[n][i] == 0;
			if (got[n][i] > 1)
				fail_msg("twice: mail %u, %s %u %s", n,
				    store_table_name(t), no,
				    words[where]);
		}
		mails_missed += missing > 0;
		if (missing > 0 && !is_named(ids[n]))
			fail_msg("unnamed: mail %u, %s %u %s", n,
			    store_table_name(t), no,
			    words[where]);
	}
	/* Where it is out of order, none is hidden by it. */
	if (where == IN_PLACE && mails_missed > 1)
		fail_msg("hidden: %u mails, %s %u", mails_missed,
		    store_table_name(t), no);
	store_close(&kit.store);
	for (unsigned n = 0; n < MAILS; n++) {
		unsigned missing = 0;

		for (unsigned i = 0; i < rcpts_of(n); i++)
			missing += got[n][i] == 0;
		if (missing > 0 && chunks_of(ids[n]) <
		    expected_chunks(n, t, where))
			fail_msg("text lost: mail %u, %s %u %s", n,
			    store_table_name(t), no,
			    words[where]);
	}
}

static void
flip_each(enum where where)
{
	bool seen[TABLE__COUNT] = { false }, there = true;

	for (enum table t = 0; t < TABLE__COUNT; t++, there = true)
		for (unsigned no = 0; there; no++) {
			restore();
			if (!damage(t, no, where, &there))
				continue;
			seen[t] = true;
			go_round();
			judge(t, no, where);
		}
	/* A table that is new has no row here yet: put one into make_base(). */
	for (enum table t = 0; t < TABLE__COUNT; t++)
		if (!seen[t] && (where != IN_VALUE || (t != TABLE_DUE &&
		    t != TABLE_STORY)))
			fail_msg("no row of table %s was flipped",
			    store_table_name(t));
}

static void
nothing_is_missing_of_a_whole_store(void **state)
{
	restore();
	go_round();
	for (unsigned n = 0; n < MAILS; n++)
		for (unsigned i = 0; i < rcpts_of(n); i++)
			assert_int_equal(got[n][i], 1);
	store_close(&kit.store);
}

static void
a_flip_in_a_value_alters_and_loses_nothing(void **state)
{
	flip_each(IN_VALUE);
}

static void
a_flip_in_a_key_alters_and_loses_nothing(void **state)
{
	flip_each(IN_KEY);
}

static void
a_flip_in_a_key_where_it_lies_hides_no_other_row(void **state)
{
	flip_each(IN_PLACE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_missing_of_a_whole_store),
		cmocka_unit_test(a_flip_in_a_value_alters_and_loses_nothing),
		cmocka_unit_test(a_flip_in_a_key_alters_and_loses_nothing),
		cmocka_unit_test(
		    a_flip_in_a_key_where_it_lies_hides_no_other_row),
	};

	return cmocka_run_group_tests(tests, make_base, end_base);
}
