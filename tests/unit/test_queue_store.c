/*
 * test_queue_store - what the store was told is there is there, whatever
 * happens: a second open, a kill, a full disk, a damaged record.
 * room: queue
 */
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "base/log.h"
#include "deaf.h"
#include "queue_disk.h"
#include "queue/store/lmdb/store_format.h"
#include "queue/store/lmdb/store_inside.h"
#include "sweep_kit.h"

static struct envelope *
read_envelope(struct kit *k, struct id id)
{
	struct store_read_envelope r = { .id = id };
	unsigned before = k->back_cnt;

	store_read_envelope(k->store, &r, kit_back, k);
	kit_until(k, k->back_cnt > before);
	return k->last == OK ? r.envelope : NULL;
}

static size_t
read_piece(struct kit *k, struct id id, enum part part, uint32_t no, char *buf)
{
	struct store_read_piece r = {
		.id = id, .part = part, .piece_no = no,
	};
	unsigned before = k->back_cnt;

	store_read_piece(k->store, &r, kit_back, k);
	kit_until(k, k->back_cnt > before);
	assert_int_equal(k->last, OK);
	memcpy(buf, r.text, r.len);
	free(r.text);
	return r.len;
}

/* Settle the only delivery of a message: all of it was delivered. */
static bool
deliver(struct kit *k, struct id id)
{
	struct store_change c = { .class = CLASS_DONE, .code = 250,
	    .address = SPAN("rcpt@example.org"), .reply = SPAN("2.0.0 Ok") };
	struct store_settle s = { .id = id, .is_over = true, .changes = &c,
	    .change_cnt = 1, .attempts = 1 };
	unsigned before = k->back_cnt;

	store_settle(k->store, &s, kit_back, k);
	kit_until(k, k->back_cnt > before);
	assert_int_equal(k->last, OK);
	return s.removed;
}

static void
what_was_accepted_is_read_back_after_a_new_open(void **state)
{
	struct kit *k = *state;
	struct kit_mail m;
	struct envelope *env;
	char buf[PIECE_MAX];

	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	assert_int_equal(kit_accept(k, &m), OK);
	store_close(&k->store);
	kit_reopen(k);
	assert_int_equal(k->ready.message_cnt, 1);
	assert_int_equal(id_cmp(k->ready.last_id, m.mail.id), 0);
	env = read_envelope(k, m.mail.id);
	assert_non_null(env);
	assert_true(span_eq(env->message.sender, SPAN("from@example.org")));
	assert_int_equal(env->rcpt_cnt, 1);
	assert_true(span_eq(env->rcpts[0].address, SPAN("rcpt@example.org")));
	assert_true(span_eq(env->delivery.tenant, SPAN("tenant")));
	free(env);
	assert_int_equal(read_piece(k, m.mail.id, PART_BODY, 0, buf), 6);
	assert_memory_equal(buf, "text\r\n", 6);
}

static void
a_body_of_many_pieces_is_read_back_byte_for_byte(void **state)
{
	struct kit *k = *state;
	static char text[3 * PIECE_MAX + 1000], buf[PIECE_MAX];
	struct store_piece p[3];
	struct kit_mail m;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + i / 251);
	kit_mail(k, &m, SPAN("A: b\r\n\r\n"),
	    (struct span){ text + 3 * PIECE_MAX, 1000 });
	m.accept.body_piece_no = 3;
	m.accept.message.body_len = sizeof(text);
	for (unsigned i = 0; i < 3; i++) {
		p[i] = (struct store_piece){ .mail = &m.mail,
		    .part = PART_BODY, .piece_no = i,
		    .text = { text + i * PIECE_MAX, PIECE_MAX } };
		store_put_piece(k->store, &p[i], kit_back, k);
	}
	kit_until(k, k->back_cnt == 3);
	assert_int_equal(kit_accept(k, &m), OK);
	for (unsigned i = 0; i < 4; i++) {
		size_t len = i < 3 ? PIECE_MAX : 1000;

		assert_int_equal(read_piece(k, m.mail.id, PART_BODY, i, buf),
		    len);
		assert_memory_equal(buf, text + i * PIECE_MAX, len);
	}
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_LOOSE), 0);
	assert_int_equal(kit_rows(k, TABLE_BODY), 49);
	assert_int_equal(kit_rows(k, TABLE_CRC), 3);
	kit_reopen(k);
}

/* As a long report of ours is, whose text comes in one. */
static void
a_long_text_may_come_whole(void **state)
{
	struct kit *k = *state;
	static char text[2 * PIECE_MAX + 77], buf[PIECE_MAX];
	struct kit_mail m;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 11 + i / 253);
	kit_mail(k, &m, SPAN("A: b\r\n\r\n"),
	    (struct span){ text, sizeof(text) });
	assert_int_equal(kit_accept(k, &m), OK);
	for (unsigned i = 0; i < 3; i++) {
		size_t len = i < 2 ? PIECE_MAX : 77;

		assert_int_equal(read_piece(k, m.mail.id, PART_BODY, i, buf),
		    len);
		assert_memory_equal(buf, text + i * PIECE_MAX, len);
	}
	assert_true(deliver(k, m.mail.id));
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_BODY), 0);
	assert_int_equal(kit_rows(k, TABLE_CRC), 0);
	kit_reopen(k);
}

static void
the_last_delivery_takes_the_message_with_it(void **state)
{
	struct kit *k = *state;
	struct kit_mail m;

	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	assert_int_equal(kit_accept(k, &m), OK);
	assert_true(deliver(k, m.mail.id));
	store_close(&k->store);
	for (enum table t = TABLE_MESSAGE; t <= TABLE_LOOSE; t++)
		assert_int_equal(kit_rows(k, t), 0);
	assert_int_equal(kit_rows(k, TABLE_HISTORY), 2);
	kit_reopen(k);
	/* The id of a message that is gone is not used again. */
	assert_int_equal(id_cmp(k->ready.last_id, m.mail.id), 0);
}

static void
what_never_became_a_message_is_swept_at_the_next_start(void **state)
{
	struct kit *k = *state;
	static char text[PIECE_MAX];
	struct store_mail mail = { .id = kit_id(k) };
	struct store_piece p[40];
	struct kit_mail m;

	for (unsigned i = 0; i < 40; i++) {
		p[i] = (struct store_piece){ .mail = &mail, .part = PART_BODY,
		    .piece_no = i, .text = { text, PIECE_MAX } };
		store_put_piece(k->store, &p[i], kit_back, k);
	}
	kit_until(k, k->back_cnt == 40);
	/* Still arriving: others come and go, and it stays. */
	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	assert_int_equal(kit_accept(k, &m), OK);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_LOOSE), 1);
	assert_int_equal(kit_rows(k, TABLE_BODY), 641);
	kit_reopen(k);
	sweep_wait(k);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_LOOSE), 0);
	assert_int_equal(kit_rows(k, TABLE_BODY), 1);
	assert_int_equal(kit_rows(k, TABLE_MESSAGE), 1);
	kit_reopen(k);
}

static void
what_was_dropped_is_swept_at_once(void **state)
{
	struct kit *k = *state;
	static char text[PIECE_MAX];
	struct store_mail mail = { .id = kit_id(k) };
	struct store_piece p = { .mail = &mail, .part = PART_BODY,
	    .text = { text, PIECE_MAX } };
	struct store_drop d = { .mail = &mail };

	store_put_piece(k->store, &p, kit_back, k);
	store_drop(k->store, &d, kit_back, k);
	kit_until(k, k->back_cnt == 2);
	sweep_wait(k);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_BODY), 0);
	assert_int_equal(kit_rows(k, TABLE_LOOSE), 0);
	kit_reopen(k);
}

static void
a_quota_stops_intake_and_frees_it_again(void **state)
{
	struct kit *k = *state;
	static char text[PIECE_MAX];
	struct id ids[64];
	unsigned cnt;

	k->limits.max_bytes = 1 << 20;
	k->limits.history_bytes = 0;
	store_set_limits(k->store, &k->limits);
	for (cnt = 0; cnt < 64 && !k->full; cnt++) {
		struct kit_mail m;

		kit_mail(k, &m, SPAN("A: b\r\n\r\n"),
		    (struct span){ text, PIECE_MAX });
		assert_int_equal(kit_accept(k, &m), OK);
		ids[cnt] = m.mail.id;
	}
	assert_true(k->full);
	assert_in_range(cnt, 10, 20);
	for (unsigned i = 0; i < cnt; i++)
		assert_true(deliver(k, ids[i]));
	kit_until(k, !k->full);
}

/* The row of a message becomes rubbish. */
static void
damage(struct kit *k, struct id id)
{
	struct store_env e;
	struct store_key key;
	MDB_txn *txn;

	store_close(&k->store);
	assert_int_equal(store_table_open(&e, k->dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	store_table_key_id(&key, id);
	assert_int_equal(store_table_put(&e, txn, TABLE_MESSAGE, &key,
	    "rubbish", 7), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
	kit_reopen(k);
}

static void
a_damaged_record_is_set_aside_and_the_rest_goes_on(void **state)
{
	struct kit *k = *state;
	struct kit_mail m[2];
	struct envelope *env;

	for (int i = 0; i < 2; i++) {
		kit_mail(k, &m[i], SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
		assert_int_equal(kit_accept(k, &m[i]), OK);
	}
	damage(k, m[0].mail.id);
	assert_null(read_envelope(k, m[0].mail.id));
	assert_int_equal(k->last, ERR_PEER);
	for (int i = 0; i < 10; i++)
		kit_turn(k);
	assert_null(read_envelope(k, m[0].mail.id));
	assert_int_equal(k->last, ERR_PEER);
	assert_non_null(env = read_envelope(k, m[1].mail.id));
	free(env);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_QUARANTINE), 1);
	assert_int_equal(kit_rows(k, TABLE_MESSAGE), 2);
	kit_reopen(k);
}

static char said[1000];

static void
keep_line(enum log_level level, const char *line, size_t len)
{
	snprintf(said, sizeof(said), "%.*s", (int)len, line);
}

/* Noted on disk, it will not be told of again. */
static void
what_was_noted_just_before_the_end_is_told(void **state)
{
	struct kit *k = *state;
	struct store_key key;
	struct kit_mail m;

	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	assert_int_equal(kit_accept(k, &m), OK);
	damage(k, m.mail.id);
	store_table_key_id(&key, m.mail.id);
	log_setup("", keep_line, false);
	store_set_aside(k->store, TABLE_MESSAGE, &key, ASIDE_DAMAGED);
	store_close(&k->store);
	log_setup("", NULL, false);
	assert_non_null(strstr(said, "event=quarantined"));
	assert_int_equal(kit_rows(k, TABLE_QUARANTINE), 1);
	kit_reopen(k);
}

/* The child writes as fast as it can, and says each id that is on disk. */
static void
write_until_killed(const char *dir, int out)
{
	struct kit k = { .limits = { .reserve = 1 << 20,
	    .history_ms = 86400000, .history_bytes = 1 << 20 } };

	snprintf(k.dir, sizeof(k.dir), "%s", dir);
	if (ev_open(&k.loop) != OK)
		_exit(1);
	kit_reopen(&k);
	for (;;) {
		static char text[6000];
		struct kit_mail m[8];
		unsigned before = k.back_cnt;

		for (int i = 0; i < 8; i++) {
			kit_mail(&k, &m[i], SPAN("A: b\r\n\r\n"),
			    (struct span){ text, sizeof(text) });
			store_accept(k.store, &m[i].accept, kit_back, &k);
		}
		while (k.back_cnt < before + 8)
			kit_turn(&k);
		for (int i = 0; i < 8; i++)
			if (write(out, m[i].mail.id.b, 16) != 16)
				_exit(1);
	}
}

static void
a_kill_loses_nothing_that_was_acknowledged(void **state)
{
	struct kit *k = *state;
	unsigned total = 0;

	store_close(&k->store);
	for (int round = 0; round < 5; round++) {
		int fds[2];
		struct id id;
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		assert_true((pid = fork()) >= 0);
		if (pid == 0)
			write_until_killed(k->dir, fds[1]);
		close(fds[1]);
		assert_int_equal(poll(&(struct pollfd){ fds[0], POLLIN, 0 }, 1,
		    60000), 1);		/* it has begun */
		usleep(10000 + 7000 * (unsigned)round);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		kit_reopen(k);
		while (read(fds[0], id.b, 16) == 16) {
			struct envelope *env = read_envelope(k, id);
			char buf[PIECE_MAX];

			assert_non_null(env);
			assert_int_equal(read_piece(k, id, PART_BODY, 0, buf),
			    6000);
			free(env);
			total++;
		}
		close(fds[0]);
		store_close(&k->store);
	}
	assert_true(total > 5);
	kit_reopen(k);
}

/* On a disk of 24 MiB: what does not fit is refused, what is there can go. */
static void
fill_and_empty(const char *dir)
{
	static char text[PIECE_MAX];
	struct kit k;
	struct id ids[512];
	unsigned cnt;

	kit_dir(&k, dir);
	k.limits.reserve = 4 << 20;
	kit_reopen(&k);
	for (cnt = 0; cnt < 512; cnt++) {
		struct kit_mail m;
		enum err e;

		kit_mail(&k, &m, SPAN("A: b\r\n\r\n"),
		    (struct span){ text, PIECE_MAX });
		e = kit_accept(&k, &m);
		if (e != OK) {		/* beyond the reserve, as we ask for */
			assert_int_equal(e, ERR_FULL);
			break;
		}
		ids[cnt] = m.mail.id;
	}
	assert_true(k.full);
	assert_in_range(cnt, 100, 400);
	for (unsigned i = 0; i < cnt; i++)
		assert_true(deliver(&k, ids[i]));
	kit_until(&k, !k.full);
	store_close(&k.store);
	assert_int_equal(kit_rows(&k, TABLE_MESSAGE), 0);
}

static void
a_full_disk_refuses_and_deliveries_go_on(void **state)
{
	disk_try("size=24m", fill_and_empty);
}

/* A quarter of the reserve is 1 MiB, 16 messages, and their pages go late. */
static void
fill_and_let_one_go(const char *dir)
{
	static char text[PIECE_MAX];
	struct kit k;
	struct id ids[512];
	unsigned cnt = 0, gone = 0;

	kit_dir(&k, dir);
	k.limits.reserve = 4 << 20;
	kit_reopen(&k);
	while (!k.full) {
		struct kit_mail m;

		kit_mail(&k, &m, SPAN("A: b\r\n\r\n"),
		    (struct span){ text, PIECE_MAX });
		assert_true(cnt < 512);
		assert_int_equal(kit_accept(&k, &m), OK);
		ids[cnt++] = m.mail.id;
	}
	while (k.full) {
		assert_true(gone < cnt);
		assert_true(deliver(&k, ids[gone++]));
	}
	assert_in_range(gone, 10, cnt / 2);
	store_close(&k.store);
}

static void
a_full_disk_takes_mail_again_when_there_is_room_for_some(void **state)
{
	disk_try("size=24m", fill_and_let_one_go);
}

/* Neither what is written nor what is read waits for another wake-up. */
static void
a_lost_wake_up_keeps_nothing_back(void **state)
{
	struct kit *k = *state;

	assert_true(deaf_make() > 0);
	for (unsigned i = 0; i < 3; i++) {
		struct kit_mail m;
		char buf[PIECE_MAX];

		kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
		assert_int_equal(kit_accept(k, &m), OK);
		assert_int_equal(read_piece(k, m.mail.id, PART_BODY, 0, buf),
		    6);
	}
}

static void
no_second_process_has_the_store(void **state)
{
	struct kit *k = *state;
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		struct store_env e = { 0 };

		_exit(store_table_open(&e, k->dir) == EBUSY ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_close(&k->store);
	kit_reopen(k);
}

/* The number of the store's format. */
static void
write_format(struct kit *k, uint32_t format)
{
	struct record_format rec = { format };
	uint8_t buf[RECORD_MAX];
	MDB_val key = { 5, "total" }, val = { 0, buf };
	struct store_env e;
	MDB_txn *txn;
	MDB_dbi dbi;

	val.mv_size = record_put(buf, RECORD_format, &rec);
	assert_int_equal(mdb_env_create(&e.env), 0);
	assert_int_equal(mdb_env_open(e.env, k->dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &key, &val, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(e.env);
}

static void
a_store_of_a_newer_format_is_not_opened_nor_touched(void **state)
{
	struct kit *k = *state;
	struct kit_mail m;
	char path[96];
	struct stat was, is;

	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	assert_int_equal(kit_accept(k, &m), OK);
	store_close(&k->store);
	write_format(k, STORE_FORMAT + 1);
	(void)snprintf(path, sizeof(path), "%s/data.mdb", k->dir);
	assert_int_equal(stat(path, &was), 0);
	assert_int_equal(kit_begin(k), ERR_PEER);
	assert_int_equal(stat(path, &is), 0);
	assert_int_equal(is.st_size, was.st_size);
	assert_int_equal(is.st_mtim.tv_nsec, was.st_mtim.tv_nsec);
	write_format(k, STORE_FORMAT);
	kit_reopen(k);
	assert_int_equal(k->ready.message_cnt, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(what_was_accepted_is_read_back_after_a_new_open),
		KIT_TEST(a_body_of_many_pieces_is_read_back_byte_for_byte),
		KIT_TEST(a_long_text_may_come_whole),
		KIT_TEST(the_last_delivery_takes_the_message_with_it),
		KIT_TEST(
		    what_never_became_a_message_is_swept_at_the_next_start),
		KIT_TEST(what_was_dropped_is_swept_at_once),
		KIT_TEST(a_quota_stops_intake_and_frees_it_again),
		KIT_TEST(a_lost_wake_up_keeps_nothing_back),
		cmocka_unit_test(a_full_disk_refuses_and_deliveries_go_on),
		cmocka_unit_test(
		    a_full_disk_takes_mail_again_when_there_is_room_for_some),
		KIT_TEST(a_damaged_record_is_set_aside_and_the_rest_goes_on),
		KIT_TEST(what_was_noted_just_before_the_end_is_told),
		KIT_TEST(a_kill_loses_nothing_that_was_acknowledged),
		KIT_TEST(no_second_process_has_the_store),
		KIT_TEST(a_store_of_a_newer_format_is_not_opened_nor_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
