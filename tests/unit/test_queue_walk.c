/*
 * test_queue_walk - a bit that was flipped in a key of the store's file hides
 * no other row, and nobody is led round and round by it.
 * room: queue
 */
#include "queue_kit.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>

#include "queue/store/lmdb/store_inside.h"

#define ROWS	20
#define OF(n)	((struct id){ { 0x21, 0x22, 0x23, 0x24, (n) } })

static void
put(struct store_env *e, MDB_txn *txn, enum table t, const struct store_key *k)
{
	assert_int_equal(store_table_put(e, txn, t, k, "row", 3), 0);
}

/* Rows 0 to ROWS - 1 of one message, and one of a message on each side. */
static void
put_rows(const char *dir)
{
	struct store_env e;
	struct store_key k;
	MDB_txn *txn;

	assert_int_equal(store_table_open(&e, dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	for (uint32_t i = 0; i < ROWS; i++) {
		store_table_key_no(&k, OF(2), i);
		put(&e, txn, TABLE_RECIPIENT, &k);
	}
	store_table_key_no(&k, OF(1), 7);
	put(&e, txn, TABLE_RECIPIENT, &k);
	store_table_key_no(&k, OF(3), 7);
	put(&e, txn, TABLE_RECIPIENT, &k);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
}

/* Flip these bits of octet `at' of that key, wherever it lies in the file. */
static void
flip(const char *dir, struct id id, uint32_t no, size_t octet, uint8_t bits)
{
	uint8_t *at, *data;
	struct store_key k;
	unsigned found = 0;
	char path[128];
	struct stat s;
	int fd;

	store_table_key_no(&k, id, no);
	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	assert_true((fd = open(path, O_RDWR)) >= 0);
	assert_int_equal(fstat(fd, &s), 0);
	data = mmap(NULL, (size_t)s.st_size, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	assert_true(data != MAP_FAILED);
	for (size_t left = (size_t)s.st_size; (at = memmem(
	    data + s.st_size - left, left, k.b, k.len)) != NULL; found++) {
		at[octet] ^= bits;
		left = (size_t)(data + s.st_size - at);
	}
	assert_true(found > 0);
	munmap(data, (size_t)s.st_size);
	close(fd);
}

struct opened {
	struct store_env env;
	MDB_txn		*txn;
};

static void
begin(struct opened *o, const char *dir)
{
	assert_int_equal(store_table_open(&o->env, dir), 0);
	assert_int_equal(mdb_txn_begin(o->env.env, NULL, 0, &o->txn), 0);
}

static void
end(struct opened *o)
{
	assert_int_equal(mdb_txn_commit(o->txn), 0);
	store_table_close(&o->env);
}

/* The numbers of the rows that are found, as bits. */
static uint32_t
numbers(struct opened *o, uint32_t from)
{
	uint32_t all = 0;
	struct store_rows w;
	int rc;

	assert_int_equal(store_rows_open(&o->env, o->txn, TABLE_RECIPIENT,
	    OF(2), from, &w), 0);
	while ((rc = store_rows_next(&w)) == 0)
		if (w.is_row) {
			assert_true(w.no < ROWS && (all & 1u << w.no) == 0);
			all |= 1u << w.no;
		}
	assert_int_equal(rc, MDB_NOTFOUND);
	store_rows_close(&w);
	return all;
}

#define ALL	((1u << ROWS) - 1)

static void
all_rows_of_a_message_are_found_and_no_others(void **state)
{
	struct kit *k = *state;
	struct opened o;
	uint32_t cnt;
	bool have;

	put_rows(k->dir);
	begin(&o, k->dir);
	assert_int_equal(numbers(&o, 0), ALL);
	assert_int_equal(numbers(&o, 5), ALL & ~0x1fu);
	assert_int_equal(numbers(&o, ROWS), 0);
	assert_int_equal(store_rows_count(&o.env, o.txn, TABLE_RECIPIENT,
	    OF(2), &cnt), 0);
	assert_int_equal(cnt, ROWS);
	assert_int_equal(store_rows_have(&o.env, o.txn, TABLE_RECIPIENT,
	    OF(4), &have), 0);
	assert_false(have);
	end(&o);
}

/* Each row in turn is made another message's, a higher one's and a lower. */
static void
a_key_of_others_between_them_hides_no_row(void **state)
{
	struct kit *k = *state;

	put_rows(k->dir);
	for (uint32_t no = 0; no < ROWS; no++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct id then = OF(2);
			struct opened o;
			uint32_t cnt;

			then.b[bit % 2] ^= (uint8_t)(1u << bit);
			flip(k->dir, OF(2), no, bit % 2, (uint8_t)(1u << bit));
			begin(&o, k->dir);
			assert_int_equal(numbers(&o, 0), ALL & ~(1u << no));
			assert_int_equal(store_rows_count(&o.env, o.txn,
			    TABLE_RECIPIENT, OF(2), &cnt), 0);
			assert_int_equal(cnt, ROWS - 1);
			end(&o);
			flip(k->dir, then, no, bit % 2, (uint8_t)(1u << bit));
		}
}

/* A wrong number is nobody's: the row counts, and is not taken for another. */
static void
a_row_with_a_wrong_number_is_counted_only(void **state)
{
	struct kit *k = *state;
	struct opened o;
	uint32_t cnt;

	put_rows(k->dir);
	flip(k->dir, OF(2), 9, sizeof(struct id) + 3, 8);	/* to be 1 */
	begin(&o, k->dir);
	assert_int_equal(numbers(&o, 0), ALL & ~(1u << 9));
	assert_int_equal(store_rows_count(&o.env, o.txn, TABLE_RECIPIENT,
	    OF(2), &cnt), 0);
	assert_int_equal(cnt, ROWS);
	end(&o);
}

static void
rows_are_removed_where_they_stand(void **state)
{
	struct kit *k = *state;
	struct store_rows w;
	struct opened o;
	MDB_stat s;

	put_rows(k->dir);
	flip(k->dir, OF(2), 3, 0, 0x40);
	flip(k->dir, OF(2), 9, sizeof(struct id) + 3, 8);
	begin(&o, k->dir);
	assert_int_equal(store_rows_open(&o.env, o.txn, TABLE_RECIPIENT,
	    OF(2), 0, &w), 0);
	while (store_rows_next(&w) == 0)
		assert_int_equal(store_rows_del(&w), 0);
	store_rows_close(&w);
	assert_int_equal(mdb_stat(o.txn, o.env.dbi[TABLE_RECIPIENT], &s), 0);
	assert_int_equal(s.ms_entries, 3);	/* the two beside, and one */
	end(&o);
}

/* Some in each transaction, as the store reads: each key is seen. */
static void
a_walk_sees_each_key_and_ends(void **state)
{
	static const uint8_t bits[] = { 0x40, 0x80, 0x01 };
	struct kit *k = *state;

	put_rows(k->dir);
	for (uint32_t no = 0; no < ROWS; no++)
		for (unsigned b = 0; b < sizeof(bits) / sizeof(bits[0]); b++) {
			struct store_key from = { .len = 0 };
			struct id then = OF(2);
			uint32_t seen = 0;
			unsigned rounds = 0;
			struct store_walk w;
			struct opened o;
			int rc = 0;

			then.b[0] ^= bits[b];
			flip(k->dir, OF(2), no, 0, bits[b]);
			begin(&o, k->dir);
			while (rc == 0) {
				assert_true(rounds++ < ROWS);
				assert_int_equal(store_walk_open(&o.env, o.txn,
				    TABLE_RECIPIENT, &from, &w), 0);
				rc = store_walk_next(&w);
				for (int i = 0; rc == 0 && i < 4; i++) {
					if (store_table_same_id(w.key, OF(2)))
						seen |= 1u <<
						    store_table_no(w.key);
					rc = store_walk_next(&w);
				}
				from = w.behind;
				store_walk_close(&w);
			}
			assert_int_equal(rc, MDB_NOTFOUND);
			assert_int_equal(seen, ALL & ~(1u << no));
			end(&o);
			flip(k->dir, then, no, 0, bits[b]);
		}
}

/* All rows but this one; how many of them a plain search misses. */
static unsigned
find_all_but(struct opened *o, uint32_t but)
{
	unsigned missed = 0;
	struct store_key k;
	MDB_val val;

	for (uint32_t no = 0; no < ROWS; no++) {
		store_table_key_no(&k, OF(2), no);
		missed += no != but && store_table_get(&o->env, o->txn,
		    TABLE_RECIPIENT, &k, &val) == MDB_NOTFOUND;
		assert_int_equal(store_find_row(&o->env, o->txn,
		    TABLE_RECIPIENT, &k, &val), no == but ? MDB_NOTFOUND : 0);
	}
	return missed;
}

static size_t
entries(struct opened *o)
{
	MDB_stat s;

	assert_int_equal(mdb_stat(o->txn, o->env.dbi[TABLE_RECIPIENT], &s), 0);
	return s.ms_entries;
}

/* None is put a second time, and none stays. */
static void
change_all_but(struct opened *o, uint32_t but)
{
	struct store_key k;
	MDB_val val;

	for (int del = 0; del < 2; del++)
		for (uint32_t no = 0; no < ROWS; no++) {
			store_table_key_no(&k, OF(2), no);
			if (no == but)
				continue;
			if (del) {
				assert_int_equal(store_find_del(&o->env,
				    o->txn, TABLE_RECIPIENT, &k), 0);
				continue;
			}
			assert_int_equal(store_find_put(&o->env, o->txn,
			    TABLE_RECIPIENT, &k, "a longer row", 12), 0);
			assert_int_equal(store_find_row(&o->env, o->txn,
			    TABLE_RECIPIENT, &k, &val), 0);
			assert_int_equal(val.mv_size, 12);
			assert_int_equal(entries(o), ROWS + 2);
		}
	assert_int_equal(entries(o), 3);
}

static void
a_key_out_of_order_misleads_no_search_for_others(void **state)
{
	struct kit *k = *state;
	unsigned missed = 0;

	put_rows(k->dir);
	for (uint32_t no = 0; no < ROWS; no++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct id then = OF(2);
			struct opened o;

			then.b[bit % 2] ^= (uint8_t)(1u << bit);
			flip(k->dir, OF(2), no, bit % 2, (uint8_t)(1u << bit));
			begin(&o, k->dir);
			missed += find_all_but(&o, no);
			change_all_but(&o, no);
			mdb_txn_abort(o.txn);
			store_table_close(&o.env);
			flip(k->dir, then, no, bit % 2, (uint8_t)(1u << bit));
		}
	assert_true(missed > 0);
}

static void
what_is_not_there_can_be_put(void **state)
{
	struct kit *k = *state;
	struct store_key key;
	struct opened o;

	put_rows(k->dir);
	begin(&o, k->dir);
	store_table_key_no(&key, OF(2), ROWS);
	assert_int_equal(store_find_del(&o.env, o.txn, TABLE_RECIPIENT, &key),
	    0);
	assert_int_equal(store_find_put(&o.env, o.txn, TABLE_RECIPIENT, &key,
	    "row", 3), 0);
	assert_int_equal(entries(&o), ROWS + 3);
	end(&o);
}

static int
set_up(void **state)
{
	struct kit *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	kit_dir(k, "/tmp");
	*state = k;
	return 0;
}

static int
tear_down(void **state)
{
	struct kit *k = *state;

	kit_remove(k);
	free(k);
	return 0;
}

#define TEST(t)	cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_rows_of_a_message_are_found_and_no_others),
		TEST(a_key_of_others_between_them_hides_no_row),
		TEST(a_row_with_a_wrong_number_is_counted_only),
		TEST(rows_are_removed_where_they_stand),
		TEST(a_walk_sees_each_key_and_ends),
		TEST(a_key_out_of_order_misleads_no_search_for_others),
		TEST(what_is_not_there_can_be_put),
	};

	return KIT_RUN_BOTH(tests, "");
}
