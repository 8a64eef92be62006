/* text.c - line by line; what is in the header is decided once, at its end. */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "ctl/sendmail/fields.h"
#include "ctl/sendmail/text.h"

#define PIECE_LINE_MAX	998	/* bytes of a line we cut: RFC 5322 2.1.1 */

struct reading {
	struct text	*text;
	FILE		*header;	/* a memory stream		*/
	char		*header_bytes;
	size_t		 header_len;
	uint64_t	 header_cnt;	/* lines in it			*/
	bool		 in_body;
	bool		 begun;		/* a line has been seen		*/
	bool		 ended;		/* by a dot			*/
	enum text_end	 end;
};

/* A file that goes with us. */
static FILE *
open_unnamed(void)
{
	int fd = open(P_tmpdir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *f;

	if (fd == -1)
		fd = memfd_create("message", MFD_CLOEXEC);
	if (fd == -1)
		return NULL;
	if ((f = fdopen(fd, "w+")) == NULL)
		close(fd);
	return f;
}

static void
put_line(FILE *out, struct span line)
{
	fwrite(line.ptr, 1, line.len, out);
	fputs("\r\n", out);
}

/* Where to cut a line in two, between characters. */
static size_t
find_cut(struct span line, size_t max)
{
	for (size_t at = max; at > max - 4; at--)
		if ((line.ptr[at] & 0xc0) != 0x80)
			return at;
	return max;
}

/* No edge takes a line longer than TEXT_LINE_MAX: better cut than lost. */
static void
put_body(struct reading *r, struct span line)
{
	bool is_long = line.len > TEXT_LINE_MAX;

	while (is_long && line.len > PIECE_LINE_MAX) {
		size_t at = find_cut(line, PIECE_LINE_MAX);

		put_line(r->text->body, span_head(line, at));
		r->text->body_len += at + 2;
		line = span_tail(line, at);
	}
	put_line(r->text->body, line);
	r->text->body_len += line.len + 2;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The same in the header: folded at a blank, or where there must be one. */
static void
put_header(struct reading *r, struct span line)
{
	bool is_long = line.len > TEXT_LINE_MAX;

	while (is_long && line.len > PIECE_LINE_MAX) {
		size_t at = PIECE_LINE_MAX - 1;

		while (at > PIECE_LINE_MAX / 2 && !is_blank(line.ptr[at]))
			at--;
		if (!is_blank(line.ptr[at]))
			at = find_cut(line, PIECE_LINE_MAX - 1);
		put_line(r->header, span_head(line, at));
		line = span_tail(line, at);
		if (!is_blank(line.ptr[0]))
			fputc(' ', r->header);
	}
	put_line(r->header, line);
}

/* One line without its end. */
static enum err
take_line(struct reading *r, struct span line)
{
	bool is_first = !r->begun;

	r->begun = true;
	if (r->end != TEXT_EOF && span_eq(line, SPAN("."))) {
		r->ended = true;
		return OK;
	}
	if (r->end == TEXT_DOTTED && span_begins(line, SPAN(".")))
		line = span_tail(line, 1);
	for (size_t i = 0; i < line.len; i++)
		r->text->is_8bit |= (line.ptr[i] & 0x80) != 0;
	if (is_first && (span_begins(line, SPAN("From ")) ||
	    span_begins(line, SPAN(">From "))))
		return OK;
	if (!r->in_body && (fields_is_field(line) || (r->header_cnt > 0 &&
	    line.len > 0 && is_blank(line.ptr[0])))) {
		put_header(r, line);
		r->header_cnt++;
		return fflush(r->header) == EOF ? ERR_SYS :
		    r->header_len > TEXT_HEADER_MAX ? ERR_FULL : OK;
	}
	if (r->in_body || line.len > 0)
		put_body(r, line);
	r->in_body = true;
	return ferror(r->text->body) ? ERR_SYS : OK;
}

/* NULs out. */
static size_t
squeeze(char *bytes, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != '\0')
			bytes[kept++] = bytes[i];
	return kept;
}

/* What getline() gave: a line, or several with CRs between them. */
static enum err
take_raw(struct reading *r, char *bytes, size_t len)
{
	struct span rest = { bytes, squeeze(bytes, len) };
	enum err e = OK;

	if (rest.len > 0 && rest.ptr[rest.len - 1] == '\n')
		rest.len--;
	while (rest.len > 0 && rest.ptr[rest.len - 1] == '\r')
		rest.len--;
	do {
		struct span line = span_head(rest, span_find(rest, '\r'));
		bool is_last = line.len == rest.len;

		e = take_line(r, line);
		rest = span_tail(rest, line.len + 1);
		if (is_last)
			break;
	} while (e == OK && !r->ended);
	return e;
}

static enum err
read_all(struct reading *r, FILE *in)
{
	char *bytes = NULL;
	size_t cap = 0;
	ssize_t len;
	enum err e = OK;

	while (e == OK && !r->ended &&
	    (len = getline(&bytes, &cap, in)) != -1)
		e = take_raw(r, bytes, (size_t)len);
	if (e == OK && ferror(in))
		e = ERR_SYS;
	if (e == OK && r->end == TEXT_DOTTED && !r->ended)
		e = ERR_CLOSED;
	free(bytes);
	return e;
}

enum err
text_read(struct text *out, FILE *in, enum text_end end, bool *has_ended)
{
	struct text t = { .body = open_unnamed() };
	struct reading r = { .text = &t, .end = end };
	enum err e;

	*has_ended = false;
	if (t.body == NULL)
		return ERR_SYS;
	r.header = open_memstream(&r.header_bytes, &r.header_len);
	if (r.header == NULL) {
		fclose(t.body);
		return ERR_SYS;
	}
	e = read_all(&r, in);
	*has_ended = r.ended;
	if (fclose(r.header) == EOF && e == OK)
		e = ERR_SYS;
	t.header = (struct span){ r.header_bytes, r.header_len };
	if (e == OK && (fflush(t.body) == EOF ||
	    fseek(t.body, 0, SEEK_SET) == -1))
		e = ERR_SYS;
	if (e == OK)
		*out = t;
	else
		text_free(&t);
	return e;
}

void
text_free(struct text *t)
{
	if (t->body != NULL)
		(void)fclose(t->body);
	free((void *)(uintptr_t)t->header.ptr);
	memset(t, 0, sizeof(*t));
}
