/*
 * Rows of which a flipped bit has changed the id, and which nobody has missed:
 * they are told of when no message can need them, and go when an administrator
 * says so; what is arriving, or may be brought home yet, is no such row.
 * room: queue
 * room: queue/salvage
 */
#include "queue_kit.h"

#include <ftw.h>

#include "queue/salvage/rescue.h"

#define BODY	(7 * CHUNK_MAX + 9)
#define STRAY_NO	5u		/* no header, no recipient has that */

static struct kit kit;
static struct kit_mail mail;
static char text[BODY];

static int
set_up(void **state)
{
	kit_dir(&kit, "/dev/shm");
	kit_reopen(&kit);
	memset(text, 'x', sizeof(text));
	kit_mail(&kit, &mail, SPAN("A: b\r\n\r\n"), (struct span){ text,
	    BODY });
	assert_int_equal(kit_accept(&kit, &mail), OK);
	return 0;
}

static int
tear_down(void **state)
{
	kit_close(&kit);
	return 0;
}

#define CALL(name, op) do {						\
	unsigned before_ = kit.back_cnt;				\
	name(kit.store, op, kit_back, &kit);				\
	kit_until(&kit, kit.back_cnt > before_);			\
} while (0)

static struct store_read_notes
notes(void)
{
	struct store_read_notes r = { .from = { .len = 0 } };

	CALL(store_read_notes, &r);
	assert_int_equal(kit.last, OK);
	return r;
}

/* All tables are walked, few rows at a time; how many notes are there then? */
static unsigned
look(void)
{
	struct store_read_lone r = { .table = 0 };
	struct store_undue nothing = { .flow = SPAN("x"), .is_stale = true };

	for (unsigned i = 0; !r.at_end; i++) {
		assert_true(i < 100);
		r.row_max = 3;
		CALL(store_read_lone, &r);
		assert_int_equal(kit.last, OK);
	}
	CALL(store_undue, &nothing);	/* behind what it handed over */
	return notes().cnt;
}

/* Flip a bit of this key wherever it stands in the file. */
static void
flip_key(const struct store_key *k, size_t byte)
{
	char path[96], *bytes, *at;
	size_t len, cnt = 0;
	FILE *f;

	store_close(&kit.store);
	snprintf(path, sizeof(path), "%s/data.mdb", kit.dir);
	assert_non_null(f = fopen(path, "r+"));
	fseek(f, 0, SEEK_END);
	len = (size_t)ftell(f);
	bytes = malloc(len);
	rewind(f);
	assert_int_equal(fread(bytes, 1, len, f), len);
	for (at = bytes; (at = memmem(at, len - (size_t)(at - bytes), k->b,
	    k->len)) != NULL; cnt++)
		at[byte] ^= 4;
	assert_true(cnt > 0);
	rewind(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
	free(bytes);
	kit_reopen(&kit);
}

/* It is delivered, and its text was read before the bit was flipped. */
static void
deliver(void)
{
	struct store_change c = {
		.class = CLASS_DONE, .code = 250, .address = mail.rcpts[0],
	};
	struct store_settle st = {
		.id = mail.mail.id, .is_over = true, .changes = &c,
		.change_cnt = 1, .now_ms = clock_wall_ms(),
	};

	CALL(store_settle, &st);
	assert_int_equal(kit.last, OK);
	assert_true(st.removed);
}

static void
remove_noted(enum edit action)
{
	struct store_read_notes r = notes();
	struct store_edit e = {
		.id = r.rows[0].id, .action = action,
		.now_ms = clock_wall_ms(),
	};

	CALL(store_edit, &e);
	assert_int_equal(kit.last, OK);
	free(e.rows);
	assert_int_equal(notes().cnt, 0);
}

/* How many rows a table has, when the sweep has come round. */
static size_t
count(enum table t)
{
	size_t cnt;

	for (int i = 0; i < 20; i++)
		kit_turn(&kit);
	store_close(&kit.store);
	cnt = kit_rows(&kit, t);
	kit_reopen(&kit);
	return cnt;
}

static void
text_that_nobody_missed_is_told_of_and_removed(void **state)
{
	struct store_key k;

	store_table_key_no(&k, mail.mail.id, STRAY_NO);
	flip_key(&k, 12);
	assert_int_equal(look(), 0);	/* its message may miss it yet */
	deliver();
	assert_int_equal(look(), 1);
	assert_string_equal(notes().rows[0].table, "body");
	assert_int_equal(notes().rows[0].why, ASIDE_LONE);
	assert_int_equal(look(), 1);
	assert_int_equal(count(TABLE_BODY), 1);
	remove_noted(EDIT_REMOVE);
	assert_int_equal(count(TABLE_BODY), 0);
	assert_int_equal(look(), 0);
}

/* A row of a table, of an id that nobody has. */
static struct id
put_lone(enum table t)
{
	struct record_crc crc = { .sum = 1 };
	struct record_recipient rcpt = { .address = SPAN("x@example.org") };
	struct id id = kit_id(&kit);
	struct store_env e;
	struct store_key k;
	MDB_txn *txn;

	id.b[15] ^= 0xff;		/* a kit's ids are much alike */
	store_table_key_no(&k, id, 3);
	if (t == TABLE_CRC)
		store_table_key_crc(&k, id, PART_BODY, 1);
	store_close(&kit.store);
	assert_int_equal(store_table_open(&e, kit.dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(t == TABLE_CRC ? store_table_put_record(&e, txn, t,
	    &k, RECORD_crc, &crc) : t == TABLE_RECIPIENT ?
	    store_table_put_record(&e, txn, t, &k, RECORD_recipient, &rcpt) :
	    store_table_put(&e, txn, t, &k, "text", 4), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
	kit_reopen(&kit);
	return id;
}

static void
each_table_is_looked_through(void **state)
{
	static const enum table tables[] = {
		TABLE_RECIPIENT, TABLE_CRC, TABLE_HEADER, TABLE_BODY,
	};

	for (unsigned i = 0; i < 4; i++) {
		struct id id = put_lone(tables[i]);
		size_t before = count(tables[i]);

		print_message("%s\n", store_table_name(tables[i]));
		assert_int_equal(look(), 1);
		assert_int_equal(id_cmp(notes().rows[0].id, id), 0);
		remove_noted(EDIT_GIVE_UP);
		assert_int_equal(count(tables[i]), before - 1);
	}
}

/* What is still to come has no envelope, and is known all the same. */
static void
what_is_arriving_is_left_alone(void **state)
{
	struct kit_mail m;
	struct store_piece p = {
		.mail = &m.mail, .part = PART_BODY, .text = { text, BODY },
	};

	kit_mail(&kit, &m, SPAN("A: b\r\n\r\n"), (struct span){ text, BODY });
	CALL(store_put_piece, &p);
	assert_int_equal(kit.last, OK);
	assert_int_equal(look(), 0);
	deliver();
	assert_int_equal(look(), 0);
}

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *at)
{
	return remove(path);
}

static void
check_names_it_and_salvage_writes_it(void **state)
{
	struct id id = put_lone(TABLE_BODY);
	char dir[80], path[160], name[ID_TEXT_LEN + 1];

	store_close(&kit.store);
	assert_int_equal(check_run(kit.dir, false), CHECK_DAMAGED);
	snprintf(dir, sizeof(dir), "%s-new", kit.dir);
	assert_int_equal(rescue_run(kit.dir, dir, false), CHECK_DAMAGED);
	assert_int_equal(check_run(dir, false), CHECK_WHOLE);
	id_text(id, name);
	snprintf(path, sizeof(path), "%s/incomplete/%s.eml", dir, name);
	assert_int_equal(access(path, R_OK), 0);
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	kit_reopen(&kit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    text_that_nobody_missed_is_told_of_and_removed, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(each_table_is_looked_through,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_arriving_is_left_alone,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    check_names_it_and_salvage_writes_it, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
