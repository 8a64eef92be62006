/*
 * test_queue_digest - what nobody could be told of: kept, counted, told to the
 * postmaster once, and never lost before.
 * room: queue
 */
#include "queue_kit.h"

#include "queue/bounce/digest_text.h"
#include "queue/store/lmdb/store_inside.h"

#define CALL(name, op)	(name(k->store, op, kit_back, k), wait_for_it(k))

/* One call is on its way at a time. */
static enum err
wait_for_it(struct kit *k)
{
	unsigned before = k->back_cnt;

	kit_until(k, k->back_cnt > before);
	return k->last;
}

/* A message that comes, fails, and cannot be told of: cnt recipients of it. */
static void
discard(struct kit *k, uint32_t cnt, int64_t now_ms)
{
	struct store_discard *d = calloc(cnt, sizeof(*d));
	struct store_settle s = { .is_over = true, .discards = d,
	    .discard_cnt = cnt, .now_ms = now_ms };
	struct kit_mail m;

	assert_non_null(d);
	for (uint32_t i = 0; i < cnt; i++)
		d[i] = (struct store_discard){ .rcpt_no = i, .rec = {
		    .code = 550, .address = SPAN("to@example.org"),
		    .reply = SPAN("5.1.1 No"), .why = SPAN("because") } };
	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN("x\r\n"));
	m.accept.message.rcpt_cnt = 0;
	assert_int_equal(kit_accept(k, &m), OK);
	s.id = m.mail.id;
	assert_int_equal(CALL(store_settle, &s), OK);
	assert_true(s.removed);
	free(d);
}

static struct discard_rows *
read_rows(struct kit *k, uint32_t max)
{
	struct store_read_discards r = { .row_max = max };

	assert_int_equal(CALL(store_read_discards, &r), OK);
	assert_non_null(r.rows);
	return r.rows;
}

static void
what_comes_meanwhile_is_for_the_next_digest(void **state)
{
	struct kit *k = *state;
	struct kit_mail m;
	struct store_digest d = { .message = &m.accept };
	struct discard_rows *rows, *left;
	int64_t now_ms = clock_wall_ms();

	discard(k, 3, now_ms);
	d.rows = rows = read_rows(k, STORE_DISCARDS_MAX);
	assert_int_equal(rows->cnt, 3);
	assert_int_equal(rows->all_cnt, 3);
	assert_int_equal(rows->rows[0].at_ms, now_ms);
	assert_int_equal(rows->rows[2].rec.code, 550);
	discard(k, 2, now_ms - 1000);	/* before them by its key */
	kit_mail(k, &m, SPAN("To: us\r\n\r\n"), SPAN("All\r\n"));
	assert_int_equal(CALL(store_digest, &d), OK);
	left = read_rows(k, STORE_DISCARDS_MAX);
	assert_int_equal(left->cnt, 2);
	assert_int_equal(left->all_cnt, 2);
	assert_int_equal(left->rows[0].at_ms, now_ms - 1000);
	free(left);
	free(rows);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_MESSAGE), 1);
	kit_reopen(k);
}

static void
all_are_counted_where_not_all_are_kept(void **state)
{
	struct kit *k = *state;
	struct store_digest d = { .message = NULL };
	struct discard_rows *rows;

	discard(k, STORE_DISCARDS_MAX - 1, clock_wall_ms());
	discard(k, 7, clock_wall_ms());
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_DISCARD), STORE_DISCARDS_MAX);
	kit_reopen(k);
	d.rows = rows = read_rows(k, STORE_DISCARDS_MAX);
	assert_int_equal(rows->cnt, STORE_DISCARDS_MAX);
	assert_int_equal(rows->text_cnt, STORE_DISCARDS_READ);
	assert_int_equal(rows->all_cnt, STORE_DISCARDS_MAX + 6);
	assert_int_equal(CALL(store_digest, &d), OK);
	free(rows);
	rows = read_rows(k, STORE_DISCARDS_MAX);
	assert_int_equal(rows->cnt, 0);
	assert_int_equal(rows->all_cnt, 0);
	free(rows);
}

/* The sum as it is on disk, with one bit of it flipped. */
static void
damage_sum(struct kit *k)
{
	struct store_env e;
	MDB_txn *txn;
	MDB_val key = { 9, (void *)(uintptr_t)"discarded" }, val;
	char row[RECORD_MAX];

	assert_int_equal(store_table_open(&e, k->dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_get(txn, e.dbi[TABLE_TOTAL], &key, &val), 0);
	memcpy(row, val.mv_data, val.mv_size);
	row[val.mv_size / 2] ^= 4;
	val.mv_data = row;
	assert_int_equal(mdb_put(txn, e.dbi[TABLE_TOTAL], &key, &val, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
}

static void
a_damaged_sum_hides_no_row(void **state)
{
	struct kit *k = *state;
	struct discard_rows *rows;

	discard(k, 4, clock_wall_ms());
	store_close(&k->store);
	damage_sum(k);
	kit_reopen(k);
	rows = read_rows(k, STORE_DISCARDS_MAX);
	assert_int_equal(rows->cnt, 4);
	assert_int_equal(rows->all_cnt, 4);
	free(rows);
	discard(k, 1, clock_wall_ms());
	rows = read_rows(k, STORE_DISCARDS_MAX);
	assert_int_equal(rows->all_cnt, 5);
	free(rows);
}

/* Its envelope is gone, as by damage of a page; its report is not. */
static void
lose_message(struct kit *k, struct id id)
{
	struct store_env e;
	struct store_key key;
	MDB_txn *txn;

	assert_int_equal(store_table_open(&e, k->dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	store_table_key_id(&key, id);
	assert_int_equal(store_table_del(&e, txn, TABLE_MESSAGE, &key), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
}

static void
what_a_lost_message_had_to_tell_is_for_the_postmaster(void **state)
{
	struct kit *k = *state;
	struct store_change c = { .class = CLASS_NEVER, .code = 550,
	    .reply = SPAN("5.1.1 Gone"), .report = REPORT_FAILED,
	    .address = SPAN("gone@example.org") };
	struct store_settle s = { .is_over = true, .changes = &c,
	    .change_cnt = 1, .now_ms = clock_wall_ms() };
	struct store_report r = { .now_ms = clock_wall_ms() };
	struct discard_rows *rows;
	struct kit_mail m;

	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN("x\r\n"));
	assert_int_equal(kit_accept(k, &m), OK);
	s.id = r.id = m.mail.id;
	assert_int_equal(CALL(store_settle, &s), OK);
	store_close(&k->store);
	lose_message(k, r.id);
	kit_reopen(k);
	assert_int_equal(CALL(store_report, &r), ERR_NONE);
	assert_int_equal(r.lost_cnt, 1);
	rows = read_rows(k, 10);
	assert_int_equal(rows->cnt, 1);
	assert_int_equal(id_cmp(rows->rows[0].id, r.id), 0);
	assert_true(span_eq(rows->rows[0].rec.address,
	    SPAN("gone@example.org")));
	assert_true(span_eq(rows->rows[0].rec.reply, SPAN("5.1.1 Gone")));
	free(rows);
	assert_int_equal(CALL(store_report, &r), ERR_NONE);
	assert_int_equal(r.lost_cnt, 0);	/* and once only */
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_REPORT), 0);
	kit_reopen(k);
}

static struct discard_rows *
some_rows(uint32_t cnt, struct record_discard rec)
{
	struct discard_rows *rows = calloc(1, sizeof(*rows) +
	    cnt * sizeof(rows->rows[0]));

	assert_non_null(rows);
	rows->cnt = rows->text_cnt = cnt;
	rows->all_cnt = cnt;
	for (uint32_t i = 0; i < cnt; i++)
		rows->rows[i] = (struct discard_row){ .at_ms = 86400000,
		    .id = { { 2 } }, .rec = rec };
	return rows;
}

static struct bounce_text
write_text(const struct discard_rows *rows, struct span to)
{
	struct bounce_text t;

	assert_int_equal(digest_text_write(&t, &(struct digest_about){
	    .id = { { 1 } }, .now_ms = 2 * 86400000,
	    .hostname = SPAN("mx.example.org"),
	    .home = SPAN("example.org"), .queue = SPAN("main"),
	    .to = to, .rows = rows }), OK);
	assert_int_equal(strlen(t.text), t.len);
	assert_memory_equal(t.text + t.header_len - 4, "\r\n\r\n", 4);
	return t;
}

/* Every line ends in CRLF, is short enough, and is ASCII without controls. */
static void
check_lines(const struct bounce_text *t)
{
	size_t column = 0;

	for (size_t i = 0; i < t->len; i++) {
		unsigned char c = (unsigned char)t->text[i];

		assert_true(c < 0x7f && (c >= ' ' || c == '\r' || c == '\n'));
		if (c == '\r')
			assert_int_equal(t->text[i + 1], '\n');
		if (c == '\n')
			assert_int_equal(t->text[i - 1], '\r');
		column = c == '\n' ? 0 : column + 1;
		assert_true(column <= 999);
	}
	assert_memory_equal(t->text + t->len - 2, "\r\n", 2);
}

static void
a_digest_says_whom_what_and_why(void **state)
{
	struct discard_rows *rows = some_rows(1, (struct record_discard){
	    .code = 550, .sender = SPAN("ann@example.net"),
	    .address = SPAN("bob@example.org"), .reply = SPAN("5.1.1 No"),
	    .why = SPAN("there is no route to its sender") });
	struct bounce_text t = write_text(rows, SPAN("pm@example.org"));
	static const char *const has[] = {
		"Date: Sat, 03 Jan 1970 00:00:00 +0000\r\n",
		"From: MAILER-DAEMON@example.org\r\n",
		"To: <pm@example.org>\r\n",
		"Subject: 1 recipient failed, and no sender was told\r\n",
		"Auto-Submitted: auto-generated\r\n",
		"at mx.example.org, queue main.\r\n",
		"Fri, 02 Jan 1970 00:00:00 +0000\r\n",
		"    Message:   02000000-0000-0000-0000-000000000000\r\n",
		"    Sender:    <ann@example.net>\r\n",
		"    Recipient: <bob@example.org>\r\n",
		"    Error:     550 5.1.1 No\r\n",
		"    Discarded: there is no route to its sender\r\n",
	};

	for (size_t i = 0; i < sizeof(has) / sizeof(has[0]); i++)
		if (strstr(t.text, has[i]) == NULL)
			fail_msg("not in it: %s\n%s", has[i], t.text);
	assert_null(strstr(t.text, "more."));
	assert_int_equal(t.flags, MAIL_DIGEST);
	check_lines(&t);
	free(t.text);
	free(rows);
}

static void
foreign_bytes_break_no_line_of_a_digest(void **state)
{
	char reply[1024];
	struct discard_rows *rows;
	struct bounce_text t;

	memset(reply, 'x', sizeof(reply));
	memcpy(reply, "\r\n.\r\nBcc: \0\x80\xff\x1b", 14);
	rows = some_rows(3, (struct record_discard){
	    .reply = { reply, sizeof(reply) }, .sender = SPAN("a\r\nb@c"),
	    .address = SPAN("d>\n\n<e"), .why = SPAN("because") });
	t = write_text(rows, SPAN("pm@example.org"));
	check_lines(&t);
	assert_null(strstr(t.text, "\nBcc"));
	assert_null(strstr(t.text, "\n.\r\n"));
	free(t.text);
	free(rows);
}

static void
a_digest_beyond_ascii_needs_no_8bit_hop(void **state)
{
	struct discard_rows *rows = some_rows(2, (struct record_discard){
	    .sender = SPAN("j\xc3\xb6rg@example.net"),
	    .address = SPAN("bob@example.org"),
	    .reply = SPAN("5.1.1 Nicht daf\xc3\xbcr"), .why = SPAN("x") });
	struct bounce_text t = write_text(rows, SPAN("pm@example.org"));

	check_lines(&t);
	assert_non_null(strstr(t.text,
	    "Content-Transfer-Encoding: quoted-printable\r\n"));
	assert_non_null(strstr(t.text, "j=C3=B6rg@example.net"));
	assert_int_equal(t.flags, MAIL_DIGEST);
	free(t.text);
	t = write_text(rows, SPAN("p\xc3\xb6st@example.org"));
	assert_int_equal(t.flags, MAIL_DIGEST | MAIL_SMTPUTF8 | MAIL_8BIT);
	free(t.text);
	free(rows);
}

static void
a_digest_is_bounded_and_says_how_many_are_left_out(void **state)
{
	char reply[1024];
	struct discard_rows *rows;
	struct bounce_text t;
	const char *at;
	unsigned told = 0, more = 0;

	memset(reply, 'x', sizeof(reply));
	rows = some_rows(1000, (struct record_discard){
	    .reply = { reply, sizeof(reply) },
	    .address = { reply, sizeof(reply) }, .why = SPAN("because") });
	rows->all_cnt = 5000;
	t = write_text(rows, SPAN("pm@example.org"));
	assert_true(t.len < DIGEST_BYTES_MAX + 8192);
	for (at = t.text; (at = strstr(at, "Discarded: ")) != NULL; at++)
		told++;
	at = strstr(t.text, "... and ");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "... and %u more.", &more), 1);
	assert_int_equal(told + more, 5000);
	assert_true(told > 50);
	free(t.text);
	free(rows);
}

static void
a_damaged_row_has_its_place_in_the_digest(void **state)
{
	struct discard_rows *rows = some_rows(1, (struct record_discard){
	    .code = 0 });
	struct bounce_text t;

	rows->rows[0].is_lost = true;
	t = write_text(rows, SPAN("pm@example.org"));
	assert_non_null(strstr(t.text, "The record of it is damaged."));
	check_lines(&t);
	free(t.text);
	free(rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(what_comes_meanwhile_is_for_the_next_digest),
		KIT_TEST(all_are_counted_where_not_all_are_kept),
		KIT_TEST(a_damaged_sum_hides_no_row),
		KIT_TEST(what_a_lost_message_had_to_tell_is_for_the_postmaster),
		cmocka_unit_test(a_digest_says_whom_what_and_why),
		cmocka_unit_test(foreign_bytes_break_no_line_of_a_digest),
		cmocka_unit_test(a_digest_beyond_ascii_needs_no_8bit_hop),
		cmocka_unit_test(
		    a_digest_is_bounded_and_says_how_many_are_left_out),
		cmocka_unit_test(a_damaged_row_has_its_place_in_the_digest),
	};

	return KIT_RUN_BOTH(tests,
	    "what_comes_meanwhile_is_for_the_next_digest "
	    "all_are_counted_where_not_all_are_kept "
	    "a_damaged_sum_hides_no_row "
	    "what_a_lost_message_had_to_tell_is_for_the_postmaster");
}
