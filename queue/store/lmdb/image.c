/* image.c - the file as pages, and the rows of one page. */
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

#include "queue/store/lmdb/image.h"

uint64_t
image_next(const struct image *im, uint64_t no)
{
	size_t low = 0, high = im->run_cnt;

	if (im->runs == NULL)
		return no;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (im->runs[mid].end <= no)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == im->run_cnt)
		return no < im->page_cnt ? im->page_cnt : no;
	return no < im->runs[low].first ? im->runs[low].first : no;
}

const uint8_t *
image_at(const struct image *im, uint64_t no)
{
	return no < im->page_cnt && image_next(im, no) == no ?
	    im->bytes + no * im->page_len : NULL;
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
	size_t len;

	if (fstat(fd, &sb) == -1)
		return ERR_SYS;
	if (!S_ISREG(sb.st_mode) || sb.st_size < PAGE_LEN_MIN)
		return ERR_FULL;
	len = (uint64_t)sb.st_size > IMAGE_MAX ? IMAGE_MAX :
	    (size_t)sb.st_size;
	bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd,
	    0);
	if (bytes == MAP_FAILED)
		return ERR_SYS;
	if (!image_take(im, bytes, len)) {
		munmap(bytes, len);
		return ERR_FULL;
	}
	im->fd = fd;
	im->is_too_long = (uint64_t)sb.st_size > IMAGE_MAX;
	return OK;
}

/* Bytes of the file as pages; the first may be the last of the run before. */
static enum err
add_run(struct image *im, size_t *cap, off_t from, off_t end)
{
	struct image_run *v, run = {
		(uint64_t)from / im->page_len,
		((uint64_t)end + im->page_len - 1) / im->page_len,
	};

	if (run.end > im->page_cnt)
		run.end = im->page_cnt;
	if (im->run_cnt > 0 && run.first <= im->runs[im->run_cnt - 1].end) {
		im->runs[im->run_cnt - 1].end = run.end;
		return OK;
	}
	if (im->run_cnt == *cap) {
		*cap += *cap + 64;
		v = reallocarray(im->runs, *cap, sizeof(*v));
		if (v == NULL)
			return ERR_SYS;
		im->runs = v;
	}
	im->runs[im->run_cnt++] = run;
	return OK;
}

static void
forget_runs(struct image *im)
{
	free(im->runs);
	im->runs = NULL;
	im->run_cnt = 0;
}

enum err
image_find_runs(struct image *im)
{
	off_t from, end = 0;
	size_t cap = 0;

	if (im->fd == -1)
		return OK;
	while ((uint64_t)end < im->len) {
		if ((from = lseek(im->fd, end, SEEK_DATA)) == -1)
			break;
		if ((uint64_t)from >= im->len)
			return OK;
		if ((end = lseek(im->fd, from, SEEK_HOLE)) == -1)
			break;
		if (add_run(im, &cap, from, end) != OK)
			return ERR_SYS;
	}
	/* ENXIO: no data from there on.  Else it does not know of holes. */
	if ((uint64_t)end < im->len && errno != ENXIO)
		forget_runs(im);
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
	forget_runs(im);
	close(im->fd);
	im->fd = -1;
}

const char *
image_page(const struct image *im, uint64_t no, struct page *p)
{
	const uint8_t *bytes = image_at(im, no);
	const char *why;

	if (bytes == NULL)
		return no < im->page_cnt ? "nothing was ever written to it" :
		    "it lies beyond the end of the file";
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
