/*
 * test_queue_aging - what waits for long is told of, though nothing was tried;
 * once, and the delivery goes on as if nothing had been.
 * room: queue
 */
#include "queue_play.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>

#include "mail/dsn.h"

/* The deliveries up to the newest there can be. */
static struct store_read_old *
read_old(struct play *p, struct id after, uint32_t after_no)
{
	struct store_read_old *r = calloc(1, sizeof(*r));
	unsigned before = p->kit.back_cnt;

	assert_non_null(r);
	memset(r->until.b, 0xff, sizeof(r->until.b));
	r->after = after;
	r->after_no = after_no;
	store_read_old(p->q.store, r, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	assert_int_equal(p->kit.last, OK);
	return r;
}

static void
remind_all(struct play *p)
{
	struct store_read_old *r = read_old(p, (struct id){ { 0 } }, 0);

	for (unsigned i = 0; i < r->cnt; i++)
		dispatch_remind(&p->q, &r->rows[i].flow, &r->rows[i].place);
	free(r);
	for (int i = 0; i < 100; i++)
		kit_turn(&p->kit);
}

static void
send_asking(struct play *p, uint64_t stream, const char *sender,
    uint8_t notify)
{
	struct span header = SPAN("Subject: x\r\n\r\n");
	unsigned before = p->taken_cnt;

	link_send_mail_open(p->edge, &(struct msg_mail_open){
	    .stream = stream, .sender = span_of(sender) });
	link_send_mail_rcpt(p->edge, &(struct msg_mail_rcpt){
	    .stream = stream, .rcpt = SPAN("b@example.net"),
	    .notify = notify });
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){
	    .stream = stream, .header_len = header.len }, header);
	kit_until(&p->kit, p->taken_cnt > before);
}

static void
a_sender_is_told_once_and_the_delivery_goes_on(void **state)
{
	struct play *p = *state;

	send_asking(p, 1, "a@example.org", 0);
	assert_int_equal(p->q.message_cnt, 1);
	remind_all(p);
	assert_int_equal(p->q.message_cnt, 2);	/* and the report */
	remind_all(p);
	assert_int_equal(p->q.message_cnt, 2);
	play_stop_queue(p);
	play_start_queue(p);
	remind_all(p);
	assert_int_equal(p->q.message_cnt, 2);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 2);
}

static void
nobody_is_told_who_does_not_want_it_or_is_nobody(void **state)
{
	struct play *p = *state;

	send_asking(p, 1, "a@example.org", DSN_FAILURE | DSN_SUCCESS);
	send_asking(p, 2, "a@example.org", DSN_NEVER);
	send_asking(p, 3, "", DSN_DELAY);
	remind_all(p);
	assert_int_equal(p->q.message_cnt, 3);
	send_asking(p, 4, "a@example.org", DSN_DELAY);
	remind_all(p);
	assert_int_equal(p->q.message_cnt, 5);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 5);
}

static void
old_deliveries_come_in_order_and_from_where_we_were(void **state)
{
	struct play *p = *state;
	struct store_read_old *r;
	struct store_place last;

	for (uint64_t i = 1; i <= STORE_OLD_MAX + 6; i++)
		send_asking(p, i, "a@example.org", DSN_NEVER);
	r = read_old(p, (struct id){ { 0 } }, 0);
	assert_int_equal(r->cnt, STORE_OLD_MAX);
	assert_false(r->at_end);
	for (unsigned i = 1; i < r->cnt; i++)
		assert_true(id_cmp(r->rows[i - 1].place.id,
		    r->rows[i].place.id) < 0);
	last = r->rows[r->cnt - 1].place;
	assert_int_equal(id_cmp(r->after, last.id), 0);
	free(r);
	r = read_old(p, last.id, last.no);
	assert_int_equal(r->cnt, 6);
	assert_true(r->at_end);
	assert_true(id_cmp(last.id, r->rows[0].place.id) < 0);
	free(r);
}

/* Flip the highest bit of each key of that delivery, wherever it lies. */
static void
flip_key(struct play *p, struct id id)
{
	uint8_t key[sizeof(id.b) + 4] = { 0 }, *at, *data;
	char path[128];
	struct stat s;
	int fd;

	memcpy(key, id.b, sizeof(id.b));
	play_stop_queue(p);
	snprintf(path, sizeof(path), "%s/data.mdb", p->kit.dir);
	assert_true((fd = open(path, O_RDWR)) >= 0);
	assert_int_equal(fstat(fd, &s), 0);
	data = mmap(NULL, (size_t)s.st_size, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	assert_true(data != MAP_FAILED);
	for (size_t left = (size_t)s.st_size; (at = memmem(
	    data + s.st_size - left, left, key, sizeof(key))) != NULL;
	    left = (size_t)(data + s.st_size - at))
		at[0] ^= 0x80;
	munmap(data, (size_t)s.st_size);
	close(fd);
	play_start_queue(p);
}

/* The last of a reading: where its key says, all others are passed over. */
static void
a_flipped_key_ends_no_walk_and_hides_nobody(void **state)
{
	struct play *p = *state;
	struct id ids[STORE_OLD_MAX + 6];
	unsigned seen = 0;

	for (unsigned i = 0; i < STORE_OLD_MAX + 6; i++) {
		send_asking(p, i + 1, "a@example.org", DSN_NEVER);
		ids[i] = p->id;
	}
	flip_key(p, ids[STORE_OLD_MAX - 1]);
	for (int young = 0; young < 2; young++) {
		struct store_read_old r = { .after = { { 0 } } };
		unsigned before, rounds = 0;

		memset(r.until.b, 0xff, sizeof(r.until.b));
		r.until.b[0] = young ? 0x7f : 0xff;
		seen = 0;
		do {
			before = p->kit.back_cnt;
			store_read_old(p->q.store, &r, kit_back, &p->kit);
			kit_until(&p->kit, p->kit.back_cnt > before);
			for (unsigned i = 0; i < r.cnt; i++)
				seen += r.rows[i].place.id.b[0] ==
				    ids[0].b[0];
		} while (!r.at_end && ++rounds < 10);
		assert_int_equal(seen, STORE_OLD_MAX + 5);
	}
}

/* The walk for what is given up at its lifetime, likewise. */
static void
a_flipped_key_hides_nobody_from_the_end_of_his_lifetime(void **state)
{
	struct play *p = *state;
	struct store_read_spent r = { .until_ms = INT64_MAX };
	struct id flipped = { { 0 } };
	unsigned seen = 0, before, rounds = 0;

	for (unsigned i = 0; i < STORE_SPENT_MAX + 6; i++) {
		send_asking(p, i + 1, "a@example.org", DSN_NEVER);
		if (i == STORE_SPENT_MAX)
			flipped = p->id;
	}
	flip_key(p, flipped);
	do {
		before = p->kit.back_cnt;
		store_read_spent(p->q.store, &r, kit_back, &p->kit);
		kit_until(&p->kit, p->kit.back_cnt > before);
		seen += r.cnt;
	} while (!r.at_end && ++rounds < 10);
	assert_int_equal(seen, STORE_SPENT_MAX + 5);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, play_set_up, \
    play_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sender_is_told_once_and_the_delivery_goes_on),
		TEST(nobody_is_told_who_does_not_want_it_or_is_nobody),
		TEST(old_deliveries_come_in_order_and_from_where_we_were),
		TEST(a_flipped_key_ends_no_walk_and_hides_nobody),
		TEST(a_flipped_key_hides_nobody_from_the_end_of_his_lifetime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
