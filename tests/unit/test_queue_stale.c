/*
 * A page that is not of today says what was so once.  One that stands in
 * another page's place, or that was not written when it should have been,
 * brings no message back that was done with; what it shows of one is named.
 * room: queue
 * room: queue/salvage
 */
#include "salvage_kit.h"

#include "queue/salvage/form.h"
#include "queue/store/store_intake.h"

#define PAGE	4096u
#define PAGES	4096u			/* at most, of the file		*/

static struct salvage_kit *kit;
static uint8_t *earlier;		/* the file, when some were there */
static size_t earlier_len;

static int
setup(void **state)
{
	const unsigned all = SALVAGE_MESSAGES + SALVAGE_GONE;

	kit = calloc(1, sizeof(*kit));
	salvage_begin(kit);
	salvage_accept(kit);
	salvage_end(kit, SALVAGE_MESSAGES, all - 20);
	salvage_slurp(kit);
	earlier = kit->bytes;
	earlier_len = kit->len;
	salvage_end(kit, all - 20, all);
	store_close(&kit->kit.store);
	salvage_slurp(kit);
	assert_true(kit->len / PAGE < PAGES);
	return 0;
}

static int
teardown(void **state)
{
	salvage_close(kit);
	free(earlier);
	free(kit);
	return 0;
}

struct outcome {
	unsigned risen, listed, unnamed, whole;
};

static struct outcome
judge(const uint8_t *bytes)
{
	struct outcome o = { 0 };
	struct image im;
	struct rows r;

	assert_true(image_take(&im, bytes, kit->len));
	assert_int_not_equal(rows_read(&r, &im), ERR_SYS);
	for (unsigned i = 0; i < SALVAGE_MESSAGES + SALVAGE_GONE; i++) {
		struct verdict v;

		assert_int_equal(judge_message(&r,
		    kit->mails[i].mail.mail.id, &v), OK);
		if (i < SALVAGE_MESSAGES) {
			o.whole += judge_can_go(&v);
			o.unnamed += v.row == NULL && v.rcpt_cnt == 0 &&
			    v.delivery_cnt == 0 && r.fault_cnt == 0;
		} else {
			o.risen += judge_can_go(&v);
			o.listed += v.row != NULL;
			o.unnamed += v.row != NULL && v.faults == 0;
		}
		judge_fini(&v);
	}
	rows_fini(&r);
	return o;
}

/* The file with one page of another one in it. */
static struct outcome
judge_with(uint8_t *copy, size_t no, const uint8_t *page)
{
	struct outcome o;

	memcpy(copy + no * PAGE, page, PAGE);
	o = judge(copy);
	memcpy(copy + no * PAGE, kit->bytes + no * PAGE, PAGE);
	return o;
}

static uint8_t *
copy_file(void)
{
	uint8_t *copy = malloc(kit->len);

	memcpy(copy, kit->bytes, kit->len);
	return copy;
}

/* The leaves, old ones too, whose first row is one of this table. */
static size_t
find_leaves(enum table t, size_t found[PAGES])
{
	size_t cnt = 0;

	for (size_t no = 2; no < kit->len / PAGE; no++) {
		struct image_row row = { .at = NULL };
		struct page_node n;
		struct page p;
		bool bad;

		if (page_open(&p, kit->bytes + no * PAGE, PAGE) != NULL ||
		    p.kind != PAGE_LEAF || !page_node(&p, 0, &n))
			continue;
		row.key = n.key;
		row.value = n.value;
		if (form_fits(t, &row, &bad) && !bad)
			found[cnt++] = no;
	}
	return cnt;
}

/* One of so many pairs. */
static unsigned
put_in_each_others_place(enum table t, unsigned step)
{
	uint8_t *copy = copy_file();
	size_t leaves[PAGES], cnt = find_leaves(t, leaves);
	unsigned listed = 0;

	for (size_t i = 0; i < cnt * cnt; i += step) {
		size_t to = leaves[i / cnt], from = leaves[i % cnt];
		struct outcome o = judge_with(copy, to, kit->bytes +
		    from * PAGE);

		if (o.risen + o.unnamed > 0)
			print_message("page %zu in place of %zu\n", from, to);
		assert_int_equal(o.risen, 0);
		assert_int_equal(o.unnamed, 0);
		listed += o.listed;
	}
	print_message("%s: %zu leaves, %u listed\n", store_table_name(t), cnt,
	    listed);
	free(copy);
	return listed;
}

static void
a_page_in_anothers_place_brings_nothing_back(void **state)
{
	assert_true(put_in_each_others_place(TABLE_MESSAGE, 3) > 0);
	put_in_each_others_place(TABLE_RECIPIENT, 5);
	put_in_each_others_place(TABLE_DELIVERY, 5);
	put_in_each_others_place(TABLE_DUE, 5);
}

static void
a_page_that_was_not_written_brings_nothing_back(void **state)
{
	uint8_t *copy = copy_file();
	unsigned cnt = 0;

	for (size_t no = 2; (no + 1) * PAGE <= earlier_len; no++) {
		const uint8_t *was = earlier + no * PAGE;
		struct outcome o;

		if (memcmp(was, kit->bytes + no * PAGE, PAGE) == 0)
			continue;
		o = judge_with(copy, no, was);
		if (o.risen + o.unnamed > 0)
			print_message("page %zu\n", no);
		assert_int_equal(o.risen, 0);
		assert_int_equal(o.unnamed, 0);
		cnt++;
	}
	assert_true(cnt > 20);
	free(copy);
}

/* Its number is one bit off, and all that it holds is of today. */
static void
a_page_whose_number_is_damaged_is_believed(void **state)
{
	size_t leaves[PAGES], cnt = find_leaves(TABLE_MESSAGE, leaves);
	uint8_t *copy = copy_file();

	for (size_t i = 0; i < cnt * 6; i++) {
		uint8_t page[PAGE];
		size_t no = leaves[i / 6];
		struct outcome o;

		memcpy(page, kit->bytes + no * PAGE, PAGE);
		page[i % 6 / 4] ^= (uint8_t)(1u << i % 6 % 4 * 2);
		o = judge_with(copy, no, page);
		assert_int_equal(o.whole, SALVAGE_MESSAGES);
		assert_int_equal(o.risen, 0);
	}
	free(copy);
}

/* The leaf with the names of all tables. */
static size_t
find_catalogue(void)
{
	struct page_meta m[2];

	for (unsigned i = 0; i < 2; i++)
		assert_null(page_meta(&m[i], kit->bytes + i * PAGE, PAGE));
	return m[m[1].txnid > m[0].txnid].catalogue.root;
}

/* LMDB would make an empty one beside it. */
static void
a_table_whose_name_is_damaged_is_found(void **state)
{
	size_t no = find_catalogue();
	uint8_t *copy = copy_file();
	struct page_node n;
	struct image im;
	struct page p;

	assert_null(page_open(&p, copy + no * PAGE, PAGE));
	assert_true(p.cnt > TABLE__COUNT);
	for (unsigned i = 0; page_node(&p, i, &n); i++) {
		char *name = (char *)(uintptr_t)n.key.ptr;

		if (!n.is_table)
			continue;
		*name ^= 1;
		assert_true(image_take(&im, copy, kit->len));
		assert_non_null(catalogue_look(&im));
		assert_int_equal(judge(copy).whole, SALVAGE_MESSAGES);
		*name ^= 1;
	}
	assert_true(image_take(&im, copy, kit->len));
	assert_null(catalogue_look(&im));
	free(copy);
}

/* One of three deliveries of a message is over. */
static void
end_one_of_three(struct salvage_mail *m)
{
	unsigned before;

	kit_reopen(&kit->kit);
	salvage_mail(kit, SALVAGE_MESSAGES + 2);
	before = kit->kit.back_cnt;
	store_accept(kit->kit.store, &m->mail.accept, kit_back, &kit->kit);
	kit_until(&kit->kit, kit->kit.back_cnt > before);
	salvage_settle(kit, m, 0);
	store_close(&kit->kit.store);
	free(kit->bytes);
	salvage_slurp(kit);
}

/* A bit of the first row of a leaf: the length of its value. */
static void
break_leaf(uint8_t *bytes, size_t no)
{
	struct page_node n;
	struct page p;

	assert_null(page_open(&p, bytes + no * PAGE, PAGE));
	assert_true(page_node(&p, 0, &n));
	((uint8_t *)(uintptr_t)n.key.ptr)[-7] ^= 0x80;
}

static unsigned
count_good(const uint8_t *bytes, struct id id)
{
	unsigned cnt = 0;
	struct verdict v;
	struct image im;
	struct rows r;

	assert_true(image_take(&im, bytes, kit->len));
	assert_int_equal(rows_read(&r, &im), OK);
	assert_int_equal(judge_message(&r, id, &v), OK);
	for (size_t i = 0; i < v.rcpt_cnt; i++) {
		cnt += v.rcpts[i].is_good;
		assert_false(v.rcpts[i].is_good && v.rcpts[i].no == 0);
	}
	judge_fini(&v);
	rows_fini(&r);
	return cnt;
}

/* What is free is not known, and both tables are to be searched for. */
static void
a_delivery_that_is_over_stays_over(void **state)
{
	struct salvage_mail *m = &kit->mails[SALVAGE_MESSAGES + 2];
	size_t deliveries[PAGES], rcpts[PAGES];
	size_t delivery_cnt, rcpt_cnt;
	unsigned both = 0;
	uint8_t *copy;

	end_one_of_three(m);
	delivery_cnt = find_leaves(TABLE_DELIVERY, deliveries);
	rcpt_cnt = find_leaves(TABLE_RECIPIENT, rcpts);
	copy = copy_file();
	memset(copy, 0, 2 * PAGE);
	for (size_t i = 0; i < delivery_cnt * rcpt_cnt; i++) {
		size_t no[] = {
			deliveries[i / rcpt_cnt], rcpts[i % rcpt_cnt],
		};

		for (unsigned k = 0; k < 2; k++)
			break_leaf(copy, no[k]);
		both += count_good(copy, m->mail.mail.id) == 2;
		for (unsigned k = 0; k < 2; k++)
			memcpy(copy + no[k] * PAGE, kit->bytes + no[k] * PAGE,
			    PAGE);
	}
	assert_true(both > 0);
	free(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_in_anothers_place_brings_nothing_back),
		cmocka_unit_test(
		    a_page_that_was_not_written_brings_nothing_back),
		cmocka_unit_test(a_page_whose_number_is_damaged_is_believed),
		cmocka_unit_test(a_table_whose_name_is_damaged_is_found),
		cmocka_unit_test(a_delivery_that_is_over_stays_over),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
