/* dropped.c - line by line, in the one order there is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mail/dropped.h"
#include "mail/dsn.h"

#define MAGIC		"postern-drop "
#define VERSION		"1"

struct reading {
	struct span	 rest;
	struct span	 line;		/* the next one, without its LF	*/
	enum err	 err;		/* why there is none		*/
};

static bool
is_plain(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return false;
	return true;
}

/* Have the next line in `line', or why there is none in `err'. */
static void
next_line(struct reading *r)
{
	size_t len = span_find(r->rest, '\n');

	r->line = span_head(r->rest, len);
	if (r->err != OK)
		return;
	if (len > DROPPED_LINE_MAX || !is_plain(r->line))
		r->err = ERR_PEER;
	else if (len == r->rest.len)
		r->err = ERR_AGAIN;
	r->rest = span_tail(r->rest, len + 1);
}

/* Is the next line this word, and what stands behind it?  It is taken. */
static bool
take(struct reading *r, struct span word, struct span *value)
{
	struct span v;

	if (r->err != OK || !span_begins(r->line, word))
		return false;
	v = span_tail(r->line, word.len);
	if (v.len > 0 && v.ptr[0] != ' ')
		return false;
	*value = span_tail(v, 1);
	next_line(r);
	return true;
}

static bool
take_wishes(struct reading *r, struct dropped *d)
{
	struct span v;

	if (take(r, SPAN("ret"), &v) && !dsn_read_ret(v, &d->ret))
		return false;
	if (take(r, SPAN("envid"), &v)) {
		if (v.len == 0 || !dsn_is_envid(v))
			return false;
		d->envid = v;
	}
	if (take(r, SPAN("notify"), &v) && !dsn_read_notify(v, &d->notify))
		return false;
	if (!take(r, SPAN("has"), &v))
		return true;
	d->is_8bit = !span_eq(v, SPAN("utf8"));
	d->is_utf8 = !span_eq(v, SPAN("8bit"));
	return !d->is_8bit || !d->is_utf8 || span_eq(v, SPAN("8bit utf8"));
}

static bool
take_rcpts(struct reading *r, struct dropped *d)
{
	const char *from = r->line.ptr;
	struct span v;

	while (take(r, SPAN("rcpt"), &v)) {
		if (v.len == 0 || ++d->rcpt_cnt > DROPPED_RCPTS_MAX)
			return false;
		d->rcpts = (struct span){ from, (size_t)(v.ptr + v.len -
		    from) + 1 };
	}
	return d->rcpt_cnt > 0;
}

/* A file that ends in the middle may become whole; one that is wrong not. */
static enum err
read_lines(struct reading *r, struct dropped *d)
{
	unsigned long long len;
	struct span v;

	if (!take(r, SPAN("from"), &d->sender) || !take_wishes(r, d) ||
	    !take_rcpts(r, d))
		return r->err != OK ? r->err : ERR_PEER;
	if (r->err != OK)
		return r->err;
	if (!span_begins(r->line, SPAN("text ")))
		return ERR_PEER;
	v = span_tail(r->line, sizeof("text ") - 1);
	if (!span_number(v, UINT64_MAX >> 1, &len))
		return ERR_PEER;
	d->text_len = len;
	return OK;
}

enum err
dropped_read(struct span front, struct dropped *out)
{
	struct reading r = { .rest = front };
	struct dropped d = { .ret = 0 };
	unsigned long long number;
	struct span version;
	enum err e;

	next_line(&r);
	if (r.err != OK)
		return span_begins(SPAN(MAGIC VERSION), r.line) ? r.err :
		    ERR_PEER;
	if (!span_begins(r.line, SPAN(MAGIC)))
		return ERR_PEER;
	version = span_tail(r.line, sizeof(MAGIC) - 1);
	if (!span_eq(version, SPAN(VERSION)))
		return span_number(version, UINT32_MAX, &number) ? ERR_FULL :
		    ERR_PEER;
	next_line(&r);
	e = read_lines(&r, &d);
	if (e != OK)
		return e;
	d.head_len = (size_t)(r.line.ptr + r.line.len + 1 - front.ptr);
	*out = d;
	return OK;
}

bool
dropped_rcpt(struct span *rcpts, struct span *out)
{
	size_t len = span_find(*rcpts, '\n');

	if (rcpts->len == 0)
		return false;
	*out = span_tail(span_head(*rcpts, len), sizeof("rcpt ") - 1);
	*rcpts = span_tail(*rcpts, len + 1);
	return true;
}

/* A buffer that fills up; len is SIZE_MAX once it has not held something. */
struct filling {
	char		*buf;
	size_t		 cap, len;
};

static void
put(struct filling *f, const char *word, struct span value)
{
	size_t word_len = strlen(word);
	size_t need = word_len + (value.len > 0 ? value.len + 1 : 0) + 1;

	if (f->len == SIZE_MAX)
		return;
	if (!is_plain(value) || need - 1 > DROPPED_LINE_MAX ||
	    need > f->cap - f->len) {
		f->len = SIZE_MAX;
		return;
	}
	memcpy(f->buf + f->len, word, word_len);
	f->len += word_len;
	if (value.len > 0) {
		f->buf[f->len++] = ' ';
		memcpy(f->buf + f->len, value.ptr, value.len);
		f->len += value.len;
	}
	f->buf[f->len++] = '\n';
}

size_t
dropped_write(const struct dropped *d, char *const *rcpts, char *buf,
    size_t cap)
{
	struct filling f = { buf, cap, 0 };
	char notify[DSN_NOTIFY_TEXT], number[24];

	put(&f, MAGIC VERSION, SPAN(""));
	put(&f, "from", d->sender);
	if (d->ret != DSN_RET_NONE)
		put(&f, "ret", d->ret == DSN_RET_FULL ? SPAN("full") :
		    SPAN("hdrs"));
	if (d->envid.len > 0)
		put(&f, "envid", d->envid);
	if (d->notify != 0)
		put(&f, "notify", dsn_notify_text(d->notify, notify));
	if (d->is_8bit || d->is_utf8)
		put(&f, "has", !d->is_utf8 ? SPAN("8bit") :
		    d->is_8bit ? SPAN("8bit utf8") : SPAN("utf8"));
	for (unsigned i = 0; i < d->rcpt_cnt; i++)
		put(&f, "rcpt", span_of(rcpts[i]));
	snprintf(number, sizeof(number), "%" PRIu64, d->text_len);
	put(&f, "text", span_of(number));
	return f.len == SIZE_MAX || d->rcpt_cnt == 0 ||
	    d->rcpt_cnt > DROPPED_RCPTS_MAX ? 0 : f.len;
}
