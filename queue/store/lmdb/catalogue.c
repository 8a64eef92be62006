/* catalogue.c - the two meta pages, and what to do without them. */
#include <string.h>

#include "queue/store/lmdb/catalogue.h"

#define FREE_FLAGS	0x08u		/* its keys are numbers		*/
#define HISTORY_KEY	29u		/* bytes			*/
#define TOTAL_ONCE	"total"		/* of the first release		*/
#define GROWTH_MAX	(1u << 20)	/* pages, far above any batch	*/

static void
take_row(const struct image_row *row, void *arg)
{
	struct catalogue *c = arg;
	bool is_ours = span_eq(row->key, SPAN(TOTAL_ONCE));

	for (enum table t = 0; t < TABLE__COUNT; t++) {
		if (!row->is_table || c->has[t] ||
		    !span_eq(row->key, span_of(store_table_name(t))))
			continue;
		c->has[t] = page_tree(&c->tables[t], row->value);
		is_ours = true;
	}
	c->has_strange |= row->is_table && !is_ours;
}

/* A message can stand in these alone; other tables came later, or may come. */
static bool
is_catalogue(const struct catalogue *c)
{
	return c->has[TABLE_MESSAGE] && c->has[TABLE_RECIPIENT] &&
	    c->has[TABLE_DELIVERY] && c->has[TABLE_HEADER] &&
	    c->has[TABLE_BODY];
}

/* One leaf holds it: some dozen names. */
static bool
read_leaf(const struct image *im, uint64_t no, struct catalogue *c)
{
	struct page p;

	memset(c->has, 0, sizeof(c->has));
	c->has_strange = false;
	if (image_page(im, no, &p) != NULL || p.kind != PAGE_LEAF)
		return false;
	image_rows(im, &p, false, take_row, c);
	c->self = (struct page_tree){ .root = no, .depth = 1 };
	return is_catalogue(c);
}

/* The highest key of a tree, down its right side. */
static struct span
last_key(const struct image *im, const struct page_tree *t)
{
	const struct span none = { NULL, 0 };
	uint64_t no = t->root;
	struct page_node n;
	struct page p;

	for (unsigned i = 0; i < t->depth && i < PAGE_DEPTH_MAX; i++) {
		if (image_page(im, no, &p) != NULL || p.cnt == 0 ||
		    !page_node(&p, p.cnt - 1, &n))
			return none;
		if (p.kind == PAGE_LEAF)
			return n.key;
		no = n.child;
	}
	return none;
}

/* How many of its tables have a root that can be one. */
static unsigned
count_good(const struct image *im, const struct catalogue *c)
{
	unsigned cnt = 0;
	struct page p;

	for (enum table t = 0; t < TABLE__COUNT; t++)
		cnt += c->has[t] && (c->tables[t].root == PAGE_NONE ||
		    image_page(im, c->tables[t].root, &p) == NULL);
	return cnt;
}

static bool
is_better(const struct image *im, const struct catalogue *a,
    const struct catalogue *b)
{
	unsigned good_a = count_good(im, a), good_b = count_good(im, b);
	int c;

	if (good_a != good_b)
		return good_a > good_b;
	c = page_cmp(last_key(im, &a->tables[TABLE_HISTORY]),
	    last_key(im, &b->tables[TABLE_HISTORY]));
	return c != 0 ? c > 0 : a->tables[TABLE_HISTORY].entries >
	    b->tables[TABLE_HISTORY].entries;
}

/* Keep the highest key that can be one of table history. */
static void
take_history(const struct image_row *row, void *arg)
{
	struct span *last = arg;

	if (row->key.len == HISTORY_KEY && page_cmp(row->key, *last) > 0)
		*last = row->key;
}

/* A leaf somewhere tells of something that happened after this state. */
static bool
is_outdated(const struct image *im, const struct catalogue *c)
{
	struct span last = last_key(im, &c->tables[TABLE_HISTORY]);
	struct span highest = last;
	struct page p;

	for (uint64_t no = image_next(im, 2); no < im->page_cnt;
	    no = image_next(im, no + 1))
		if (image_page(im, no, &p) == NULL && p.kind == PAGE_LEAF)
			image_rows(im, &p, false, take_history, &highest);
	return page_cmp(highest, last) > 0;
}

static bool
search(const struct image *im, struct catalogue *best)
{
	struct catalogue c = { .is_searched = true };
	bool found = false;

	for (uint64_t no = image_next(im, 2); no < im->page_cnt;
	    no = image_next(im, no + 1)) {
		if (!read_leaf(im, no, &c))
			continue;
		if (!found || is_better(im, &c, best))
			*best = c;
		found = true;
	}
	if (found)
		best->is_stale = is_outdated(im, best);
	return found;
}

struct metas {
	struct page_meta m[2];
	const char	*why[2];	/* NULL: that one is good	*/
};

static void
read_metas(const struct image *im, struct metas *ms)
{
	for (unsigned i = 0; i < 2; i++) {
		ms->why[i] = (i + 1) * im->page_len > im->len ?
		    "it is cut off" : page_meta(&ms->m[i],
		    im->bytes + i * im->page_len, im->page_len);
		if (ms->why[i] == NULL && ms->m[i].page_len != im->page_len)
			ms->why[i] = "its page size is damaged";
	}
}

/* The newer one, if the two go together; else -1. */
static int
newest(const struct metas *ms)
{
	uint64_t a = ms->m[0].txnid, b = ms->m[1].txnid;

	if (ms->why[0] != NULL || ms->why[1] != NULL)
		return -1;
	/* A new store has 0 in both. */
	if (a == 0 && b == 0)
		return 0;
	if (a % 2 != 0 || b % 2 != 1 || (a > b ? a - b : b - a) != 1)
		return -1;
	return a > b ? 0 : 1;
}

static void
take_free(const struct page_meta *m, struct catalogue *c)
{
	c->free = m->free;
	c->last_no = m->last_no;
	c->has_free = true;
}

static bool
from_meta(const struct image *im, const struct page_meta *m,
    struct catalogue *c)
{
	if (m->catalogue.depth != 1 || !read_leaf(im, m->catalogue.root, c))
		return false;
	c->self = m->catalogue;
	take_free(m, c);
	return true;
}

bool
catalogue_find(struct image *im, struct catalogue *c,
    void (*fault)(uint64_t, const char *, void *), void *arg)
{
	struct metas ms;
	bool found;
	int at;

	memset(c, 0, sizeof(*c));
	read_metas(im, &ms);
	for (unsigned i = 0; i < 2; i++)
		if (ms.why[i] != NULL)
			fault(i, ms.why[i], arg);
	at = newest(&ms);
	if (at == -1 && ms.why[0] == NULL && ms.why[1] == NULL)
		fault(PAGE_NONE, "the meta pages do not go together", arg);
	if (at != -1 && from_meta(im, &ms.m[at], c))
		return true;
	if (at != -1)
		fault((uint64_t)at, "it leads to no catalogue of tables", arg);
	found = search(im, c);
	for (unsigned i = 0; i < 2; i++)
		if (ms.why[i] == NULL && found &&
		    ms.m[i].catalogue.root == c->self.root)
			take_free(&ms.m[i], c);
	/* What its free list leaves out is of today, whatever else is gone. */
	if (at != -1 && (!found || c->self.root !=
	    ms.m[at].catalogue.root)) {
		c->is_stale = true;
		take_free(&ms.m[at], c);
	}
	return found || at != -1;
}

/* What LMDB would believe of a tree without a look. */
static const char *
look_at_tree(const struct image *im, const struct page_meta *m,
    const struct page_tree *t, uint16_t flags)
{
	struct page p;

	if (t->flags != flags || t->pages > m->last_no + 1 ||
	    t->depth > PAGE_DEPTH_MAX)
		return "the catalogue of tables is damaged";
	if (t->root == PAGE_NONE)
		return t->entries > 0 ? "a table has lost its root" : NULL;
	if (t->root > m->last_no || image_page(im, t->root, &p) != NULL)
		return "a table has lost its root";
	return p.kind == (t->depth > 1 ? PAGE_BRANCH : PAGE_LEAF) ? NULL :
	    "a table has lost its root";
}

static const char *
look_at_trees(const struct image *im, const struct page_meta *m)
{
	const char *why = look_at_tree(im, m, &m->free, FREE_FLAGS);
	struct catalogue c;

	if (why != NULL || m->catalogue.root == PAGE_NONE)
		return why;		/* or no table yet		*/
	if ((why = look_at_tree(im, m, &m->catalogue, 0)) != NULL)
		return why;
	if (!from_meta(im, m, &c))
		return "the catalogue of tables is damaged";
	/* It would be made anew, empty, beside the one of another name. */
	for (enum table t = 0; why == NULL && t < TABLE__COUNT; t++)
		if (c.has[t])
			why = look_at_tree(im, m, &c.tables[t], 0);
		else if (c.has_strange)
			why = "the name of a table is damaged";
	return why;
}

/* A wrong last page makes LMDB write over pages, or find the disk full. */
static bool
is_grown(const struct page_meta *older, const struct page_meta *newer)
{
	return newer->last_no >= older->last_no &&
	    newer->last_no - older->last_no < GROWTH_MAX;
}

const char *
catalogue_look(const struct image *im)
{
	struct metas ms;
	int at;

	if (im->page_cnt < 2)
		return "the file is cut off";
	read_metas(im, &ms);
	if ((at = newest(&ms)) == -1 || !is_grown(&ms.m[1 - at], &ms.m[at]))
		return "the meta pages are damaged";
	return look_at_trees(im, &ms.m[at]);
}

const char *
catalogue_look_at(const char *dir)
{
	const char *why;
	struct image im;

	if (image_open(&im, dir) != OK)
		return NULL;
	why = catalogue_look(&im);
	image_close(&im);
	return why;
}
