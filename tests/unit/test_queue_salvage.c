/*
 * A store is judged by its pages alone: a whole one is whole, and whatever is
 * damaged, no message is lost without being named, none that was done with
 * comes back, and no text goes out other than it came in.
 * room: queue
 * room: queue/salvage
 */
#include "dice.h"
#include "salvage_kit.h"

#include <ftw.h>
#include <inttypes.h>

#include "queue/salvage/carry.h"
#include "queue/salvage/form.h"
#include "queue/salvage/rescue.h"
#include "queue/store/lmdb/store_inside.h"

#define FLIPS	400	/* rounds of one bit			*/
#define STORMS	60	/* rounds of fifty			*/
#define LEADS	600	/* rounds of a branch that goes astray	*/

static struct salvage_kit *kit;

static uint64_t
draw(uint64_t below)
{
	return ((uint64_t)random() << 31 ^ (uint64_t)random()) % below;
}

static int
setup(void **state)
{
	dice_begin();
	kit = calloc(1, sizeof(*kit));
	salvage_open(kit);
	return 0;
}

static int
teardown(void **state)
{
	salvage_close(kit);
	free(kit);
	return 0;
}

/* What became of the store's messages after some damage. */
struct outcome {
	unsigned whole, part, named, unnamed, altered, risen;
	size_t	 faults;
	enum err err;
};

static bool
is_same_text(const struct rows *r, const struct verdict *v, enum table t,
    const char *want, size_t len)
{
	for (uint32_t no = 0; len > 0; no++) {
		size_t n = len < CHUNK_MAX ? len : CHUNK_MAX;
		struct span c = judge_chunk(r, t, v->id, no, n);

		if (c.ptr == NULL || memcmp(c.ptr, want, n) != 0)
			return false;
		want += c.len;
		len -= c.len;
	}
	return true;
}

static void
look_at(const struct rows *r, unsigned i, struct outcome *o)
{
	const struct salvage_mail *m = &kit->mails[i];
	struct verdict v;

	assert_int_equal(judge_message(r, m->mail.mail.id, &v), OK);
	if (i >= SALVAGE_MESSAGES) {
		o->risen += judge_can_go(&v);
	} else if (judge_can_go(&v)) {
		o->whole += !judge_is_lacking(&v);
		o->part += judge_is_lacking(&v);
		o->altered += !is_same_text(r, &v, TABLE_HEADER,
		    kit->text + i, m->header_len) || !is_same_text(r, &v,
		    TABLE_BODY, kit->text + 2 * i, m->body_len);
	} else if (v.rcpt_cnt + v.delivery_cnt > 0 || v.row != NULL) {
		o->named += v.faults != 0;
	} else {
		o->unnamed++;
	}
	judge_fini(&v);
}

/* All that judge_next() finds is judged, and there is an end to it. */
static void
walk_all(const struct rows *r)
{
	struct id id = { { 0 } };
	struct verdict v;
	size_t cnt = 0;

	while (judge_next(r, &id)) {
		assert_true(cnt++ <= r->cnt);
		assert_int_equal(judge_message(r, id, &v), OK);
		judge_fini(&v);
		for (size_t i = sizeof(id.b); i > 0; i--)
			if (++id.b[i - 1] != 0)
				break;
	}
}

static struct outcome
judge(const uint8_t *bytes, size_t len)
{
	struct outcome o = { 0 };
	struct image im;
	struct rows r;

	if (!image_take(&im, bytes, len)) {
		o.err = ERR_FULL;
		return o;
	}
	o.err = rows_read(&r, &im);
	o.faults = r.fault_cnt;
	for (unsigned i = 0; i < SALVAGE_MESSAGES + SALVAGE_GONE; i++)
		look_at(&r, i, &o);
	walk_all(&r);
	rows_fini(&r);
	return o;
}

static void
a_whole_store_is_whole(void **state)
{
	struct outcome o = judge(kit->bytes, kit->len);

	assert_int_equal(o.err, OK);
	assert_int_equal(o.faults, 0);
	assert_int_equal(o.whole, SALVAGE_MESSAGES);
	assert_int_equal(o.altered + o.risen, 0);
}

static void
flip(uint8_t *bytes, unsigned cnt)
{
	while (cnt-- > 0)
		bytes[draw(kit->len)] ^= (uint8_t)(1u << draw(8));
}

static void
flip_rounds(unsigned rounds, unsigned bits)
{
	uint8_t *copy = malloc(kit->len);
	unsigned part = 0, named = 0;

	for (unsigned i = 0; i < rounds; i++) {
		struct outcome o;

		memcpy(copy, kit->bytes, kit->len);
		flip(copy, bits);
		o = judge(copy, kit->len);
		if (o.risen + o.altered > 0 || o.unnamed > 0)
			print_message("round %u: risen %u, altered %u, unnamed "
			    "%u, faults %zu\n", i, o.risen, o.altered,
			    o.unnamed, o.faults);
		assert_true(o.unnamed == 0 || o.faults > 0);
		assert_int_equal(o.risen + o.altered, 0);
		part += o.part;
		named += o.named + o.unnamed;
	}
	print_message("%u rounds of %u: %u in part, %u named\n", rounds, bits,
	    part, named);
	free(copy);
}

static void
one_flipped_bit_loses_nothing_unnamed(void **state)
{
	flip_rounds(FLIPS, 1);
}

static void
fifty_flipped_bits_lose_nothing_unnamed(void **state)
{
	flip_rounds(STORMS, 50);
}

static void
without_meta_pages_all_is_found(void **state)
{
	uint8_t *copy = malloc(kit->len);
	struct outcome o;

	memcpy(copy, kit->bytes, kit->len);
	memset(copy, 0, 2 * 4096);
	o = judge(copy, kit->len);
	assert_int_equal(o.err, OK);
	assert_int_equal(o.whole, SALVAGE_MESSAGES);
	assert_int_equal(o.risen, 0);
	free(copy);
}

/* The page with the names of all tables is gone. */
static void
without_a_catalogue_all_is_found(void **state)
{
	uint8_t *copy = malloc(kit->len);
	struct page_meta m[2];
	struct outcome o;

	for (unsigned i = 0; i < 2; i++)
		assert_null(page_meta(&m[i], kit->bytes + i * 4096, 4096));
	memcpy(copy, kit->bytes, kit->len);
	memset(copy + m[m[1].txnid > m[0].txnid].catalogue.root * 4096, 0,
	    4096);
	o = judge(copy, kit->len);
	assert_int_equal(o.whole, SALVAGE_MESSAGES);
	assert_int_equal(o.risen, 0);
	free(copy);
}

/* The newer meta page alone is gone: what it led to is found all the same. */
static void
the_newest_state_is_taken(void **state)
{
	for (unsigned page = 0; page < 2; page++) {
		uint8_t *copy = malloc(kit->len);
		struct outcome o;

		memcpy(copy, kit->bytes, kit->len);
		memset(copy + page * 4096, 0xff, 4096);
		o = judge(copy, kit->len);
		assert_int_equal(o.whole, SALVAGE_MESSAGES);
		assert_int_equal(o.risen, 0);
		free(copy);
	}
}

static void
a_truncated_file_names_what_it_lost(void **state)
{
	for (unsigned i = 0; i < 20; i++) {
		size_t len = 4096 + draw(kit->len - 4096);
		struct outcome o = judge(kit->bytes, len);

		assert_int_equal(o.risen, 0);
		assert_true(o.faults > 0 || o.whole == SALVAGE_MESSAGES);
	}
}

static void
overwritten_pages_are_named(void **state)
{
	uint8_t *copy = malloc(kit->len);

	for (unsigned i = 0; i < 60; i++) {
		size_t from = draw(kit->len / 4096), to = draw(kit->len / 4096);
		struct outcome o;

		memcpy(copy, kit->bytes, kit->len);
		if (i % 2 == 0)
			memset(copy + to * 4096, (int)draw(256), 4096);
		else	/* another page of the file: old, or in use */
			memcpy(copy + to * 4096, kit->bytes + from * 4096,
			    4096);
		o = judge(copy, kit->len);
		assert_int_equal(o.risen, 0);
		assert_true(o.unnamed == 0 || o.faults > 0);
	}
	free(copy);
}

static void
no_fault(uint64_t page, const char *why, void *arg)
{
	fail_msg("page %" PRIu64 ": %s", page, why);
}

/* Some leaf of that table, by chance; 0: it has none. */
static uint64_t
some_leaf(const struct image *im, const struct page_tree *t)
{
	uint64_t no = t->root;
	struct page_node n;
	struct page p;

	for (unsigned depth = t->depth; no != PAGE_NONE && depth > 1;
	    depth--) {
		assert_null(image_page(im, no, &p));
		assert_true(page_node(&p, (unsigned)draw(p.cnt), &n));
		no = n.child;
	}
	return no == PAGE_NONE ? 0 : no;
}

/* Lead a branch of the root of that table to the page. */
static void
lead(uint8_t *copy, const struct image *im, const struct page_tree *t,
    uint64_t to)
{
	struct page_node n;
	struct page p;
	uint8_t *at;

	assert_null(image_page(im, t->root, &p));
	assert_true(page_node(&p, (unsigned)draw(p.cnt), &n));
	at = copy + ((const uint8_t *)n.key.ptr - 8 - im->bytes);
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(to >> 8 * i);
}

/* Both tables have all that is theirs. */
static void
a_branch_into_another_table_costs_nothing(void **state)
{
	uint8_t *copy = malloc(kit->len);
	struct catalogue c;
	struct image im;
	unsigned cnt = 0;

	assert_true(image_take(&im, kit->bytes, kit->len));
	assert_true(catalogue_find(&im, &c, no_fault, NULL));
	for (unsigned i = 0; i < LEADS; i++) {
		enum table t = draw(TABLE__COUNT), o = draw(TABLE__COUNT);
		struct outcome out;
		uint64_t to;

		if (!c.has[t] || !c.has[o] || c.tables[t].depth < 2 ||
		    (to = some_leaf(&im, &c.tables[o])) == 0)
			continue;
		memcpy(copy, kit->bytes, kit->len);
		lead(copy, &im, &c.tables[t], to);
		out = judge(copy, kit->len);
		if (out.whole != SALVAGE_MESSAGES)
			print_message("%s leads to %s: %u whole, %u named\n",
			    store_table_name(t), store_table_name(o),
			    out.whole, out.named);
		assert_int_equal(out.risen + out.altered, 0);
		assert_int_equal(out.whole, SALVAGE_MESSAGES);
		cnt++;
	}
	assert_true(cnt > LEADS / 20);
	free(copy);
}

/* A damaged leaf is searched for rows, and what it has deleted lies there. */
static void
what_a_damaged_leaf_has_deleted_stays_gone(void **state)
{
	uint8_t *copy = malloc(kit->len);
	unsigned cnt = 0;

	memcpy(copy, kit->bytes, kit->len);
	for (size_t no = 2; no < kit->len / 4096; no++) {
		uint8_t *bytes = copy + no * 4096;
		struct page_node n;
		struct page p;

		if (page_open(&p, bytes, 4096) != NULL ||
		    p.kind != PAGE_LEAF || !page_node(&p, p.cnt / 2, &n))
			continue;
		/* The length of a value, which stands before its key. */
		bytes = (uint8_t *)(uintptr_t)n.key.ptr - 8;
		bytes[1] ^= 0x80;
		assert_int_equal(judge(copy, kit->len).risen, 0);
		bytes[1] ^= 0x80;
		cnt++;
	}
	assert_true(cnt > 20);
	free(copy);
}

static void
the_quick_look_sees_what_lmdb_cannot_live_with(void **state)
{
	uint8_t *copy = malloc(kit->len);
	struct image im;

	assert_true(image_take(&im, kit->bytes, kit->len));
	assert_null(catalogue_look(&im));
	memcpy(copy, kit->bytes, kit->len);
	memset(copy, 0, 2 * 4096);
	assert_true(image_take(&im, copy, kit->len));
	assert_non_null(catalogue_look(&im));
	for (unsigned i = 0; i < 200; i++) {
		size_t at = 32 + draw(128);	/* of the struct, not magic */

		memcpy(copy, kit->bytes, 2 * 4096);
		copy[draw(2) * 4096 + at] ^= (uint8_t)(1u << draw(8));
		assert_true(image_take(&im, copy, kit->len));
		(void)catalogue_look(&im);
	}
	free(copy);
}

/* A table that is added is thought of, in both places that know its rows. */
static void
every_table_has_its_place(void **state)
{
	for (enum table t = 0; t < TABLE__COUNT; t++) {
		enum record_kind ours = 0, theirs = 0;

		print_message("%s\n", store_table_name(t));
		assert_int_not_equal(carry_of(t), CARRY_UNDECIDED);
		assert_int_equal(form_kind(t, &ours),
		    store_row_kind(t, &theirs));
		assert_int_equal(ours, theirs);
	}
}

static bool
is_named(const struct verdict *v, struct span address)
{
	for (size_t i = 0; i < v->rcpt_cnt; i++)
		if (v->rcpts[i].is_good &&
		    span_eq(v->rcpts[i].address, address))
			return true;
	return false;
}

/* One of three recipients of one delivery is done with. */
static struct id
leave_two_of_three(void)
{
	struct salvage_mail *m = &kit->mails[SALVAGE_MESSAGES + 2];
	struct store_change c = { .class = CLASS_DONE, .code = 250 };
	struct store_settle st = {
		.changes = &c, .change_cnt = 1, .now_ms = clock_wall_ms(),
		.due_ms = clock_wall_ms() + 60000, .attempts = 1,
	};
	unsigned before;

	kit_reopen(&kit->kit);
	salvage_mail(kit, SALVAGE_MESSAGES + 2);
	m->mail.accept.message.delivery_cnt = 1;
	memset(m->rcpt_delivery, 0, sizeof(m->rcpt_delivery));
	before = kit->kit.back_cnt;
	store_accept(kit->kit.store, &m->mail.accept, kit_back, &kit->kit);
	kit_until(&kit->kit, kit->kit.back_cnt > before);
	st.id = m->mail.mail.id;
	c.address = m->mail.rcpts[0];
	before = kit->kit.back_cnt;
	store_settle(kit->kit.store, &st, kit_back, &kit->kit);
	kit_until(&kit->kit, kit->kit.back_cnt > before);
	assert_int_equal(kit->kit.last, OK);
	store_close(&kit->kit.store);
	free(kit->bytes);
	salvage_slurp(kit);
	return st.id;
}

/* Break one row of the leaf after the other: who is still to get it? */
static void
look_without(uint8_t *bytes, struct id id, struct span done)
{
	struct verdict v;
	struct image im;
	struct rows r;

	assert_true(image_take(&im, bytes, kit->len));
	assert_int_equal(rows_read(&r, &im), OK);
	assert_int_equal(judge_message(&r, id, &v), OK);
	assert_false(is_named(&v, done));
	judge_fini(&v);
	rows_fini(&r);
}

static void
a_recipient_that_was_done_with_gets_no_second_copy(void **state)
{
	struct id id = leave_two_of_three();
	struct span done = kit->mails[SALVAGE_MESSAGES + 2].mail.rcpts[0];

	for (size_t no = 2; no < kit->len / 4096; no++) {
		uint8_t *bytes = kit->bytes + no * 4096;
		struct page_node n;
		struct page p;

		if (page_open(&p, bytes, 4096) != NULL ||
		    p.kind != PAGE_LEAF || !page_node(&p, 0, &n))
			continue;
		bytes = (uint8_t *)(uintptr_t)n.key.ptr - 8;
		bytes[1] ^= 0x80;
		look_without(kit->bytes, id, done);
		bytes[1] ^= 0x80;
	}
}

/* Take a row out of the store as if nothing had ever told of it. */
static void
take_away(struct id id, enum table t, uint32_t no)
{
	struct store_env e;
	struct store_key k;
	MDB_txn *txn;
	MDB_val key;

	assert_int_equal(store_table_open(&e, kit->kit.dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	store_table_key_no(&k, id, no);
	key = (MDB_val){ k.len, k.b };
	assert_int_equal(mdb_del(txn, e.dbi[t], &key, NULL), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
}

static bool
is_lacking(struct id id)
{
	struct verdict v;
	struct image im;
	struct rows r;
	bool lacking;

	free(kit->bytes);
	salvage_slurp(kit);
	assert_true(image_take(&im, kit->bytes, kit->len));
	assert_int_equal(rows_read(&r, &im), OK);
	assert_int_equal(judge_message(&r, id, &v), OK);
	assert_true(judge_can_go(&v));
	lacking = judge_is_lacking(&v);
	judge_fini(&v);
	rows_fini(&r);
	return lacking;
}

/* Table due alone tells of a delivery, and not for how many it is. */
static void
a_recipient_is_missed_whose_delivery_is_gone_too(void **state)
{
	struct salvage_kit *others = kit;
	struct salvage_mail *m;
	unsigned before;
	struct id id;

	(void)setup(state);	/* a store of its own: it is damaged */
	m = &kit->mails[SALVAGE_MESSAGES + 2];
	kit_reopen(&kit->kit);
	salvage_mail(kit, SALVAGE_MESSAGES + 2);
	m->mail.accept.message.delivery_cnt = 1;
	memset(m->rcpt_delivery, 0, sizeof(m->rcpt_delivery));
	before = kit->kit.back_cnt;
	store_accept(kit->kit.store, &m->mail.accept, kit_back, &kit->kit);
	kit_until(&kit->kit, kit->kit.back_cnt > before);
	store_close(&kit->kit.store);
	id = m->mail.mail.id;
	assert_false(is_lacking(id));
	take_away(id, TABLE_DELIVERY, 0);
	assert_false(is_lacking(id));
	take_away(id, TABLE_RECIPIENT, 1);
	assert_true(is_lacking(id));
	(void)teardown(state);
	kit = others;
}

/* One more message: all is decided, and its sender is still to hear of it. */
static void
leave_a_report(struct id *id)
{
	struct salvage_mail *m = &kit->mails[SALVAGE_MESSAGES];
	struct store_change c = {
		.class = CLASS_DONE, .code = 550, .report = REPORT_FAILED,
		.address = SPAN("nobody@example.org"), .reply = SPAN("No"),
	};
	struct store_discard d = {
		.rec = { .code = 550, .sender = SPAN("a@example.net"),
		    .address = SPAN("b@example.org"), .why = SPAN("no way") },
	};
	struct store_settle st = {
		.is_over = true, .changes = &c, .change_cnt = 1,
		.discards = &d, .discard_cnt = 1, .now_ms = clock_wall_ms(),
	};
	unsigned before;

	kit_reopen(&kit->kit);
	salvage_mail(kit, SALVAGE_MESSAGES);
	before = kit->kit.back_cnt;
	store_accept(kit->kit.store, &m->mail.accept, kit_back, &kit->kit);
	kit_until(&kit->kit, kit->kit.back_cnt > before);
	*id = st.id = m->mail.mail.id;
	before = kit->kit.back_cnt;
	store_settle(kit->kit.store, &st, kit_back, &kit->kit);
	kit_until(&kit->kit, kit->kit.back_cnt > before);
	assert_int_equal(kit->kit.last, OK);
	assert_false(st.removed);
}

static void
leave_a_suspension(void)
{
	struct store_suspend s = { .rec = { .active = 1, .since_ms = 5,
	    .relay = SPAN("out"), .reason = SPAN("why not") } };
	unsigned before = kit->kit.back_cnt;

	store_suspend(kit->kit.store, &s, kit_back, &kit->kit);
	kit_until(&kit->kit, kit->kit.back_cnt > before);
	assert_int_equal(kit->kit.last, OK);
}

/* All rows of the one are in the other, byte by byte if copied; how many? */
static size_t
compare(const struct store_env *old, MDB_txn *was, const struct store_env *new,
    MDB_txn *is, enum table t)
{
	MDB_cursor *c;
	MDB_val key, val, got;
	size_t cnt = 0;

	assert_int_equal(mdb_cursor_open(was, old->dbi[t], &c), 0);
	for (; mdb_cursor_get(c, &key, &val, MDB_NEXT) == 0; cnt++) {
		assert_int_equal(mdb_get(is, new->dbi[t], &key, &got), 0);
		if (carry_of(t) == CARRY_MADE)
			continue;
		assert_int_equal(got.mv_size, val.mv_size);
		assert_memory_equal(got.mv_data, val.mv_data, val.mv_size);
	}
	mdb_cursor_close(c);
	return cnt;
}

static void
remove_store(const char *dir)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "" };
	char path[128];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(remove(path), 0);
	}
}

/* Each table has rows here, so that a new one must be given some. */
static void
a_salvaged_store_has_all_tables(void **state)
{
	struct store_env old, new;
	MDB_txn *was, *is;
	char dir[96];
	struct id id;

	leave_a_report(&id);
	leave_a_suspension();
	store_close(&kit->kit.store);
	kit_put_gathered(&kit->kit);
	snprintf(dir, sizeof(dir), "%s-new", kit->kit.dir);
	assert_int_equal(rescue_run(kit->kit.dir, dir, false), CHECK_WHOLE);
	assert_int_equal(store_table_open(&old, kit->kit.dir), 0);
	assert_int_equal(store_table_open(&new, dir), 0);
	assert_int_equal(mdb_txn_begin(old.env, NULL, MDB_RDONLY, &was), 0);
	assert_int_equal(mdb_txn_begin(new.env, NULL, MDB_RDONLY, &is), 0);
	for (enum table t = 0; t < TABLE__COUNT; t++) {
		if (carry_of(t) == CARRY_NOT)
			continue;
		print_message("%s\n", store_table_name(t));
		assert_true(compare(&old, was, &new, is, t) > 0);
	}
	mdb_txn_abort(was);
	mdb_txn_abort(is);
	store_table_close(&old);
	store_table_close(&new);
	remove_store(dir);
}

/* Up to which time history was gathered is lost: then it is from its start. */
static void
history_is_gathered_anew_where_nobody_knows_how_far_it_was(void **state)
{
	MDB_val key = { 8, "gathered" }, val = { 3, "\1ab" };
	struct store_env e;
	union record r;
	MDB_txn *txn;
	char dir[96];

	assert_int_equal(store_table_open(&e, kit->kit.dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_put(txn, e.dbi[TABLE_TOTAL], &key, &val, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
	snprintf(dir, sizeof(dir), "%s-new", kit->kit.dir);
	(void)rescue_run(kit->kit.dir, dir, false);
	assert_int_equal(store_table_open(&e, dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_get(txn, e.dbi[TABLE_TOTAL], &key, &val), 0);
	assert_int_equal(record_get((struct span){ val.mv_data, val.mv_size },
	    RECORD_total, &r), OK);
	assert_int_equal(r.total.lived_ms, 0);
	mdb_txn_abort(txn);
	store_table_close(&e);
	remove_store(dir);
}

/* Flip a bit in the record of each suspension. */
static void
damage_suspensions(const char *dir)
{
	struct store_env e;
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val key, val;
	uint8_t k[STORE_KEY_MAX], v[RECORD_MAX];

	assert_int_equal(store_table_open(&e, dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, e.dbi[TABLE_SUSPENSION], &c), 0);
	while (mdb_cursor_get(c, &key, &val, MDB_NEXT) == 0) {
		memcpy(k, key.mv_data, key.mv_size);
		memcpy(v, val.mv_data, val.mv_size);
		v[val.mv_size / 2] ^= 4;
		key.mv_data = k;
		val.mv_data = v;
		assert_int_equal(mdb_cursor_put(c, &key, &val, MDB_CURRENT),
		    0);
	}
	mdb_cursor_close(c);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
}

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *at)
{
	return remove(path);
}

/* Nothing else was written since: no history tells it from what was before. */
static void
without_meta_pages_a_suspension_is_found(void **state)
{
	char dir[96], path[128];
	uint8_t junk[2 * 4096];
	FILE *f;

	kit_reopen(&kit->kit);
	leave_a_suspension();
	store_close(&kit->kit.store);
	memset(junk, 0x5a, sizeof(junk));
	snprintf(path, sizeof(path), "%s/data.mdb", kit->kit.dir);
	assert_non_null(f = fopen(path, "r+"));
	assert_int_equal(fwrite(junk, 1, sizeof(junk), f), sizeof(junk));
	fclose(f);
	snprintf(dir, sizeof(dir), "%s-new", kit->kit.dir);
	assert_int_not_equal(rescue_run(kit->kit.dir, dir, false),
	    CHECK_CANNOT);
	snprintf(path, sizeof(path), "%s", kit->kit.dir);
	strlcpy(kit->kit.dir, dir, sizeof(kit->kit.dir));
	kit_reopen(&kit->kit);
	assert_non_null(suspension_of(kit->kit.ready.suspensions, "out",
	    "out"));
	store_close(&kit->kit.store);
	strlcpy(kit->kit.dir, path, sizeof(kit->kit.dir));
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* The key of it still says what must not go out. */
static void
a_damaged_suspension_is_named_and_kept(void **state)
{
	char dir[96];

	kit_reopen(&kit->kit);
	leave_a_suspension();
	store_close(&kit->kit.store);
	assert_int_equal(check_run(kit->kit.dir, false), CHECK_WHOLE);
	damage_suspensions(kit->kit.dir);
	assert_int_equal(check_run(kit->kit.dir, false), CHECK_DAMAGED);
	snprintf(dir, sizeof(dir), "%s-new", kit->kit.dir);
	assert_int_equal(rescue_run(kit->kit.dir, dir, false), CHECK_WHOLE);
	strlcpy(kit->kit.dir, dir, sizeof(kit->kit.dir));
	kit_reopen(&kit->kit);
	assert_non_null(suspension_of(kit->kit.ready.suspensions, "out",
	    "out"));
	store_close(&kit->kit.store);
	kit->kit.dir[strlen(dir) - strlen("-new")] = '\0';
	remove_store(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_store_is_whole),
		cmocka_unit_test(one_flipped_bit_loses_nothing_unnamed),
		cmocka_unit_test(fifty_flipped_bits_lose_nothing_unnamed),
		cmocka_unit_test(without_meta_pages_all_is_found),
		cmocka_unit_test(without_a_catalogue_all_is_found),
		cmocka_unit_test(the_newest_state_is_taken),
		cmocka_unit_test(a_truncated_file_names_what_it_lost),
		cmocka_unit_test(overwritten_pages_are_named),
		cmocka_unit_test(a_branch_into_another_table_costs_nothing),
		cmocka_unit_test(what_a_damaged_leaf_has_deleted_stays_gone),
		cmocka_unit_test(
		    the_quick_look_sees_what_lmdb_cannot_live_with),
		cmocka_unit_test(every_table_has_its_place),
		cmocka_unit_test(
		    a_recipient_that_was_done_with_gets_no_second_copy),
		cmocka_unit_test(a_salvaged_store_has_all_tables),
		cmocka_unit_test(
		    history_is_gathered_anew_where_nobody_knows_how_far_it_was),
		cmocka_unit_test(a_damaged_suspension_is_named_and_kept),
		cmocka_unit_test(without_meta_pages_a_suspension_is_found),
		cmocka_unit_test(
		    a_recipient_is_missed_whose_delivery_is_gone_too),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
