/*
 * The due index is compared with the deliveries, and mended: whatever stands in
 * table due when the queue starts, it is as the deliveries say soon after.
 * room: queue
 */
#include "queue_kit.h"
#include "queue/walk/index.h"
#include "queue/store/lmdb/page.h"

#define MAILS	300
#define ROUND_MS	300	/* a round over so few takes less	*/

static struct kit kit;
static struct queue queue;
static struct kit_mail mails[MAILS];
static unsigned ready_cnt;

static void
ready(struct destination *d, void *arg)
{
	ready_cnt++;
}

static void
vanish(struct destination *d, void *arg)
{
}

static int
set_up(void **state)
{
	static const char *const names[] = { "a.example", "b.example",
	    "c.example" };

	kit_dir(&kit, "/dev/shm");
	kit_reopen(&kit);
	for (unsigned i = 0; i < MAILS; i++) {
		kit_mail(&kit, &mails[i], SPAN("A: b\r\n\r\n"), SPAN("x\r\n"));
		mails[i].where.destination = span_of(names[i % 3]);
		if (i % 10 == 0)
			mails[i].where.due_ms += 86400000;
		store_accept(kit.store, &mails[i].accept, kit_back, &kit);
	}
	kit_until(&kit, kit.back_cnt == MAILS);
	store_close(&kit.store);
	return 0;
}

static int
tear_down(void **state)
{
	kit_close(&kit);
	return 0;
}

/* The queue's parts that this is about, for as long as a round takes. */
static void
go_round(void)
{
	static const struct due_calls calls = { ready, vanish, NULL };
	int64_t end = clock_mono_ms() + ROUND_MS;

	kit_reopen(&kit);
	memset(&queue, 0, sizeof(queue));
	queue.loop = kit.loop;
	queue.store = kit.store;
	queue.message_cnt = MAILS;
	ready_cnt = 0;
	assert_int_equal(due_open(&queue.due, kit.loop, kit.store, &calls,
	    NULL), OK);
	due_own(queue.due, STORE_SHARD_ALL);
	assert_int_equal(index_open(&queue.index, &queue), OK);
	while (clock_mono_ms() < end)
		kit_turn(&kit);
	store_close(&kit.store);
	index_close(&queue.index);
	due_close(&queue.due);
}

static void
edit(enum table t, const void *key, size_t len, bool put)
{
	MDB_val k = { len, (void *)(uintptr_t)key }, none = { 0, "" };
	struct store_env e;
	MDB_txn *txn;

	assert_int_equal(store_table_open(&e, kit.dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(put ? mdb_put(txn, e.dbi[t], &k, &none, 0) :
	    mdb_del(txn, e.dbi[t], &k, NULL), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
}

static void
key_of(unsigned i, struct store_key *k)
{
	struct store_place place = { mails[i].where.due_ms, mails[i].mail.id,
	    0 };
	struct store_flow f;

	assert_true(store_flow_name(&f, mails[i].where.relay,
	    mails[i].where.destination, mails[i].where.tenant));
	store_table_key_due(k, (struct span){ f.name, f.len }, &place);
}

/* Each delivery has its row, each row is found by its key, and no other is. */
static void
assert_right(void)
{
	struct store_env e;
	struct store_key k;
	MDB_cursor *c;
	MDB_txn *txn;
	MDB_val key, val;
	unsigned walked = 0;

	assert_int_equal(store_table_open(&e, kit.dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, MDB_RDONLY, &txn), 0);
	for (unsigned i = 0; i < MAILS; i++) {
		key_of(i, &k);
		assert_int_equal(store_table_get(&e, txn, TABLE_DUE, &k,
		    &val), 0);
	}
	assert_int_equal(mdb_cursor_open(txn, e.dbi[TABLE_DUE], &c), 0);
	while (mdb_cursor_get(c, &key, &val, MDB_NEXT) == 0)
		walked++;
	mdb_cursor_close(c);
	assert_int_equal(walked, MAILS);
	mdb_txn_abort(txn);
	store_table_close(&e);
}

static void
a_row_that_is_missing_is_made(void **state)
{
	struct store_key k;

	for (unsigned i = 0; i < MAILS; i += 7) {
		key_of(i, &k);
		edit(TABLE_DUE, k.b, k.len, false);
	}
	go_round();
	assert_right();
	assert_true(ready_cnt > 0);
}

static void
a_row_that_leads_nowhere_goes(void **state)
{
	struct store_key k;

	key_of(3, &k);
	k.b[k.len - 1] ^= 4;		/* another delivery	*/
	edit(TABLE_DUE, k.b, k.len, true);
	key_of(4, &k);
	k.b[k.len - PLACE_LEN + 5] ^= 1;	/* another time	*/
	edit(TABLE_DUE, k.b, k.len, true);
	key_of(5, &k);
	k.b[0] ^= 1;			/* another relay	*/
	edit(TABLE_DUE, k.b, k.len, true);
	go_round();
	assert_right();
}

static void
a_key_that_is_none_goes_and_hides_nothing(void **state)
{
	static const char *const keys[] = { "x", "out", "p",
	    "out and what is longer than any place, without its NULs" };

	for (size_t i = 0; i < 4; i++)
		edit(TABLE_DUE, keys[i], strlen(keys[i]), true);
	go_round();
	assert_true(ready_cnt >= 3);	/* each destination	*/
	assert_right();
}

/* One bit of a key in the file: the tree is out of order then, or lies. */
static void
flip_key(unsigned nth, unsigned byte, unsigned bit)
{
	uint8_t bytes[4096];
	struct page_node n;
	struct page p;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/data.mdb", kit.dir);
	assert_non_null(f = fopen(path, "r+"));
	for (long no = 2; fread(bytes, 1, 0, f) == 0; no++) {
		assert_int_equal(fseek(f, no * 4096, SEEK_SET), 0);
		if (fread(bytes, 1, 4096, f) != 4096)
			break;
		if (page_open(&p, bytes, 4096) != NULL || p.kind != PAGE_LEAF
		    || p.cnt < 20 || !page_node(&p, nth % p.cnt, &n) ||
		    n.value_len != 0 || n.key.len < PLACE_LEN + 6)
			continue;
		bytes[(const uint8_t *)n.key.ptr - bytes + byte %
		    n.key.len] ^= (uint8_t)(1u << bit);
		assert_int_equal(fseek(f, no * 4096, SEEK_SET), 0);
		assert_int_equal(fwrite(bytes, 1, 4096, f), 4096);
	}
	fclose(f);
}

static void
flipped_keys_are_mended(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		flip_key(7 * i + 1, 7 * i, i % 8);
		go_round();
		assert_right();
	}
}

/* No delivery can be read, and no row of table due leads to one. */
static void
mail_that_nobody_finds_is_lost_until_it_is_found(void **state)
{
	struct store_key k;

	go_round();
	assert_false(queue.has_lost);
	for (unsigned i = 0; i < MAILS; i++) {
		store_table_key_no(&k, mails[i].mail.id, 0);
		edit(TABLE_DELIVERY, k.b, k.len, true);
		key_of(i, &k);
		edit(TABLE_DUE, k.b, k.len, false);
	}
	go_round();
	assert_true(queue.has_lost);
	assert_int_equal(kit_rows(&kit, TABLE_QUARANTINE), MAILS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_row_that_is_missing_is_made,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_row_that_leads_nowhere_goes,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_key_that_is_none_goes_and_hides_nothing, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    mail_that_nobody_finds_is_lost_until_it_is_found, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(flipped_keys_are_mended,
		    set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
