/*
 * image.c - a walk goes down by recursion, no deeper than LMDB's own trees; a
 * page met twice is not entered again.
 */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/store/image.h"

static const uint8_t *
page_at(const struct image *im, uint64_t no)
{
	return no < im->page_cnt ? im->bytes + no * im->page_len : NULL;
}

/* Of so many pages, how many say the number that they have? */
static unsigned
count_fitting(const uint8_t *bytes, size_t len, size_t page_len)
{
	unsigned cnt = 0;

	for (uint64_t no = 2; no < 4096 && (no + 1) * page_len <= len; no++)
		cnt += page_u64(bytes + no * page_len) == no;
	return cnt;
}

static size_t
guess_page_len(const uint8_t *bytes, size_t len)
{
	size_t best = PAGE_LEN_MIN;
	unsigned most = 0;

	for (size_t l = PAGE_LEN_MIN; l <= PAGE_LEN_MAX; l *= 2) {
		/* A larger page fits at 1 of 2 places by chance at most. */
		unsigned cnt = count_fitting(bytes, len, l) *
		    (unsigned)(l / PAGE_LEN_MIN);

		if (cnt > most) {
			most = cnt;
			best = l;
		}
	}
	return best;
}

/* As the meta pages say, if they agree. */
static size_t
find_page_len(const uint8_t *bytes, size_t len)
{
	struct page_meta a, b;

	if (page_meta(&a, bytes, len) == NULL && a.page_len < len &&
	    page_meta(&b, bytes + a.page_len, len - a.page_len) == NULL &&
	    a.page_len == b.page_len)
		return a.page_len;
	return guess_page_len(bytes, len);
}

bool
image_take(struct image *im, const void *bytes, size_t len)
{
	*im = (struct image){ .bytes = bytes, .len = len, .fd = -1 };
	im->page_len = find_page_len(bytes, len);
	im->page_cnt = len / im->page_len;
	return im->page_cnt > 0;
}

static enum err
map(struct image *im, int fd)
{
	struct stat sb;
	void *bytes;

	if (fstat(fd, &sb) == -1)
		return ERR_SYS;
	if (!S_ISREG(sb.st_mode) || sb.st_size < PAGE_LEN_MIN)
		return ERR_FULL;
	bytes = mmap(NULL, (size_t)sb.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return ERR_SYS;
	if (!image_take(im, bytes, (size_t)sb.st_size)) {
		munmap(bytes, (size_t)sb.st_size);
		return ERR_FULL;
	}
	im->fd = fd;
	return OK;
}

enum err
image_open(struct image *im, const char *dir)
{
	char path[PATH_MAX];
	enum err e;
	int fd;

	if (snprintf(path, sizeof(path), "%s/data.mdb", dir) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return ERR_SYS;
	}
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return errno == ENOENT ? ERR_NONE : ERR_SYS;
	if (flock(fd, LOCK_SH | LOCK_NB) == -1) {
		e = errno == EWOULDBLOCK ? ERR_AGAIN : ERR_SYS;
		close(fd);
		return e;
	}
	if ((e = map(im, fd)) != OK)
		close(fd);
	return e;
}

void
image_close(struct image *im)
{
	if (im->fd == -1)
		return;
	munmap((void *)(uintptr_t)im->bytes, im->len);
	close(im->fd);
	im->fd = -1;
}

const char *
image_page(const struct image *im, uint64_t no, struct page *p)
{
	const uint8_t *bytes = page_at(im, no);
	const char *why;

	if (bytes == NULL)
		return "it lies beyond the end of the file";
	if ((why = page_open(p, bytes, im->page_len)) != NULL)
		return why;
	return p->no == no ? NULL : "it has another page's number";
}

struct span
image_value(const struct image *im, const struct page_node *n)
{
	const struct span none = { NULL, 0 };
	uint64_t pages;
	struct page p;

	if (n->big == PAGE_NONE)
		return n->value;
	if (image_page(im, n->big, &p) != NULL || p.kind != PAGE_OVERFLOW)
		return none;
	pages = (n->value_len + PAGE_HEAD + im->page_len - 1) / im->page_len;
	if (p.run != pages || pages > im->page_cnt - n->big)
		return none;
	return (struct span){ (const char *)p.bytes + PAGE_HEAD,
	    n->value_len };
}

bool
image_is_seen(const uint8_t *seen, uint64_t no)
{
	return (seen[no / 8] >> no % 8 & 1) != 0;
}

void
image_see(uint8_t *seen, uint64_t no)
{
	seen[no / 8] |= (uint8_t)(1u << no % 8);
}

uint8_t *
image_new_seen(const struct image *im)
{
	return calloc(1, im->page_cnt / 8 + 1);
}

static void
find_fault(struct image_walk *w, uint64_t no, const char *why)
{
	w->fault_cnt++;
	w->calls.fault(no, why, w->arg);
}

/* Mark a page as used.  False when it is already, or is none. */
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
		return false;
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
	    (w->low.len > 0 && !w->is_numbers && page_cmp(key, w->low) < 0);
}

static void
walk_row(struct image_walk *w, const struct page *p, unsigned i,
    const struct page_node *n)
{
	struct image_row row = {
		.at = (const uint8_t *)n->key.ptr, .key = n->key,
		.value = image_value(w->image, n), .is_table = n->is_table,
		.is_misplaced = is_misplaced(w, p, i, n->key),
		.is_doubtful = w->is_free != NULL &&
		    image_is_seen(w->is_free, p->no),
	};

	if (n->big != PAGE_NONE)
		use_big(w, n);
	if (row.value.ptr == NULL)
		find_fault(w, n->big, "the value of a row is not there");
	if (row.is_misplaced)
		find_fault(w, p->no, "a key of it is out of order");
	else
		remember(w, n->key);
	w->low.len = 0;
	w->row_cnt++;
	w->calls.row(&row, w->arg);
}

/* Where the offsets cannot be believed, all that looks like a row is told. */
static void
walk_leaf(struct image_walk *w, const struct page *p)
{
	bool is_whole = p->cnt > 0;
	struct page_node n;

	for (unsigned i = 0; i < p->cnt; i++) {
		if (page_node(p, i, &n))
			walk_row(w, p, i, &n);
		else
			is_whole = false;
	}
	if (is_whole)
		return;
	find_fault(w, p->no, "a row of it is damaged");
	image_rows(w->image, p, true, w->calls.row, w->arg);
}

/* The leaf that must stand here says that it is something else. */
static void
walk_ruin(struct image_walk *w, uint64_t no, const char *why)
{
	struct page p = {
		.bytes = page_at(w->image, no), .len = w->image->page_len,
		.no = no, .kind = PAGE_LEAF,
	};

	p.upper = page_upper(&p);
	find_fault(w, no, why);
	image_rows(w->image, &p, true, w->calls.row, w->arg);
}

static void walk_page(struct image_walk *, uint64_t no, unsigned depth);

static void
walk_branch(struct image_walk *w, const struct page *p, unsigned depth)
{
	struct span low = w->low;

	if (p->cnt < 2)
		find_fault(w, p->no, "it has too few branches");
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
		walk_page(w, n.child, depth - 1);
	}
}

static void
walk_page(struct image_walk *w, uint64_t no, unsigned depth)
{
	const char *why;
	struct page p;

	if (!use(w, no))
		return;
	why = page_open(&p, page_at(w->image, no), w->image->page_len);
	if (why == NULL && p.no != no) {
		find_fault(w, no, "it has another page's number");
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

void
image_walk(struct image_walk *w, const struct page_tree *t)
{
	w->row_cnt = 0;
	w->fault_cnt = 0;
	w->last_len = 0;
	w->low = (struct span){ NULL, 0 };
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

static void
tell_row(const struct image *im, const struct page_node *n, bool is_doubtful,
    void (*row)(const struct image_row *, void *), void *arg)
{
	struct image_row r = {
		.at = (const uint8_t *)n->key.ptr, .key = n->key,
		.value = image_value(im, n), .is_table = n->is_table,
		.is_doubtful = is_doubtful,
	};

	row(&r, arg);
}

void
image_rows(const struct image *im, const struct page *p, bool all,
    void (*row)(const struct image_row *, void *), void *arg)
{
	struct page_node n;

	for (unsigned i = 0; i < p->cnt; i++)
		if (page_node(p, i, &n))
			tell_row(im, &n, false, row, arg);
	for (size_t at = PAGE_HEAD; all && at < p->len; at += 2)
		if (page_node_at(p, at, &n))
			tell_row(im, &n, at < p->upper, row, arg);
}
