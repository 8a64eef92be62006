/*
 * rows.c - first the trees, from the free list on; then, if a tree is broken,
 * its rows in the leaves that no tree leads to.
 *
 * A page of which the free list says nothing and that no tree leads to must be
 * one that a broken tree has lost: what it holds is of today.  If the free list
 * itself is broken or unknown this cannot be told, and the rows are doubtful,
 * as are those of a page that is in use and free at once or that was meant for
 * another place, and what a damaged leaf has kept of rows that were deleted.
 *
 * A branch may lead into another table: its rows are read as both tables', and
 * by form and checksum are taken for one of them.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/salvage/form.h"
#include "queue/salvage/rows.h"

#define ID_LEN		sizeof(struct id)
#define NO_LEN		(ID_LEN + sizeof(uint32_t))

struct reading {
	struct rows	*rows;
	struct image	*image;
	uint8_t		*seen, *again, *is_free;
	int		 table;		/* being walked; -1 any		*/
	bool		 is_stale;	/* these trees are not of today	*/
	bool		 has[TABLE__COUNT]; /* there is a tree		*/
	enum rows_origin origin;
	bool		 has_free;	/* the free list is whole	*/
	uint64_t	 last_no;	/* what it may name at most	*/
};

static void
add_fault(uint64_t page, const char *why, void *arg)
{
	struct reading *g = arg;
	struct rows *r = g->rows;

	if (g->table >= 0)
		r->is_broken[g->table] = true;
	if (r->fault_cnt < ROWS_FAULTS_MAX)
		r->faults[r->fault_cnt] = (struct rows_fault){ page,
		    g->table >= 0 ? store_table_name((enum table)g->table) :
		    NULL, why };
	r->fault_cnt++;
}

static bool
make_room(struct rows *r)
{
	size_t cap = r->cap == 0 ? 1024 : r->cap * 2;
	struct row *v;

	if (r->cnt < r->cap)
		return true;
	if ((v = reallocarray(r->v, cap, sizeof(*v))) == NULL) {
		r->has_no_memory = true;
		return false;
	}
	r->v = v;
	r->cap = cap;
	return true;
}

static void
add(struct reading *g, enum table t, const struct image_row *row, bool bad)
{
	struct span key = row->key, value = row->value;
	enum record_kind kind;

	if (!make_room(g->rows))
		return;
	if (t == TABLE_DUE) {		/* known by what it is for */
		value = key;
		key = span_tail(key, key.len - NO_LEN);
	}
	g->rows->v[g->rows->cnt++] = (struct row){
		.key = key.ptr, .key_len = (uint16_t)key.len,
		.value = value.ptr, .value_len = (uint16_t)value.len,
		.table = (uint8_t)t, .origin = (uint8_t)g->origin,
		.is_misplaced = row->is_misplaced || (rows_is_text(t) &&
		    row->is_outside), .is_bad = bad,
		.is_newer = bad && value.ptr != NULL && form_kind(t, &kind) &&
		    record_is_newer(value, kind),
	};
}

static void
take_row(const struct image_row *row, void *arg)
{
	struct reading *g = arg;
	enum rows_origin origin = g->origin;
	bool bad;

	if (row->is_doubtful)
		g->origin = ROWS_DOUBTFUL;
	if (form_fits((enum table)g->table, row, &bad) && !(bad &&
	    form_is_others((enum table)g->table, row)))
		add(g, (enum table)g->table, row, bad);
	else
		add_fault(PAGE_NONE, "a row has a foreign form", g);
	g->origin = origin;
}

/*
 * Is something of this table to be found outside of its tree?  A whole tree has
 * all that is of today.  But a suspension leaves no history: one may be newer
 * than trees that no meta page led to.
 */
static bool
is_sought(const struct reading *g, enum table t)
{
	return !g->has[t] || g->rows->is_broken[t] ||
	    (t == TABLE_SUSPENSION && g->rows->is_searched);
}

static void
take_text(struct reading *g, enum table t, const struct image_row *row)
{
	bool bad;

	if (is_sought(g, t) && form_fits(t, row, &bad) && !bad)
		add(g, t, row, false);
}

/*
 * A leaf without a tree: the form of its rows says which table it is of.  What
 * has no checksum is believed where the text it belongs to is asked for it.
 */
static void
take_orphan(const struct image_row *row, void *arg)
{
	static const enum table tables[] = {
		TABLE_MESSAGE, TABLE_RECIPIENT, TABLE_DELIVERY, TABLE_DUE,
		TABLE_CRC, TABLE_REPORT, TABLE_DISCARD, TABLE_SUSPENSION,
	};
	struct reading *g = arg;
	bool bad;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (form_fits(tables[i], row, &bad) && !bad) {
			if (is_sought(g, tables[i]))
				add(g, tables[i], row, false);
			return;
		}
	/* Header or body: a leaf does not say.  The message's lengths do. */
	take_text(g, TABLE_BODY, row);
	take_text(g, TABLE_HEADER, row);
}

/* The free list: by transaction, a count and the numbers of pages. */
static void
take_free(const struct image_row *row, void *arg)
{
	struct reading *g = arg;
	const uint8_t *b = (const uint8_t *)row->value.ptr;
	uint64_t cnt, no;

	if (b == NULL || row->value.len < 8 || row->key.len != 8 ||
	    ((cnt = page_u64(b)) != 0 && cnt != row->value.len / 8 - 1)) {
		add_fault(PAGE_NONE, "a row of the free list is damaged", g);
		return;
	}
	for (uint64_t i = 1; i <= cnt; i++) {
		no = page_u64(b + 8 * i);
		/* Pages behind the file's end were never written. */
		if (no < 2 || no > g->last_no ||
		    (i > 1 && no >= page_u64(b + 8 * (i - 1)))) {
			add_fault(PAGE_NONE,
			    "a row of the free list is damaged", g);
			g->has_free = false;
			continue;
		}
		if (no >= g->image->page_cnt)
			continue;
		if (image_is_seen(g->is_free, no))
			add_fault(no, "it is free twice", g);
		image_see(g->is_free, no);
	}
}

static void
walk_free(struct reading *g, const struct catalogue *c)
{
	struct image_walk w = {
		.image = g->image, .seen = g->seen, .arg = g,
		.calls = { take_free, add_fault }, .is_numbers = true,
	};
	size_t before = g->rows->fault_cnt;

	if (!c->has_free)
		return;
	g->last_no = c->last_no;
	image_walk(&w, &c->free);
	g->has_free = g->rows->fault_cnt == before;
}

static void
no_row(const struct image_row *row, void *arg)
{
}

static void
walk_table(struct reading *g, const struct catalogue *c, enum table t)
{
	struct image_walk w = {
		.image = g->image, .seen = g->seen, .is_free = g->is_free,
		.knows_free = g->has_free, .again = g->again,
		.calls = { take_row, add_fault }, .arg = g,
	};

	g->has[t] = c->has[t];
	g->table = (int)t;
	g->origin = g->is_stale ? ROWS_DOUBTFUL : ROWS_LIVE;
	if (c->has[t])
		image_walk(&w, &c->tables[t]);
	else if (t == TABLE_MESSAGE || t == TABLE_DELIVERY || c->has_strange)
		add_fault(PAGE_NONE, "the table is not there", g);
	g->table = -1;
}

/*
 * Trees that are not of today are walked only if the free list does not say
 * which pages are.
 */
static void
walk_trees(struct reading *g, const struct catalogue *c)
{
	struct image_walk w = {
		.image = g->image, .seen = g->seen, .is_free = g->is_free,
		.calls = { no_row, add_fault }, .arg = g,
	};

	walk_free(g, c);
	g->is_stale = c->is_stale;
	if (c->is_stale) {
		add_fault(PAGE_NONE, "its newest state cannot be found", g);
		memset(g->rows->is_broken, true, sizeof(g->rows->is_broken));
		if (g->has_free)
			return;
	}
	image_walk(&w, &c->self);
	for (enum table t = 0; t < TABLE__COUNT; t++)
		walk_table(g, c, t);
}

static bool
is_any_broken(const struct rows *r)
{
	for (enum table t = 0; t < TABLE__COUNT; t++)
		if (r->is_broken[t] && t != TABLE_HISTORY && t != TABLE_STORY &&
		    t != TABLE_LOOKUP && t != TABLE_LOOSE)
			return true;
	return false;
}

/* What lies behind the last page was written by no transaction that ended. */
static bool
is_free(const struct reading *g, uint64_t no)
{
	return no > g->last_no || image_is_seen(g->is_free, no);
}

/* A free list that names pages in use lacks others, or a tree went astray. */
static bool
has_overlap(const struct reading *g)
{
	for (uint64_t no = image_next(g->image, 2); no < g->image->page_cnt;
	    no = image_next(g->image, no + 1))
		if (image_is_seen(g->seen, no) && is_free(g, no))
			return true;
	return false;
}

/* Leaves that no tree leads to. */
static void
scan(struct reading *g)
{
	struct page p;

	if (has_overlap(g))
		g->has_free = false;
	for (uint64_t no = image_next(g->image, 2); no < g->image->page_cnt;
	    no = image_next(g->image, no + 1)) {
		if (image_is_seen(g->seen, no) ||
		    image_page(g->image, no, &p) != NULL ||
		    p.kind != PAGE_LEAF)
			continue;
		g->origin = g->has_free && !is_free(g, no) ? ROWS_LOST :
		    ROWS_DOUBTFUL;
		image_rows(g->image, &p, false, take_orphan, g);
	}
}

static int
cmp_name(const struct row *a, const struct row *b)
{
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	return page_cmp(rows_key(a), rows_key(b));
}

/*
 * A delivery may have several due rows, of which one can be right, and so may
 * a place in the text, where it was not said what the rows are of.
 */
static int
cmp_whole(const struct row *a, const struct row *b)
{
	int c = cmp_name(a, b);

	if (c != 0)
		return c;
	if (a->table == TABLE_DUE)
		return page_cmp(rows_value(a), rows_value(b));
	if (!rows_is_text(a->table))
		return 0;
	if (a->is_misplaced != b->is_misplaced)
		return a->is_misplaced ? 1 : -1;
	if (a->origin != b->origin)
		return a->origin < b->origin ? -1 : 1;
	return (a->value > b->value) - (a->value < b->value);
}

static int
cmp_row(const void *x, const void *y)
{
	const struct row *a = x, *b = y;
	int c = cmp_whole(a, b);

	if (c != 0)
		return c;
	if (a->is_bad != b->is_bad)
		return a->is_bad ? 1 : -1;
	if (a->origin != b->origin)
		return a->origin < b->origin ? -1 : 1;
	if (a->is_misplaced != b->is_misplaced)
		return a->is_misplaced ? 1 : -1;
	return (a->key > b->key) - (a->key < b->key);
}

/* Keep the best of each. */
static void
sort(struct rows *r)
{
	size_t kept = 0;

	if (r->cnt == 0)
		return;
	qsort(r->v, r->cnt, sizeof(*r->v), cmp_row);
	for (size_t i = 1; i < r->cnt; i++)
		if (cmp_whole(&r->v[kept], &r->v[i]) != 0)
			r->v[++kept] = r->v[i];
	r->cnt = kept + 1;
}

enum err
rows_read(struct rows *r, struct image *im)
{
	struct reading g = { .rows = r, .image = im, .table = -1 };
	struct catalogue c;
	bool found;

	memset(r, 0, sizeof(*r));
	r->faults = calloc(ROWS_FAULTS_MAX, sizeof(*r->faults));
	g.seen = image_new_seen(im);
	g.again = image_new_seen(im);
	g.is_free = image_new_seen(im);
	r->has_no_memory = r->faults == NULL || g.seen == NULL ||
	    g.again == NULL || g.is_free == NULL;
	if (!r->has_no_memory && im->is_too_long)
		add_fault(PAGE_NONE, "the file is longer than a store can be",
		    &g);
	found = !r->has_no_memory && catalogue_find(im, &c, add_fault, &g);
	if (found) {
		r->is_searched = c.is_searched;
		walk_trees(&g, &c);
		rows_drop_shared(r, im, g.again);
	}
	if (!r->has_no_memory && (!found || is_any_broken(r) ||
	    r->is_searched))
		scan(&g);
	sort(r);
	free(g.seen);
	free(g.again);
	free(g.is_free);
	return r->has_no_memory ? ERR_SYS : found ? OK : ERR_NONE;
}

void
rows_fini(struct rows *r)
{
	free(r->v);
	free(r->faults);
	memset(r, 0, sizeof(*r));
}

/* The first row from this one on that is not before (table, key). */
static size_t
find(const struct rows *r, size_t low, const struct row *key)
{
	size_t high = r->cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (cmp_name(&r->v[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct row *
rows_of(const struct rows *r, enum table t, struct id id, size_t *cnt)
{
	char last[STORE_KEY_MAX];
	struct row key = {
		.key = (const char *)id.b, .key_len = ID_LEN,
		.table = (uint8_t)t,
	};
	size_t first = find(r, 0, &key);

	memset(last, 0xff, sizeof(last));
	memcpy(last, id.b, ID_LEN);
	key.key = last;
	key.key_len = sizeof(last);
	*cnt = find(r, first, &key) - first;
	return *cnt > 0 ? &r->v[first] : NULL;
}

const struct row *
rows_find(const struct rows *r, enum table t, struct span name)
{
	struct row key = {
		.key = name.ptr, .key_len = (uint16_t)name.len,
		.table = (uint8_t)t,
	};
	size_t at = find(r, 0, &key);

	return at < r->cnt && cmp_name(&r->v[at], &key) == 0 ? &r->v[at] :
	    NULL;
}

const struct row *
rows_numbered(const struct rows *r, enum table t, struct id id, uint32_t no,
    size_t *left)
{
	size_t cnt, low = 0, high;
	const struct row *row = rows_of(r, t, id, &cnt);

	high = cnt;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (rows_no(&row[mid]) < no)
			low = mid + 1;
		else
			high = mid;
	}
	*left = cnt - low;
	return *left > 0 && rows_no(&row[low]) == no ? &row[low] : NULL;
}

const struct row *
rows_table(const struct rows *r, enum table t, size_t *cnt)
{
	struct row key = { .table = (uint8_t)t };
	struct row next = { .table = (uint8_t)(t + 1) };
	size_t first = find(r, 0, &key);

	*cnt = find(r, first, &next) - first;
	return *cnt > 0 ? &r->v[first] : NULL;
}
