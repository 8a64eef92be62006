/*
 * test_queue_rows - which rows of the store go when, and which stay.
 * room: queue
 */
#include "queue_disk.h"
#include "sweep_kit.h"

#include "base/crc.h"
#include "base/wire.h"

static struct envelope *
read_delivery(struct kit *k, struct id id, uint32_t no)
{
	struct store_read_envelope r = { .id = id, .no = no };
	unsigned before = k->back_cnt;

	store_read_envelope(k->store, &r, kit_back, k);
	kit_until(k, k->back_cnt > before);
	return k->last == OK ? r.envelope : NULL;
}
static void
settle(struct kit *k, struct store_settle *s)
{
	unsigned before = k->back_cnt;

	store_settle(k->store, s, kit_back, k);
	kit_until(k, k->back_cnt > before);
	assert_int_equal(k->last, OK);
}

static void
each_delivery_has_its_recipients_the_last_ends_it(void **state)
{
	static const uint32_t split[3] = { 0, 1, 1 };
	struct kit *k = *state;
	struct store_delivery where[2];
	struct store_change c = { .class = CLASS_DONE, .code = 250 };
	struct store_settle s = { .is_over = true, .changes = &c,
	    .change_cnt = 1, .attempts = 1 };
	struct envelope *env;
	struct kit_mail m;

	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	m.rcpts[1] = SPAN("b@example.org");
	m.rcpts[2] = SPAN("c@example.org");
	where[0] = where[1] = m.where;
	m.accept.message.rcpt_cnt = 3;
	m.accept.message.delivery_cnt = 2;
	m.accept.rcpt_delivery = split;
	m.accept.deliveries = where;
	assert_int_equal(kit_accept(k, &m), OK);
	s.id = m.mail.id;
	settle(k, &s);
	assert_false(s.removed);
	assert_null(read_delivery(k, m.mail.id, 0));
	s.no = 1;
	for (uint32_t no = 1; no <= 2; no++) {
		assert_non_null(env = read_delivery(k, m.mail.id, 1));
		assert_int_equal(env->rcpt_cnt, 3 - no);
		assert_int_equal(env->delivery.rcpt_cnt, 3 - no);
		assert_int_equal(env->rcpts[0].no, no);
		assert_int_equal(env->delivery.attempts, no - 1);
		free(env);
		c.rcpt_no = no;
		c.address = m.rcpts[no];
		s.is_over = no == 2;
		s.due_ms = m.where.due_ms + 1;
		settle(k, &s);
		assert_int_equal(s.removed, no == 2);
	}
	store_close(&k->store);
	for (enum table t = TABLE_MESSAGE; t <= TABLE_LOOSE; t++)
		assert_int_equal(kit_rows(k, t), 0);
	kit_reopen(k);
}
static void
a_message_of_many_chunks_leaves_none(void **state)
{
	struct kit *k = *state;
	static char text[PIECE_MAX];
	struct store_piece p[40];
	struct store_change c = { .class = CLASS_DONE, .code = 250 };
	struct store_settle s = { .is_over = true, .changes = &c,
	    .change_cnt = 1 };
	struct kit_mail m;

	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN(""));
	m.accept.message.body_len = 40 * PIECE_MAX;
	for (unsigned i = 0; i < 40; i++) {
		p[i] = (struct store_piece){ .mail = &m.mail,
		    .part = PART_BODY, .piece_no = i,
		    .text = { text, PIECE_MAX } };
		store_put_piece(k->store, &p[i], kit_back, k);
	}
	kit_until(k, k->back_cnt == 40);
	assert_int_equal(kit_accept(k, &m), OK);
	s.id = m.mail.id;
	settle(k, &s);
	assert_true(s.removed);
	sweep_wait(k);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_BODY), 0);
	assert_int_equal(kit_rows(k, TABLE_CRC), 0);
	assert_int_equal(kit_rows(k, TABLE_LOOSE), 0);
	kit_reopen(k);
}
static void
history_goes_when_it_is_old_or_too_much(void **state)
{
	struct kit *k = *state;
	struct kit_mail m;

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 20; i++) {
			kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN(""));
			assert_int_equal(kit_accept(k, &m), OK);
		}
		store_close(&k->store);
		assert_int_equal(kit_rows(k, TABLE_HISTORY), 20);
		if (round == 0)
			k->limits.history_ms = 0;
		else
			k->limits.history_bytes = 0;
		kit_reopen(k);
		usleep(2000);
		for (int i = 0; i < 2; i++) {
			kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN(""));
			assert_int_equal(kit_accept(k, &m), OK);
			usleep(2000);
		}
		store_close(&k->store);
		assert_in_range(kit_rows(k, TABLE_HISTORY), 0, 1);
		k->limits.history_ms = 86400000;
		k->limits.history_bytes = 0;
		kit_reopen(k);
		kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN(""));
		assert_int_equal(kit_accept(k, &m), OK);
		k->limits.history_bytes = 1 << 20;
		store_set_limits(k->store, &k->limits);
	}
}
/* One message is still arriving while another is dropped and swept. */
static void
what_is_arriving_is_not_swept(void **state)
{
	struct kit *k = *state;
	static char text[PIECE_MAX];
	struct store_mail mail[2];
	struct store_piece p[3];
	struct store_drop d = { .mail = &mail[1] };

	for (int i = 0; i < 2; i++)
		mail[i] = (struct store_mail){ .id = kit_id(k) };
	for (int i = 0; i < 3; i++) {
		p[i] = (struct store_piece){ .mail = &mail[i / 2],
		    .part = PART_BODY, .piece_no = i % 2,
		    .text = { text, PIECE_MAX } };
		store_put_piece(k->store, &p[i], kit_back, k);
	}
	store_drop(k->store, &d, kit_back, k);
	kit_until(k, k->back_cnt == 4);
	sweep_wait(k);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_LOOSE), 1);
	assert_int_equal(kit_rows(k, TABLE_BODY), 2 * PIECE_CHUNKS);
	kit_reopen(k);
	/* An id that only lies in loose is not used again either. */
	assert_int_equal(id_cmp(k->ready.last_id, mail[0].id), 0);
}

/* A row of table due that leads nowhere, or to another time. */
static void
a_row_that_is_undue_is_gone(void **state)
{
	struct kit *k = *state;
	struct store_flow flow;
	struct store_undue u = { .place = { .no = 0 } };
	struct kit_mail m;

	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN(""));
	assert_int_equal(kit_accept(k, &m), OK);
	assert_true(store_flow_name(&flow, m.where.relay, m.where.destination,
	    m.where.tenant));
	u.flow = (struct span){ flow.name, flow.len };
	u.place = (struct store_place){ m.where.due_ms, m.mail.id, 0 };
	store_undue(k->store, &u, kit_back, k);
	kit_until(k, k->back_cnt == 2);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_DUE), 0);
	assert_int_equal(kit_rows(k, TABLE_MESSAGE), 1);
	kit_reopen(k);
}

static void
what_was_handed_over_is_written_before_the_close(void **state)
{
	static struct kit_mail m[200];
	struct kit *k = *state;

	for (int i = 0; i < 200; i++) {
		kit_mail(k, &m[i], SPAN("A: b\r\n\r\n"), SPAN(""));
		store_accept(k->store, &m[i].accept, kit_back, k);
	}
	store_close(&k->store);
	assert_int_equal(k->back_cnt, 0);
	kit_reopen(k);
	assert_int_equal(k->ready.message_cnt, 200);
}

/* A message of which a piece is missing is never one, room or not. */
static void
lose_a_piece(const char *dir)
{
	static char text[PIECE_MAX];
	struct store_piece piece;
	struct kit_mail m;
	struct kit k;
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/filler", dir);
	kit_dir(&k, dir);
	k.limits.reserve = 0;
	kit_reopen(&k);
	assert_true((fd = open(path, O_WRONLY | O_CREAT, 0600)) >= 0);
	while (write(fd, text, sizeof(text)) > 0)
		continue;
	close(fd);
	kit_mail(&k, &m, SPAN("A: b\r\n\r\n"), SPAN(""));
	piece = (struct store_piece){ .mail = &m.mail, .part = PART_BODY,
	    .text = { text, PIECE_MAX } };
	store_put_piece(k.store, &piece, kit_back, &k);
	kit_until(&k, k.back_cnt == 1);
	assert_int_equal(k.last, ERR_FULL);
	assert_int_equal(unlink(path), 0);
	m.accept.message.body_len = PIECE_MAX;
	assert_int_equal(kit_accept(&k, &m), ERR_FULL);
	kit_mail(&k, &m, SPAN("A: b\r\n\r\n"), SPAN(""));
	assert_int_equal(kit_accept(&k, &m), OK);
	store_close(&k.store);
	assert_int_equal(kit_rows(&k, TABLE_MESSAGE), 1);
	assert_int_equal(kit_rows(&k, TABLE_BODY), 0);
	kit_close(&k);
}

static void
a_message_that_lost_a_piece_is_refused(void **state)
{
	disk_try("size=4m", lose_a_piece);
}

static void
a_store_that_opens_full_says_so(void **state)
{
	struct kit *k = *state;

	store_close(&k->store);
	k->limits.max_bytes = 1;
	kit_reopen(k);
	for (int i = 0; i < 20; i++)	/* not after a second, at once */
		kit_turn(k);
	assert_true(k->full);
}

/* A message's record with three strings of one length, three of another. */
static enum err
read_record(uint8_t version, size_t longer, size_t shorter)
{
	static char text[RECORD_STR_MAX];
	static uint8_t buf[2 * RECORD_MAX];
	struct wire_out w = { buf, 0, sizeof(buf), false };
	union record r;

	wire_u8(&w, version);
	wire_u8(&w, 0);
	for (int i = 0; i < 3; i++)
		wire_u64(&w, 0);
	wire_u32(&w, 1);
	wire_u32(&w, 1);
	for (int i = 0; i < 6; i++)
		wire_str(&w, (struct span){ text, i < 3 ? longer : shorter },
		    sizeof(text));
	if (version >= 2) {
		wire_u8(&w, 1);
		wire_str(&w, SPAN("e"), 1);
		wire_u8(&w, 1);
		wire_u32(&w, 2);
		wire_u32(&w, 3);
		wire_u64(&w, 1);
	}
	if (version >= 3) {
		wire_u8(&w, 1);
		wire_u8(&w, 0);
		wire_u64(&w, 0);
		wire_u8(&w, 0);
	}
	wire_u32(&w, crc_of(0, buf, w.len));
	assert_false(w.bad);
	return record_get((struct span){ (char *)buf, w.len },
	    RECORD_message, &r);
}

/* What could not be written again would stop every transaction. */
static void
a_record_of_more_than_a_page_is_none(void **state)
{
	assert_int_equal(read_record(3, 1024, 308), OK);	/* 4078 bytes */
	assert_int_equal(read_record(3, 1024, 309), ERR_PEER);
}

/* It grows by what it lacks when it is written again: 30 bytes, or eleven. */
static void
an_older_record_is_read_when_it_can_be_written_again(void **state)
{
	assert_int_equal(read_record(1, 1024, 309), OK);
	assert_int_equal(read_record(1, 1024, 310), ERR_PEER);
	assert_int_equal(read_record(2, 1024, 308), OK);
	assert_int_equal(read_record(2, 1024, 309), ERR_PEER);
	assert_int_equal(read_record(4, 1024, 1), ERR_PEER);
	assert_int_equal(read_record(0, 1024, 1), ERR_PEER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(each_delivery_has_its_recipients_the_last_ends_it),
		KIT_TEST(a_message_of_many_chunks_leaves_none),
		KIT_TEST(history_goes_when_it_is_old_or_too_much),
		KIT_TEST(what_is_arriving_is_not_swept),
		KIT_TEST(a_row_that_is_undue_is_gone),
		KIT_TEST(a_store_that_opens_full_says_so),
		KIT_TEST(a_record_of_more_than_a_page_is_none),
		KIT_TEST(an_older_record_is_read_when_it_can_be_written_again),
		KIT_TEST(what_was_handed_over_is_written_before_the_close),
		cmocka_unit_test(a_message_that_lost_a_piece_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
