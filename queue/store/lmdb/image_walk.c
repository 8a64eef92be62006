/*
 * image_walk.c - a walk goes down by recursion, no deeper than LMDB's own
 * trees; a page met twice is not entered again.
 *
 * A page says its own number.  One that says another's was meant for another
 * place, or stood there once: what it holds is told as doubtful, and so is what
 * a branch of it leads to, unless the free list says that this is in use.
 */
#include <string.h>

#include "queue/store/lmdb/image.h"

static void
find_fault(struct image_walk *w, uint64_t no, const char *why)
{
	w->fault_cnt++;
	w->calls.fault(no, why, w->arg);
}

/* Mark a page as used.  False when it was, or there is no such page. */
static bool
use(struct image_walk *w, uint64_t no)
{
	if (no < 2 || no >= w->image->page_cnt) {
		find_fault(w, no, no < 2 ? "a tree leads to a meta page" :
		    "it lies beyond the end of the file");
		return false;
	}
	if (image_is_seen(w->seen, no)) {
		find_fault(w, no, "it is used twice");
		if (w->again == NULL || image_is_seen(w->again, no))
			return false;
		image_see(w->again, no);
		return true;
	}
	image_see(w->seen, no);
	if (w->is_free != NULL && image_is_seen(w->is_free, no))
		find_fault(w, no, "it is in use and free at once");
	return true;
}

/* The pages of a value that does not lie in its leaf. */
static void
use_big(struct image_walk *w, const struct page_node *n)
{
	uint64_t cnt = (n->value_len + PAGE_HEAD + w->image->page_len - 1) /
	    w->image->page_len;

	for (uint64_t i = 0; i < cnt; i++)
		if (n->big + i < n->big || !use(w, n->big + i))
			return;
}

static bool
is_behind(const struct image_walk *w, struct span key)
{
	struct span last = { (const char *)w->last, w->last_len };
	uint64_t a, b;

	if (w->last_len == 0)
		return true;
	if (!w->is_numbers || key.len != sizeof(a) || last.len != sizeof(b))
		return page_cmp(key, last) > 0;
	a = page_u64((const uint8_t *)key.ptr);
	b = page_u64(w->last);
	return a > b;
}

static void
remember(struct image_walk *w, struct span key)
{
	memcpy(w->last, key.ptr, key.len);
	w->last_len = key.len;
}

/* One far too high key must not make all behind it misplaced. */
static bool
is_outlier(const struct image_walk *w, const struct page *p, unsigned i,
    struct span key)
{
	struct image_walk probe = { .is_numbers = w->is_numbers };
	struct page_node next;

	if (i + 1 >= p->cnt || !page_node(p, i + 1, &next) ||
	    next.key.len == 0)
		return false;
	remember(&probe, key);
	return !is_behind(&probe, next.key) && is_behind(w, next.key);
}

static bool
is_misplaced(const struct image_walk *w, const struct page *p, unsigned i,
    struct span key)
{
	return !is_behind(w, key) || is_outlier(w, p, i, key) ||
	    (w->is_first && w->low.len > 0 && !w->is_numbers &&
	    page_cmp(key, w->low) < 0);
}

static bool
is_outside(const struct image_walk *w, struct span key)
{
	return !w->is_numbers &&
	    ((w->low.len > 0 && page_cmp(key, w->low) < 0) ||
	    (w->high.len > 0 && page_cmp(key, w->high) >= 0));
}

/* Rows of this page may have been deleted. */
static bool
is_doubtful(const struct image_walk *w, const struct page *p)
{
	return w->is_astray ||
	    (w->is_free != NULL && image_is_seen(w->is_free, p->no));
}

/*
 * Where nobody knows which pages are free, one that the branch above does not
 * tell of may be any old one.
 */
static bool
is_row_doubtful(const struct image_walk *w, const struct page *p,
    struct span key)
{
	return is_doubtful(w, p) || (!w->knows_free && is_outside(w, key));
}

static void
walk_row(struct image_walk *w, const struct page *p, unsigned i,
    const struct page_node *n)
{
	struct image_row row = {
		.at = (const uint8_t *)n->key.ptr, .key = n->key,
		.value = image_value(w->image, n), .is_table = n->is_table,
		.is_misplaced = is_misplaced(w, p, i, n->key),
		.is_outside = is_outside(w, n->key),
		.is_doubtful = is_row_doubtful(w, p, n->key),
	};

	if (n->big != PAGE_NONE)
		use_big(w, n);
	if (row.value.ptr == NULL)
		find_fault(w, n->big, "the value of a row is not there");
	if (row.is_misplaced)
		find_fault(w, p->no, "a key of it is out of order");
	else if (!row.is_outside)
		remember(w, n->key);
	w->is_first = false;
	w->row_cnt++;
	w->calls.row(&row, w->arg);
}

/* All that looks like a row is told. */
static void
search_page(struct image_walk *w, const struct page *p)
{
	struct page q = *p;

	q.cnt = 0;
	if (is_doubtful(w, p))
		q.upper = q.len;
	image_rows(w->image, &q, true, w->calls.row, w->arg);
}

/* Where the offsets cannot be believed, they are not. */
static void
walk_leaf(struct image_walk *w, const struct page *p)
{
	bool is_whole = p->cnt > 0;
	struct page_node n;

	w->is_first = true;
	for (unsigned i = 0; i < p->cnt; i++) {
		if (page_node(p, i, &n))
			walk_row(w, p, i, &n);
		else
			is_whole = false;
	}
	if (is_whole)
		return;
	find_fault(w, p->no, "a row of it is damaged");
	search_page(w, p);
}

/* The leaf that must stand here says that it is something else. */
static void
walk_ruin(struct image_walk *w, uint64_t no, const char *why)
{
	struct page p = {
		.bytes = image_at(w->image, no), .len = w->image->page_len,
		.no = no, .kind = PAGE_LEAF,
	};

	p.upper = page_upper(&p);
	w->is_astray |= page_u64(p.bytes) != no;
	find_fault(w, no, why);
	search_page(w, &p);
}

static void walk_page(struct image_walk *, uint64_t no, unsigned depth);

/* Where the next branch begins, if it says so in order. */
static struct span
find_high(const struct image_walk *w, const struct page *p, unsigned i)
{
	struct page_node n;

	return i + 1 < p->cnt && page_node(p, i + 1, &n) &&
	    is_behind(w, n.key) ? n.key : w->high;
}

static void
walk_branch(struct image_walk *w, const struct page *p, unsigned depth)
{
	struct span low = w->low, high = w->high;

	if (p->cnt < 2)
		find_fault(w, p->no, "it has too few branches");
	/* What the free list does not name is in use. */
	w->is_astray = w->is_astray && !w->knows_free;
	for (unsigned i = 0; i < p->cnt; i++) {
		struct page_node n;

		if (!page_node(p, i, &n)) {
			find_fault(w, p->no, "a branch of it is damaged");
			continue;
		}
		/* Rows behind a wrong key are there, but LMDB misses them. */
		if (i > 0 && !is_behind(w, n.key))
			find_fault(w, p->no, "a key of it is out of order");
		else if (i > 0)
			low = n.key;
		w->low = low;
		w->high = high;
		w->high = find_high(w, p, i);
		walk_page(w, n.child, depth - 1);
	}
}

/* All keys of it are those that must stand here. */
static bool
is_within(const struct image_walk *w, const struct page *p)
{
	struct page_node n;

	/* The first key of a branch is none. */
	for (unsigned i = p->kind == PAGE_BRANCH; i < p->cnt; i++)
		if (page_node(p, i, &n) && is_outside(w, n.key))
			return false;
	return true;
}

/*
 * A bit of its number is wrong, and no more?  Else it is one that was written
 * to the wrong place: others are its keys, or it is to be found at home too.
 */
static bool
is_misnumbered(const struct image_walk *w, const struct page *p, uint64_t no)
{
	const uint8_t *home = image_at(w->image, p->no);
	uint64_t bits = p->no ^ no;

	return (bits & (bits - 1)) == 0 && is_within(w, p) &&
	    (home == NULL || memcmp(home, p->bytes, p->len) != 0);
}

static void
enter(struct image_walk *w, uint64_t no, unsigned depth)
{
	const uint8_t *bytes = image_at(w->image, no);
	const char *why;
	struct page p;

	if (bytes == NULL) {
		find_fault(w, no, "nothing was ever written to it");
		return;
	}
	why = page_open(&p, bytes, w->image->page_len);
	if (why == NULL && p.no != no) {
		find_fault(w, no, "it has another page's number");
		w->is_astray |= !is_misnumbered(w, &p, no);
		p.no = no;
	}
	if (why == NULL && p.kind == PAGE_LEAF && depth == 1)
		walk_leaf(w, &p);
	else if (why == NULL && p.kind == PAGE_BRANCH && depth > 1)
		walk_branch(w, &p, depth);
	else if (why == NULL)
		why = "it is of another kind than it must be";
	if (why != NULL && depth == 1)
		walk_ruin(w, no, why);
	else if (why != NULL)
		find_fault(w, no, why);
}

static void
walk_page(struct image_walk *w, uint64_t no, unsigned depth)
{
	bool was_astray = w->is_astray;

	if (use(w, no))
		enter(w, no, depth);
	w->is_astray = was_astray;
}

void
image_walk(struct image_walk *w, const struct page_tree *t)
{
	w->row_cnt = 0;
	w->fault_cnt = 0;
	w->last_len = 0;
	w->low = w->high = (struct span){ NULL, 0 };
	w->is_astray = false;
	if (t->root == PAGE_NONE) {
		if (t->entries > 0)
			find_fault(w, PAGE_NONE, "a table has lost its root");
		return;
	}
	if (t->depth == 0 || t->depth > PAGE_DEPTH_MAX) {
		find_fault(w, PAGE_NONE, "the depth of a table is damaged");
		return;
	}
	walk_page(w, t->root, t->depth);
	if (w->fault_cnt == 0 && w->row_cnt != t->entries)
		find_fault(w, PAGE_NONE, "a table has another count of rows");
}
