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
#include <time.h>
#include <unistd.h>

#include "queue_kit.h"
#include "queue/store/story.h"

static int64_t wall_off_ms;

/* The one clock of the program, in place of sys/clock.c. */
static int64_t
read_ms(clockid_t which)
{
	struct timespec ts;

	(void)clock_gettime(which, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t
clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME) + wall_off_ms;
}

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

/* How many there are from this id to that one; each is told. */
static size_t
range_cnt(struct kit *k, struct id first, struct id last)
{
	struct store_read_found r = { .by_id = true, .first_id = first,
	    .last_id = last };
	struct id *seen = NULL;
	size_t cnt = 0;

	do {
		read_found(k, &r);
		seen = reallocarray(seen, cnt + r.cnt + 1, sizeof(*seen));
		assert_non_null(seen);
		for (unsigned i = 0; i < r.cnt; i++) {
			size_t at = 0;

			assert_true(id_cmp(r.ids[i], first) >= 0);
			assert_true(id_cmp(r.ids[i], last) <= 0);
			while (at < cnt && id_cmp(seen[at], r.ids[i]) != 0)
				at++;
			seen[at] = r.ids[i];
			cnt += at == cnt;
		}
	} while (!r.at_end);
	free(seen);
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

/* So many messages at once, each found by names of its own. */
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

/* Messages `from` to `to`, all but the last part of FLIGHT each. */
static void
fly_all(struct kit *k, unsigned from, unsigned to)
{
	struct flown *all = calloc(FLIGHT, sizeof(*all));

	assert_non_null(all);
	for (unsigned no = from, n; no < to; no += n) {
		unsigned before = k->back_cnt;

		n = to - no < FLIGHT ? to - no : FLIGHT;
		for (unsigned i = 0; i < n; i++)
			fly(k, &all[i], no + i);
		kit_until(k, k->back_cnt == before + 2 * n);
	}
	free(all);
}

/* Is that one found by all it has, and what became of it? */
static void
must_find(struct kit *k, unsigned no)
{
	char to[64], message_id[64];
	struct store_event e;
	struct id id, same;

	(void)snprintf(to, sizeof(to), "user%u@host%u.example", no,
	    no % DOMAINS);
	(void)snprintf(message_id, sizeof(message_id),
	    "%u.1234567890@here.example", no);
	assert_int_equal(found_cnt(k, story_hash_address(span_of(to)), &id),
	    1);
	assert_int_equal(found_cnt(k, story_hash_message_id(
	    span_of(message_id)), &same), 1);
	assert_int_equal(id_cmp(id, same), 0);
	assert_int_equal(range_cnt(k, id, id), 1);
	assert_int_equal(event_cnt(k, id, &e), 2);
	assert_int_equal(e.event, EVENT_ACCEPTED);
	assert_int_equal(e.rec.size, 14);
}

/* Of so many some are gathered, and some are not yet. */
#define SOME		(STORY_GATHER / 5 + 200)

static void
what_is_gathered_is_found_as_what_is_not_yet(void **state)
{
	struct kit *k = kit_of(state);

	fly_all(k, 0, 10);
	must_find(k, 0);
	must_find(k, 9);
	fly_all(k, 10, SOME);
	for (unsigned no = 0; no < SOME; no += 150)
		must_find(k, no);
	must_find(k, SOME - 1);
	assert_int_equal(found_cnt(k, story_hash_address(
	    SPAN("user7@here.example")), NULL), 2);
	assert_int_equal(found_cnt(k, story_hash_address(
	    SPAN("user999@here.example")), NULL), 1);
}

/* By ids, over all that is gathered and what is not. */
static void
those_whose_ids_begin_alike_are_found_by_that(void **state)
{
	struct kit *k = kit_of(state);
	struct id first, last, one;

	assert_true(id_range(SPAN("0"), &first, &last));
	assert_int_equal(range_cnt(k, first, last), 0);
	fly_all(k, 0, SOME);
	assert_int_equal(range_cnt(k, first, last), SOME);
	assert_int_equal(found_cnt(k, story_hash_address(
	    SPAN("user3@host3.example")), &one), 1);
	assert_int_equal(range_cnt(k, first, one), 4);
	assert_int_equal(range_cnt(k, one, last), SOME - 3);
	assert_true(id_range(SPAN("f"), &first, &last));
	assert_int_equal(range_cnt(k, first, last), 0);
}

static void
on_disk_a_commit_writes_history_alone_until_there_is_much(void **state)
{
	struct kit *k = kit_of(state);

	fly_all(k, 0, 100);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_HISTORY), 200);
	assert_int_equal(kit_rows(k, TABLE_STORY), 0);
	assert_int_equal(kit_rows(k, TABLE_LOOKUP), 0);
	kit_reopen(k);
	fly_all(k, 100, SOME);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_HISTORY), 2 * SOME);
	assert_in_range(kit_rows(k, TABLE_STORY), STORY_GATHER * 2 / 5 - 2,
	    2 * SOME);
	assert_in_range(kit_rows(k, TABLE_LOOKUP), STORY_GATHER * 3 / 5 - 6,
	    3 * SOME);
	kit_reopen(k);
	must_find(k, 0);
	must_find(k, SOME - 1);
}

/* The file as a power cut would leave it: the store is never closed. */
static void
on_disk_nothing_is_in_memory_alone(void **state)
{
	struct kit *k = kit_of(state), other;
	char cmd[256];

	fly_all(k, 0, SOME);
	kit_dir(&other, "/tmp");
	(void)snprintf(cmd, sizeof(cmd), "cp %s/data.mdb %s/", k->dir,
	    other.dir);
	assert_int_equal(system(cmd), 0);
	kit_reopen(&other);
	other.last_id = k->last_id;
	for (unsigned no = 0; no < SOME; no += 300)
		must_find(&other, no);
	must_find(&other, SOME - 1);
	fly_all(&other, SOME, 2 * SOME);
	for (unsigned no = 0; no < 2 * SOME; no += 300)
		must_find(&other, no);
	must_find(&other, 2 * SOME - 1);
	kit_close(&other);
}

/* Up to where it is gathered cannot be read: then all is, once more. */
static void
on_disk_what_is_gathered_twice_is_told_once(void **state)
{
	MDB_val key = { 8, "gathered" }, val = { 3, "\1ab" };
	struct kit *k = kit_of(state);
	struct store_env e;
	MDB_txn *txn;

	fly_all(k, 0, SOME);
	store_close(&k->store);
	assert_int_equal(store_table_open(&e, k->dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_put(txn, e.dbi[TABLE_TOTAL], &key, &val, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
	kit_reopen(k);
	fly_all(k, SOME, 3 * SOME);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_HISTORY), 6 * SOME);
	assert_in_range(kit_rows(k, TABLE_STORY), 4 * SOME, 6 * SOME - 1);
	kit_reopen(k);
	must_find(k, 3 * SOME - 1);
	must_find(k, 2 * SOME);
}

/* What was gathered is of a time that comes again. */
static void
what_comes_after_the_clock_was_set_back_is_found(void **state)
{
	struct kit *k = kit_of(state);

	fly_all(k, 0, SOME);
	wall_off_ms = -3600000;
	fly_all(k, SOME, SOME + 50);
	must_find(k, 0);
	must_find(k, SOME);
	must_find(k, SOME + 49);
	wall_off_ms = 0;
	fly_all(k, SOME + 50, SOME + 60);
	must_find(k, SOME + 10);
	must_find(k, SOME + 59);
}

/* More recipients than one row has room for. */
static void
each_of_very_many_recipients_finds_the_message(void **state)
{
	enum { CNT = 1000 };
	struct kit *k = kit_of(state);
	struct span *rcpts = calloc(CNT, sizeof(*rcpts));
	char (*names)[64] = calloc(CNT, sizeof(*names));
	struct kit_mail m;

	assert_true(rcpts != NULL && names != NULL);
	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN(""));
	for (unsigned i = 0; i < CNT; i++) {
		(void)snprintf(names[i], sizeof(names[i]),
		    "rcpt%u@example.org", i);
		rcpts[i] = span_of(names[i]);
	}
	m.accept.rcpts = rcpts;
	m.accept.message.rcpt_cnt = CNT;
	assert_int_equal(kit_accept(k, &m), OK);
	for (unsigned i = 0; i < CNT; i += 111)
		assert_int_equal(found_cnt(k, story_hash_address(rcpts[i]),
		    NULL), 1);
	assert_int_equal(found_cnt(k, story_hash_address(rcpts[CNT - 1]),
	    NULL), 1);
	assert_int_equal(event_cnt(k, m.mail.id, NULL), 1);
	free(rcpts);
	free(names);
}

/* Both index tables hold no more than history leads to. */
static void
on_disk_the_index_goes_with_its_history(void **state)
{
	struct kit *k = kit_of(state);
	size_t rows;

	fly_all(k, 0, SOME);
	k->limits.history_bytes = 0;
	store_set_limits(k->store, &k->limits);
	for (unsigned no = SOME; no < SOME + 40; no++)
		fly_all(k, no, no + 1);
	fly_all(k, SOME + 40, 3 * SOME);
	for (unsigned no = 3 * SOME; no < 3 * SOME + 4; no++) {
		usleep(2000);
		fly_all(k, no, no + 1);
	}
	store_close(&k->store);
	rows = kit_rows(k, TABLE_HISTORY);
	assert_in_range(rows, 0, 8);
	assert_in_range(kit_rows(k, TABLE_STORY), 0, rows);
	assert_in_range(kit_rows(k, TABLE_LOOKUP), 0, 3 * rows);
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

	fly_all(k, 0, SOME);
	put(k, &m, "1@example.org");
	store_close(&k->store);
	assert_in_range(kit_rows(k, TABLE_STORY), 1, 2 * SOME);
	assert_int_equal(store_table_open(&e, k->dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_drop(txn, e.dbi[TABLE_HISTORY], 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
	kit_reopen(k);
	assert_int_equal(event_cnt(k, m.mail.id, NULL), 0);
	fly_all(k, 0, SOME);
	put(k, &next, "2@example.org");
	assert_int_equal(event_cnt(k, next.mail.id, NULL), 1);
	store_close(&k->store);
	assert_in_range(kit_rows(k, TABLE_STORY), 0, 2 * SOME);
	kit_reopen(k);
}

/*
 * For make soak, on the file system of TMPDIR: a message that came long ago
 * among so many (MAILS) is found within a second, and costs so many rows.
 */
#define MAILS		1000000u
/* Leaves of the three tables. */
static size_t
story_bytes(struct kit *k)
{
	static const enum table tables[] = {
		TABLE_HISTORY, TABLE_STORY, TABLE_LOOKUP,
	};
	struct store_env e;
	MDB_txn *txn;
	MDB_stat s;
	size_t pages = 0;

	assert_int_equal(store_table_open(&e, k->dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, MDB_RDONLY, &txn), 0);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		assert_int_equal(mdb_stat(txn, e.dbi[tables[i]], &s), 0);
		pages += s.ms_leaf_pages;
	}
	mdb_txn_abort(txn);
	store_table_close(&e);
	return pages * 4096;
}

static void
one_among_a_million_is_found_within_a_second(void **state)
{
	const char *base = getenv("TMPDIR");
	struct kit kit, *k = &kit;
	int64_t begun_ms = clock_mono_ms(), asked_ms;
	struct id id;

	kit_dir(k, base != NULL ? base : "/tmp");
	k->limits.history_bytes = 1 << 30;
	k->limits.history_ms = 86400000;
	kit_reopen(k);
	fly_all(k, 0, MAILS);
	print_message("%u messages in %lld ms\n", MAILS,
	    (long long)(clock_mono_ms() - begun_ms));
	store_close(&k->store);
	print_message("%zu rows of history, %zu of story, %zu of lookup; "
	    "%zu bytes a message\n", kit_rows(k, TABLE_HISTORY),
	    kit_rows(k, TABLE_STORY), kit_rows(k, TABLE_LOOKUP),
	    story_bytes(k) / MAILS);
	kit_reopen(k);
	asked_ms = clock_mono_ms();
	assert_int_equal(found_cnt(k, story_hash_address(
	    SPAN("user50000@host0.example")), &id), 1);
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
}

/* A store of its own, and a clock that is right. */
static int
set_up(void **state)
{
	wall_off_ms = 0;
	return kit_set_up(state);
}

#define TEST(t) \
	cmocka_unit_test_setup_teardown(t, set_up, kit_tear_down)

int
main(void)
{
	const struct CMUnitTest soak[] = {
		cmocka_unit_test(one_among_a_million_is_found_within_a_second),
	};
	const struct CMUnitTest tests[] = {
		TEST(a_message_is_found_by_all_its_names_after_it_left),
		TEST(more_than_one_answer_holds_is_found_newest_first),
		TEST(one_that_is_tried_often_is_told_in_parts),
		TEST(whom_an_alias_stood_for_is_found_by_both),
		TEST(what_goes_takes_its_index_along),
		TEST(what_is_gathered_is_found_as_what_is_not_yet),
		TEST(those_whose_ids_begin_alike_are_found_by_that),
		TEST(what_comes_after_the_clock_was_set_back_is_found),
		TEST(each_of_very_many_recipients_finds_the_message),
		TEST(on_disk_a_commit_writes_history_alone_until_there_is_much),
		TEST(on_disk_nothing_is_in_memory_alone),
		TEST(on_disk_what_is_gathered_twice_is_told_once),
		TEST(on_disk_the_index_goes_with_its_history),
		TEST(on_disk_what_leads_nowhere_is_no_mistake),
	};

	if (getenv("POSTERN_SOAK") != NULL)
		return cmocka_run_group_tests(soak, NULL, NULL);
	return KIT_RUN_BOTH(tests, "on_disk_the_index_goes_with_its_history "
	    "on_disk_what_leads_nowhere_is_no_mistake "
	    "on_disk_a_commit_writes_history_alone_until_there_is_much "
	    "on_disk_nothing_is_in_memory_alone "
	    "on_disk_what_is_gathered_twice_is_told_once");
}
