/*
 * What happened to messages is found again by id, address and Message-ID,
 * goes when it is old or too much, and takes its index along.
 * room: queue
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "queue_kit.h"
#include "queue/store/story.h"

static struct kit *
kit_of(void **state)
{
	return *state;
}

static void
read_found(struct kit *k, struct store_read_found *r)
{
	unsigned before = k->back_cnt;

	store_read_found(k->store, r, kit_back, k);
	kit_until(k, k->back_cnt > before);
	assert_int_equal(k->last, OK);
}

/* How many messages a word leads to, over all parts of the answer. */
static size_t
found_cnt(struct kit *k, uint64_t word, struct id *last)
{
	struct store_read_found r = { .word = word };
	size_t cnt = 0;

	do {
		read_found(k, &r);
		if (r.cnt > 0 && cnt == 0 && last != NULL)
			*last = r.ids[0];
		cnt += r.cnt;
	} while (!r.at_end);
	return cnt;
}

static size_t
event_cnt(struct kit *k, struct id id, struct store_event *first)
{
	struct store_read_story r = { .id = id };
	size_t cnt = 0;

	do {
		unsigned before = k->back_cnt;

		store_read_story(k->store, &r, kit_back, k);
		kit_until(k, k->back_cnt > before);
		assert_int_equal(k->last, OK);
		if (cnt == 0 && r.cnt > 0 && first != NULL)
			*first = r.rows[0];
		cnt += r.cnt;
		if (first != NULL && cnt > 0)
			first->rec = (struct record_history){
				.size = r.rows[0].rec.size,
				.session = r.rows[0].rec.session,
			};
		free(r.rows);
	} while (!r.at_end);
	return cnt;
}

static void
put(struct kit *k, struct kit_mail *m, const char *message_id)
{
	kit_mail(k, m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	m->accept.message_id = span_of(message_id);
	m->accept.session = 42;
	assert_int_equal(kit_accept(k, m), OK);
}

static void
settle(struct kit *k, struct id id, enum outcome_class class, uint32_t tries)
{
	struct store_change c = { .class = class, .code = 250,
	    .address = SPAN("rcpt@example.org"), .reply = SPAN("2.0.0 Ok"),
	    .hop = SPAN("hop"), .tls = SPAN("TLSv1.3") };
	struct store_settle s = { .id = id, .is_over = class != CLASS_LATER,
	    .changes = &c, .change_cnt = 1, .attempts = tries,
	    .now_ms = clock_wall_ms(), .due_ms = clock_wall_ms() };
	unsigned before = k->back_cnt;

	store_settle(k->store, &s, kit_back, k);
	kit_until(k, k->back_cnt > before);
	assert_int_equal(k->last, OK);
}

static void
a_message_is_found_by_all_its_names_after_it_left(void **state)
{
	struct kit *k = kit_of(state);
	struct store_event e;
	struct kit_mail m, other;
	struct id id;

	put(k, &m, "1@example.org");
	put(k, &other, "2@example.org");
	settle(k, m.mail.id, CLASS_LATER, 1);
	settle(k, m.mail.id, CLASS_DONE, 2);
	assert_int_equal(event_cnt(k, m.mail.id, &e), 3);
	assert_int_equal(e.event, EVENT_ACCEPTED);
	assert_int_equal(e.rec.session, 42);
	assert_int_equal(e.rec.size, 14);
	assert_int_equal(event_cnt(k, other.mail.id, NULL), 1);
	assert_int_equal(found_cnt(k, story_hash_message_id(
	    SPAN("<1@example.org>")), &id), 1);
	assert_int_equal(id_cmp(id, m.mail.id), 0);
	assert_int_equal(found_cnt(k, story_hash_address(
	    SPAN("RCPT@Example.ORG")), &id), 2);
	assert_int_equal(id_cmp(id, other.mail.id), 0);
	assert_int_equal(found_cnt(k, story_hash_address(
	    SPAN("from@example.org")), NULL), 2);
	assert_int_equal(found_cnt(k, story_hash_address(
	    SPAN("nobody@example.org")), NULL), 0);
}

static void
more_than_one_answer_holds_is_found_newest_first(void **state)
{
	const unsigned cnt = 3 * STORE_FOUND_MAX + 1;
	struct kit *k = kit_of(state);
	struct store_read_found r = { .word = story_hash_address(
	    SPAN("rcpt@example.org")) };
	struct id last = { .b = { 0xff } };
	struct kit_mail m;
	unsigned seen = 0;

	for (unsigned i = 0; i < cnt; i++)
		put(k, &m, "1@example.org");
	do {
		read_found(k, &r);
		for (unsigned i = 0; i < r.cnt; i++) {
			assert_true(id_cmp(r.ids[i], last) < 0);
			last = r.ids[i];
		}
		seen += r.cnt;
	} while (!r.at_end);
	assert_int_equal(seen, cnt);
}

static void
one_that_is_tried_often_is_told_in_parts(void **state)
{
	const unsigned tries = STORE_EVENTS_MAX + 10;
	struct kit *k = kit_of(state);
	struct kit_mail m;

	put(k, &m, "1@example.org");
	for (unsigned i = 1; i <= tries; i++) {
		settle(k, m.mail.id, CLASS_LATER, i);
		usleep(1000);		/* its key is the time */
	}
	assert_int_equal(event_cnt(k, m.mail.id, NULL), tries + 1);
}

static void
whom_an_alias_stood_for_is_found_by_both(void **state)
{
	struct kit *k = kit_of(state);
	struct store_dsn dsn = { .trace = SPAN("alias\tstaff@example.org\n") };
	struct kit_mail m;

	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN(""));
	m.accept.rcpt_dsn = &dsn;
	assert_int_equal(kit_accept(k, &m), OK);
	assert_int_equal(found_cnt(k, story_hash_address(
	    SPAN("staff@example.org")), NULL), 1);
	assert_int_equal(found_cnt(k, story_hash_address(
	    SPAN("rcpt@example.org")), NULL), 1);
	assert_int_equal(event_cnt(k, m.mail.id, NULL), 2);
}

/* What is too much goes, a bounded number of rows with each transaction. */
static void
what_goes_takes_its_index_along(void **state)
{
	const uint64_t word = story_hash_address(SPAN("rcpt@example.org"));
	struct kit *k = kit_of(state);
	struct kit_mail first, m;

	put(k, &first, "1@example.org");
	for (int i = 0; i < 20; i++)
		put(k, &m, "2@example.org");
	assert_int_equal(found_cnt(k, word, NULL), 21);
	k->limits.history_bytes = 0;
	store_set_limits(k->store, &k->limits);
	for (int i = 0; i < 3; i++)
		put(k, &m, "3@example.org");
	assert_int_equal(event_cnt(k, first.mail.id, NULL), 0);
	assert_in_range(found_cnt(k, word, NULL), 0, 3);
}

/* Both index tables hold no more than history leads to. */
static void
on_disk_the_index_goes_with_its_history(void **state)
{
	struct kit *k = kit_of(state);
	struct kit_mail m;
	size_t rows;

	for (int i = 0; i < 20; i++)
		put(k, &m, "1@example.org");
	store_close(&k->store);
	rows = kit_rows(k, TABLE_HISTORY);
	assert_int_equal(kit_rows(k, TABLE_STORY), rows);
	assert_int_equal(kit_rows(k, TABLE_LOOKUP), 3 * rows);
	k->limits.history_bytes = 0;
	kit_reopen(k);
	for (int i = 0; i < 4; i++) {
		usleep(2000);
		put(k, &m, "2@example.org");
	}
	store_close(&k->store);
	rows = kit_rows(k, TABLE_HISTORY);
	assert_in_range(rows, 0, 1);
	assert_int_equal(kit_rows(k, TABLE_STORY), rows);
	assert_in_range(kit_rows(k, TABLE_LOOKUP), 0, 12);
	kit_reopen(k);
}

/* A postern that knows no table story has swept history: what is left over
 * leads nowhere, and goes. */
static void
on_disk_what_leads_nowhere_is_no_mistake(void **state)
{
	struct kit *k = kit_of(state);
	struct kit_mail m, next;
	struct store_env e;
	MDB_txn *txn;

	put(k, &m, "1@example.org");
	store_close(&k->store);
	assert_int_equal(store_table_open(&e, k->dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_drop(txn, e.dbi[TABLE_HISTORY], 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
	kit_reopen(k);
	assert_int_equal(event_cnt(k, m.mail.id, NULL), 0);
	usleep(2000);
	put(k, &next, "2@example.org");
	assert_int_equal(event_cnt(k, next.mail.id, NULL), 1);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_STORY), 1);
	kit_reopen(k);
}

/*
 * For make soak, on the file system of TMPDIR: a message that came long ago
 * among so many (MAILS) is found within a second, and costs so many rows.
 */
#define MAILS		1000000u
#define FLIGHT		256u
#define DOMAINS		5000u

struct flown {
	struct kit_mail	 m;
	struct store_change c;
	struct store_settle s;
	char		 from[64], to[64], message_id[64];
};

static void
fly(struct kit *k, struct flown *f, unsigned no)
{
	(void)snprintf(f->from, sizeof(f->from), "user%u@here.example",
	    no % 1000);
	(void)snprintf(f->to, sizeof(f->to), "user%u@host%u.example", no,
	    no % DOMAINS);
	(void)snprintf(f->message_id, sizeof(f->message_id),
	    "%u.1234567890@here.example", no);
	kit_mail(k, &f->m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	f->m.rcpts[0] = span_of(f->to);
	f->m.accept.message.sender = span_of(f->from);
	f->m.accept.message_id = span_of(f->message_id);
	f->c = (struct store_change){ .class = CLASS_DONE, .code = 250,
	    .address = f->m.rcpts[0],
	    .reply = SPAN("2.0.0 Ok: queued as 4XyZ12"),
	    .hop = SPAN("mx.there.example[192.0.2.1]:25") };
	f->s = (struct store_settle){ .id = f->m.mail.id, .is_over = true,
	    .changes = &f->c, .change_cnt = 1, .attempts = 1,
	    .now_ms = clock_wall_ms() };
	store_accept(k->store, &f->m.accept, kit_back, k);
	store_settle(k->store, &f->s, kit_back, k);
}

static void
one_among_a_million_is_found_within_a_second(void **state)
{
	const char *base = getenv("TMPDIR");
	struct flown *all = calloc(FLIGHT, sizeof(*all));
	struct kit kit, *k = &kit;
	int64_t begun_ms = clock_mono_ms(), asked_ms;
	struct id id, wanted = { .b = { 0 } };

	assert_non_null(all);
	kit_dir(k, base != NULL ? base : "/tmp");
	k->limits.history_bytes = 1 << 30;
	k->limits.history_ms = 86400000;
	kit_reopen(k);
	for (unsigned no = 0; no < MAILS; no += FLIGHT) {
		unsigned before = k->back_cnt;

		for (unsigned i = 0; i < FLIGHT; i++) {
			fly(k, &all[i], no + i);
			if (no + i == MAILS / 20)
				wanted = all[i].m.mail.id;
		}
		kit_until(k, k->back_cnt == before + 2 * FLIGHT);
	}
	print_message("%u messages in %lld ms\n", MAILS,
	    (long long)(clock_mono_ms() - begun_ms));
	store_close(&k->store);
	print_message("%zu rows of history, %zu of story, %zu of lookup\n",
	    kit_rows(k, TABLE_HISTORY), kit_rows(k, TABLE_STORY),
	    kit_rows(k, TABLE_LOOKUP));
	kit_reopen(k);
	asked_ms = clock_mono_ms();
	assert_int_equal(found_cnt(k, story_hash_address(
	    SPAN("user50000@host0.example")), &id), 1);
	assert_int_equal(id_cmp(id, wanted), 0);
	assert_int_equal(event_cnt(k, id, NULL), 2);
	asked_ms = clock_mono_ms() - asked_ms;
	print_message("found by address in %lld ms\n", (long long)asked_ms);
	assert_in_range(asked_ms, 0, 1000);
	asked_ms = clock_mono_ms();
	assert_int_equal(found_cnt(k, story_hash_message_id(
	    SPAN("50000.1234567890@here.example")), NULL), 1);
	print_message("and by Message-ID in %lld ms\n",
	    (long long)(clock_mono_ms() - asked_ms));
	kit_close(k);
	free(all);
}

int
main(void)
{
	const struct CMUnitTest soak[] = {
		cmocka_unit_test(one_among_a_million_is_found_within_a_second),
	};
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_message_is_found_by_all_its_names_after_it_left),
		KIT_TEST(more_than_one_answer_holds_is_found_newest_first),
		KIT_TEST(one_that_is_tried_often_is_told_in_parts),
		KIT_TEST(whom_an_alias_stood_for_is_found_by_both),
		KIT_TEST(what_goes_takes_its_index_along),
		KIT_TEST(on_disk_the_index_goes_with_its_history),
		KIT_TEST(on_disk_what_leads_nowhere_is_no_mistake),
	};

	if (getenv("POSTERN_SOAK") != NULL)
		return cmocka_run_group_tests(soak, NULL, NULL);
	return KIT_RUN_BOTH(tests, "on_disk_the_index_goes_with_its_history "
	    "on_disk_what_leads_nowhere_is_no_mistake");
}
