/*
 * queue_kit - a temporary directory, a loop that runs until something holds,
 * and a store to put messages in, for the tests of the queue's room.
 */
#ifndef TESTS_QUEUE_KIT_H
#define TESTS_QUEUE_KIT_H

#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "queue/store/store_engine.h"
#include "queue/store/story.h"
#include "queue/store/lmdb/store_table.h"
#include "sys/clock.h"

#define KIT_PATIENCE_MS	20000	/* a test that waits longer has failed */
#define KIT_TURN_MS	2

struct kit {
	char		 dir[64];
	struct ev_loop	*loop;
	struct store	*store;
	struct store_limits limits;
	struct store_ready ready;	/* of its suspensions the owner */
	bool		 is_ready;
	enum queue_full	 full;
	unsigned	 back_cnt;	/* calls that came back		*/
	enum err	 last;
	struct id	 last_id;
};

static inline void
kit_space(enum queue_full full, const char *why, void *arg)
{
	((struct kit *)arg)->full = full;
}

static inline void
kit_broken(const char *why, int error, void *arg)
{
	fail_msg("broken: %s: %s", why, strerror(error));
}

static inline void
kit_ready(const struct store_ready *r, void *arg)
{
	struct kit *k = arg;

	suspension_free(&k->ready.suspensions);
	k->ready = *r;
	k->is_ready = true;
}

/* The engine of stores that are opened from now on. */
static const char *kit_engine = "lmdb";

/* What opening says; the store is not ready yet. */
static inline enum err
kit_begin(struct kit *k)
{
	static const struct store_calls calls = {
		.space = kit_space, .broken = kit_broken, .ready = kit_ready,
	};

	k->is_ready = false;
	return store_open(&k->store, &(struct store_start){
	    .engine = store_engine_find(span_of(kit_engine)), .loop = k->loop,
	    .dir = k->dir, .limits = &k->limits, .calls = &calls, .arg = k });
}

static inline void
kit_timeout(struct timer *t, void *arg)
{
	ev_stop(((struct kit *)arg)->loop);
}

/* Some milliseconds of the loop. */
static inline void
kit_turn(struct kit *k)
{
	struct timer t;

	timer_init(&t, k->loop, kit_timeout, k);
	timer_set(&t, KIT_TURN_MS);
	assert_int_equal(ev_run(k->loop), OK);
	timer_stop(&t);
}

#define kit_until(k, what) do {						\
	int64_t end_ = clock_mono_ms() + KIT_PATIENCE_MS;		\
	while (!(what)) {						\
		if (clock_mono_ms() > end_)				\
			fail_msg("never happened: %s", #what);		\
		kit_turn(k);						\
	}								\
} while (0)

static inline void
kit_reopen(struct kit *k)
{
	assert_int_equal(kit_begin(k), OK);
	kit_until(k, k->is_ready);
}

static inline void
kit_dir(struct kit *k, const char *base)
{
	memset(k, 0, sizeof(*k));
	snprintf(k->dir, sizeof(k->dir), "%s/postern-test-XXXXXX", base);
	assert_non_null(mkdtemp(k->dir));
	k->limits = (struct store_limits){
		.reserve = 1 << 20, .history_ms = 86400000,
		.history_bytes = 64 << 20,
	};
	assert_int_equal(ev_open(&k->loop), OK);
}

static inline void
kit_open(struct kit *k)
{
	kit_dir(k, "/tmp");
	kit_reopen(k);
}

/* The loop and the directory, of which no store is open any more. */
static inline void
kit_remove(struct kit *k)
{
	char path[128];

	suspension_free(&k->ready.suspensions);
	ev_close(&k->loop);
	snprintf(path, sizeof(path), "%s/data.mdb", k->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/lock.mdb", k->dir);
	unlink(path);
	rmdir(k->dir);
}

static inline void
kit_close(struct kit *k)
{
	store_close(&k->store);
	kit_remove(k);
}

static inline int
kit_set_up(void **state)
{
	struct kit *k = calloc(1, sizeof(*k));

	kit_open(k);
	*state = k;
	return 0;
}

static inline int
kit_tear_down(void **state)
{
	kit_close(*state);
	free(*state);
	return 0;
}

/* A test with a store of its own. */
#define KIT_TEST(t) \
	cmocka_unit_test_setup_teardown(t, kit_set_up, kit_tear_down)

/* Those that there are: LMDB, and what comes after it. */
static const char *const kit_engines[] = {
#define STORE(engine)	#engine
#define NO_STORE	NULL
#define QUEUE_KIND(word, role, facts, by)	by == NULL ? NULL : #word,
#include "conf/kinds.def"
#undef STORE
#undef NO_STORE
};
#define KIT_ENGINES	(sizeof(kit_engines) / sizeof(kit_engines[0]))

static inline void
what_follows_has_another_engine(void **state)
{
	kit_engine = *state;
}

static inline bool
kit_is_named(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = names; (at = strstr(at, name)) != NULL; at += len)
		if (at[len] == ' ' || at[len] == '\0')
			return true;
	return false;
}

/* Again on this engine, but for those that are named; so many. */
static inline size_t
kit_again(const struct CMUnitTest *tests, size_t cnt, const char *on_disk,
    const char *engine, struct CMUnitTest *out, char (*names)[128])
{
	size_t n = 1;

	out[0] = (struct CMUnitTest)cmocka_unit_test_prestate(
	    what_follows_has_another_engine, (void *)(uintptr_t)engine);
	for (size_t i = 0; i < cnt; i++) {
		if (kit_is_named(on_disk, tests[i].name))
			continue;
		snprintf(names[i], sizeof(names[i]), "%s_in_%s",
		    tests[i].name, engine);
		out[n] = tests[i];
		out[n++].name = names[i];
	}
	return n;
}

/*
 * All of them on LMDB, and once more on each other engine all but those that
 * are named: of what lies on a disk they say something, or begin it again.
 */
static inline int
kit_run_both(const struct CMUnitTest *tests, size_t cnt, const char *on_disk)
{
	struct CMUnitTest *all = calloc(KIT_ENGINES * (cnt + 1),
	    sizeof(*all));
	char (*names)[128] = calloc(KIT_ENGINES * cnt, sizeof(*names));
	size_t n = cnt;
	int failed;

	memcpy(all, tests, cnt * sizeof(*all));
	for (size_t i = 0; i < KIT_ENGINES; i++)
		if (kit_engines[i] != NULL &&
		    strcmp(kit_engines[i], kit_engine) != 0)
			n += kit_again(tests, cnt, on_disk, kit_engines[i],
			    all + n, names + i * cnt);
	failed = _cmocka_run_group_tests("tests", all, n, NULL, NULL);
	free(all);
	free(names);
	return failed;
}

#define KIT_RUN_BOTH(tests, on_disk) \
	kit_run_both(tests, sizeof(tests) / sizeof(tests[0]), on_disk)

/* Rows of a table, by our own look at the closed environment. */
static inline size_t
kit_rows(struct kit *k, enum table t)
{
	struct store_env e;
	MDB_txn *txn;
	MDB_stat s;

	assert_int_equal(store_table_open(&e, k->dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_stat(txn, e.dbi[t], &s), 0);
	mdb_txn_abort(txn);
	store_table_close(&e);
	return s.ms_entries;
}

/* A row of story and one of lookup in the closed environment: where there is
 * more history than STORY_GATHER it has them by itself. */
static inline void
kit_put_gathered(struct kit *k)
{
	uint8_t id_time_event[STORY_KEY] = { 1 }, bucket[STORY_LOOKUP_KEY] = {
	    0, 0, 1 };
	MDB_val story = { sizeof(id_time_event), id_time_event };
	MDB_val lookup = { sizeof(bucket), bucket };
	MDB_val none = { 0, NULL }, one = { 1, "." };
	struct store_env e;
	MDB_txn *txn;

	assert_int_equal(store_table_open(&e, k->dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_put(txn, e.dbi[TABLE_STORY], &story, &none, 0),
	    0);
	assert_int_equal(mdb_put(txn, e.dbi[TABLE_LOOKUP], &lookup, &one, 0),
	    0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
}

static inline void
kit_back(struct store_op *op, enum err e, void *arg)
{
	struct kit *k = arg;

	k->back_cnt++;
	k->last = e;
}

static inline struct id
kit_id(struct kit *k)
{
	static const uint8_t chance[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	return id_next(&k->last_id, clock_wall_ms(), chance);
}

/* A message on its way into a store: everything a call needs, in one place. */
struct kit_mail {
	struct store_mail mail;
	struct span	 rcpts[4];
	struct store_delivery where;
	struct store_accept accept;
};

static inline void
kit_mail(struct kit *k, struct kit_mail *m, struct span header,
    struct span body)
{
	memset(m, 0, sizeof(*m));
	m->mail.id = kit_id(k);
	m->rcpts[0] = SPAN("rcpt@example.org");
	m->where = (struct store_delivery){
		SPAN("out"), SPAN("out"), SPAN("tenant"), clock_wall_ms(),
	};
	m->accept = (struct store_accept){
		.mail = &m->mail, .rcpts = m->rcpts, .deliveries = &m->where,
		.header = header, .body = body,
		.message = {
			.arrived_ms = (uint64_t)clock_wall_ms(),
			.header_len = header.len, .body_len = body.len,
			.rcpt_cnt = 1, .delivery_cnt = 1,
			.sender = SPAN("from@example.org"),
		},
	};
}

/* Accept it and wait until it is on disk. */
static inline enum err
kit_accept(struct kit *k, struct kit_mail *m)
{
	unsigned before = k->back_cnt;

	store_accept(k->store, &m->accept, kit_back, k);
	kit_until(k, k->back_cnt > before);
	return k->last;
}

#endif
