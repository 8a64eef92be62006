/* hosts.c - rows sorted by name, those of one name in the file's order. */
#include <fcntl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask/dnsname.h"
#include "resolver/hosts.h"

struct host_row {
	char		*name;		/* folded	*/
	unsigned	 no;		/* in the file	*/
	struct resolve_address address;
};

struct hosts {
	struct host_row	*rows;
	unsigned	 cnt, cap;
};

static enum err
add_row(struct hosts *h, const char *name, const struct resolve_address *a)
{
	struct host_row *row;

	if (h->cnt == h->cap) {
		unsigned cap = h->cap == 0 ? 32 : h->cap * 2;
		struct host_row *rows = reallocarray(h->rows, cap,
		    sizeof(*rows));

		if (rows == NULL)
			return ERR_SYS;
		h->rows = rows;
		h->cap = cap;
	}
	row = &h->rows[h->cnt];
	if ((row->name = strdup(name)) == NULL)
		return ERR_SYS;
	row->no = h->cnt++;
	row->address = *a;
	return OK;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of the line, which loses it; empty at the end. */
static struct span
take_word(struct span *line)
{
	struct span word = { NULL, 0 };
	size_t n = 0;

	while (line->len > 0 && is_blank(line->ptr[0]))
		*line = span_tail(*line, 1);
	while (n < line->len && !is_blank(line->ptr[n]))
		n++;
	word = span_head(*line, n);
	*line = span_tail(*line, n);
	return word;
}

/* "address name alias..." with a comment maybe. */
static enum err
parse_line(struct hosts *h, struct span line)
{
	struct resolve_address a;
	char name[DNSNAME_MAX + 1];
	struct span word;
	enum err e = OK;

	line = span_head(line, span_find(line, '#'));
	word = take_word(&line);
	if (word.len == 0 || word.ptr[0] == '[' || !resolve_literal(word, &a))
		return OK;
	while (e == OK && (word = take_word(&line)).len > 0)
		if (dnsname_fold(word, name))
			e = add_row(h, name, &a);
	return e;
}

static int
compare(const void *left, const void *right)
{
	const struct host_row *a = left, *b = right;
	int c = strcmp(a->name, b->name);

	if (c != 0)
		return c;
	return a->no < b->no ? -1 : a->no > b->no;
}

enum err
hosts_parse(struct hosts **out, struct span text)
{
	struct hosts *h = calloc(1, sizeof(*h));
	enum err e = OK;

	if (h == NULL)
		return ERR_SYS;
	while (e == OK && text.len > 0) {
		size_t n = span_find(text, '\n');

		e = parse_line(h, span_head(text, n));
		text = span_tail(text, n + 1);
	}
	if (e != OK) {
		hosts_close(&h);
		return e;
	}
	if (h->cnt > 0)
		qsort(h->rows, h->cnt, sizeof(*h->rows), compare);
	*out = h;
	return OK;
}

static enum err
read_all(int fd, char *buf, size_t *len)
{
	*len = 0;
	while (*len < HOSTS_FILE_MAX) {
		ssize_t n = read(fd, buf + *len, HOSTS_FILE_MAX - *len);

		if (n == 0)
			return OK;
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return ERR_SYS;
		*len += (size_t)n;
	}
	return ERR_FULL;
}

enum err
hosts_open(struct hosts **out, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *buf;
	size_t len;
	enum err e;

	if (fd == -1)
		return errno == ENOENT ? ERR_NONE : ERR_SYS;
	if ((buf = malloc(HOSTS_FILE_MAX)) == NULL) {
		close(fd);
		return ERR_SYS;
	}
	if ((e = read_all(fd, buf, &len)) == OK)
		e = hosts_parse(out, (struct span){ buf, len });
	free(buf);
	close(fd);
	return e;
}

void
hosts_close(struct hosts **hp)
{
	struct hosts *h = *hp;

	*hp = NULL;
	if (h == NULL)
		return;
	for (unsigned i = 0; i < h->cnt; i++)
		free(h->rows[i].name);
	free(h->rows);
	free(h);
}

/* The first row whose name is not before it. */
static unsigned
lower_bound(const struct hosts *h, const char *name)
{
	unsigned low = 0, high = h->cnt;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (strcmp(h->rows[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool
hosts_find(const struct hosts *h, const char *name, uint8_t family,
    struct resolve_address *out, unsigned max, unsigned *cnt)
{
	unsigned at, first;

	*cnt = 0;
	if (h == NULL)
		return false;
	first = lower_bound(h, name);
	for (at = first; at < h->cnt && strcmp(h->rows[at].name, name) == 0;
	    at++)
		if (h->rows[at].address.family == family && *cnt < max)
			out[(*cnt)++] = h->rows[at].address;
	return at > first;
}
