/*
 * anchors.c - one pass that makes words of bytes and records of words, and one
 * look at each record's words.
 *
 * The library reads its anchors at the first question and then fails for good,
 * so what it would not take must be found here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask/dnsname.h"
#include "resolver/anchors.h"

#define WORDS_MAX	64	/* of one record: keys come in pieces */

struct reader {
	struct span	 left;
	unsigned	 line;
	bool		 is_deep;	/* within parentheses		*/
};

/* Writing. */

static bool
put(struct anchors *a, size_t *len, struct span s)
{
	if (s.len > sizeof(a->text) - *len)
		return false;
	memcpy(a->text + *len, s.ptr, s.len);
	*len += s.len;
	return true;
}

static enum err
add_record(struct anchors *a, const struct span *words, unsigned cnt)
{
	size_t start = a->len, len = start;

	if (a->cnt == ANCHORS_MAX)
		return ERR_FULL;
	for (unsigned i = 0; i < cnt; i++)
		if ((i > 0 && !put(a, &len, SPAN(" "))) ||
		    !put(a, &len, words[i]))
			return ERR_FULL;
	if (!put(a, &len, (struct span){ "", 1 }))
		return ERR_FULL;
	a->records[a->cnt++] = a->text + start;
	a->records[a->cnt] = NULL;
	a->len = len;
	return OK;
}

/* Judging. */

static bool
is_all(const struct span *words, unsigned cnt, const char *bytes)
{
	for (unsigned i = 0; i < cnt; i++)
		for (size_t k = 0; k < words[i].len; k++)
			if (strchr(bytes, words[i].ptr[k]) == NULL)
				return false;
	return cnt > 0;
}

static bool
are_numbers(const struct span *words, unsigned cnt, unsigned long long first)
{
	unsigned long long unused;

	for (unsigned i = 0; i < cnt; i++)
		if (!span_number(words[i], i == 0 ? first : 255, &unused))
			return false;
	return true;
}

/* Digest or key may stand in several words. */
static bool
is_rdata(struct span type, const struct span *words, unsigned cnt)
{
	const char *digits = "0123456789abcdefABCDEF";

	if (cnt < 4 || !are_numbers(words, 3, 65535))
		return false;
	if (span_eq_nocase(type, SPAN("DS")))
		return is_all(words + 3, cnt - 3, digits);
	return span_eq_nocase(type, SPAN("DNSKEY")) &&
	    is_all(words + 3, cnt - 3, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=");
}

/* owner [ttl] [class] type rdata, the two in either order */
static bool
is_anchor(const struct span *words, unsigned cnt)
{
	char name[DNSNAME_MAX + 1];
	unsigned long long ttl;
	unsigned at = 1;

	if (!span_eq(words[0], SPAN(".")) && !dnsname_fold(words[0], name))
		return false;
	while (at < cnt && at < 3 && (span_eq_nocase(words[at], SPAN("IN")) ||
	    span_number(words[at], UINT32_MAX, &ttl)))
		at++;
	return at < cnt && is_rdata(words[at], words + at + 1, cnt - at - 1);
}

/* Reading. */

static bool
ends_word(char c)
{
	return strchr(" \t\r\n;()", c) != NULL;
}

/* Past blanks, comments and parentheses; false at the end of a record. */
static bool
find_word(struct reader *r)
{
	for (; r->left.len > 0; r->left = span_tail(r->left, 1)) {
		char c = r->left.ptr[0];

		if (c == ';')
			r->left = span_tail(r->left,
			    span_find(r->left, '\n'));
		if (r->left.len == 0)
			return false;
		c = r->left.ptr[0];
		if (c == '\0' || !ends_word(c))
			return true;
		if (c == '(' || c == ')')
			r->is_deep = c == '(';
		if (c == '\n') {
			r->line++;
			if (!r->is_deep) {
				r->left = span_tail(r->left, 1);
				return false;
			}
		}
	}
	return false;
}

static struct span
take_word(struct reader *r)
{
	struct span word = r->left;

	word.len = 0;
	while (r->left.len > 0 &&
	    (r->left.ptr[0] == '\0' || !ends_word(r->left.ptr[0]))) {
		word.len++;
		r->left = span_tail(r->left, 1);
	}
	return word;
}

enum err
anchors_parse(struct anchors *a, struct span text)
{
	struct reader r = { .left = text, .line = 1 };
	struct span words[WORDS_MAX];

	while (r.left.len > 0) {
		/* A blank stands for the owner before: not with us. */
		bool has_owner = r.left.ptr[0] != ' ' && r.left.ptr[0] != '\t';
		unsigned cnt = 0;
		enum err e;

		a->line = r.line;
		while (find_word(&r)) {
			struct span word = take_word(&r);

			if (cnt == WORDS_MAX)
				return ERR_PEER;
			words[cnt++] = word;
		}
		if (cnt == 0)
			continue;
		if (!has_owner || !is_anchor(words, cnt))
			return ERR_PEER;
		if ((e = add_record(a, words, cnt)) != OK)
			return e;
	}
	return r.is_deep ? ERR_PEER : OK;
}

static enum err
read_all(int fd, char *buf, size_t cap, size_t *len)
{
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) == -1)
		return ERR_SYS;
	for (*len = 0; *len < cap; *len += (size_t)n) {
		n = read(fd, buf + *len, cap - *len);
		if (n == 0)
			return OK;
		if (n == -1 && errno == EINTR)
			n = 0;
		if (n == -1)
			return ERR_SYS;
	}
	return ERR_FULL;
}

enum err
anchors_read(struct anchors *a, int fd)
{
	char *buf = malloc(ANCHORS_FILE_MAX + 1);
	enum err e = ERR_SYS;
	size_t len = 0;

	if (buf == NULL)
		return ERR_SYS;
	a->line = 0;
	e = read_all(fd, buf, ANCHORS_FILE_MAX + 1, &len);
	if (e == OK)
		e = anchors_parse(a, (struct span){ buf, len });
	free(buf);
	return e;
}
