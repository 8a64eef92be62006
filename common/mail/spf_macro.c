/*
 * spf_macro.c - macros, RFC 7208 7.  One reader checks and puts in.
 */
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "mail/spf_macro.h"

#define LETTERS		"slodiphv"
#define LETTERS_TEXT	LETTERS "crt"
#define DELIMITERS	".-+,/_="
#define VALUE_MAX	1024		/* bytes of one, with NUL	*/

struct macro {
	char		 letter;	/* lower case			*/
	bool		 is_escaped;	/* it was in upper case		*/
	unsigned	 parts;		/* to keep from the right; 0: all */
	bool		 is_reversed;
	char		 delimiters[sizeof(DELIMITERS)];
};

struct out {
	char		*buf;
	size_t		 len, cap;	/* without the NUL		*/
	bool		 is_full;
};

static void
put_char(struct out *o, char c)
{
	if (o->len == o->cap)
		o->is_full = true;
	else
		o->buf[o->len++] = c;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* "{d2r.-}", off the front of s; false when it is none. */
static bool
read_macro(struct span *s, bool is_text, struct macro *m)
{
	const char *letters = is_text ? LETTERS_TEXT : LETTERS;
	bool has_parts = false;
	size_t at = 2, cnt = 0;

	*m = (struct macro){ 0 };
	if (s->len < 3 || s->ptr[1] == '\0')
		return false;
	m->letter = lower(s->ptr[1]);
	m->is_escaped = m->letter != s->ptr[1];
	if (strchr(letters, m->letter) == NULL)
		return false;
	for (; at < s->len && ascii_is_digit(s->ptr[at]); at++) {
		has_parts = true;
		if (m->parts < 1000)
			m->parts = m->parts * 10 +
			    (unsigned)(s->ptr[at] - '0');
	}
	if (has_parts && m->parts == 0)
		return false;
	if (at < s->len && lower(s->ptr[at]) == 'r') {
		m->is_reversed = true;
		at++;
	}
	for (; at < s->len && s->ptr[at] != '\0' &&
	    strchr(DELIMITERS, s->ptr[at]) != NULL; at++)
		if (strchr(m->delimiters, s->ptr[at]) == NULL)
			m->delimiters[cnt++] = s->ptr[at];
	if (cnt == 0)
		m->delimiters[0] = '.';
	if (at == s->len || s->ptr[at] != '}')
		return false;
	*s = span_tail(*s, at + 1);
	return true;
}

static struct span
value_of(const struct macro *m, const struct spf_macros *all, char *buf,
    size_t cap)
{
	switch (m->letter) {
	case 's':
		return all->sender;
	case 'l':
		return all->local;
	case 'o':
		return all->origin;
	case 'd':
		return all->domain;
	case 'i':
		return all->ip;
	case 'p':
		return all->name;
	case 'h':
		return all->helo;
	case 'c':
		return all->client;
	case 'r':
		return all->receiver;
	case 'v':
		return all->is_ipv6 ? SPAN("ip6") : SPAN("in-addr");
	default:
		snprintf(buf, cap, "%lld", (long long)all->now_s);
		return span_of(buf);
	}
}

/* RFC 7208 7.3: unreserved of RFC 3986 stays. */
static void
put_escaped(struct out *o, char c)
{
	char hex[4];

	if (ascii_is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
	    (c != '\0' && strchr("-._~", c) != NULL)) {
		put_char(o, c);
		return;
	}
	snprintf(hex, sizeof(hex), "%%%02X", (unsigned char)c);
	for (int i = 0; i < 3; i++)
		put_char(o, hex[i]);
}

static bool
is_delimiter(const struct macro *m, char c)
{
	return c != '\0' && strchr(m->delimiters, c) != NULL;
}

/* The no-th part of the value. */
static struct span
part_of(const struct macro *m, struct span value, unsigned no)
{
	size_t from = 0, at = 0;

	for (; at <= value.len; at++) {
		if (at < value.len && !is_delimiter(m, value.ptr[at]))
			continue;
		if (no-- == 0)
			break;
		from = at + 1;
	}
	return span_head(span_tail(value, from), at - from);
}

static void
put_value(struct out *o, const struct macro *m, struct span value)
{
	unsigned cnt = 1, first, no;
	struct span part;

	for (size_t i = 0; i < value.len; i++)
		cnt += is_delimiter(m, value.ptr[i]);
	first = m->parts > 0 && m->parts < cnt ? cnt - m->parts : 0;
	for (unsigned i = first; i < cnt; i++) {
		no = m->is_reversed ? cnt - 1 - i : i;
		part = part_of(m, value, no);
		if (i > first)
			put_char(o, '.');
		for (size_t k = 0; k < part.len; k++)
			if (m->is_escaped)
				put_escaped(o, part.ptr[k]);
			else
				put_char(o, part.ptr[k]);
	}
}

/* What stands behind a %, off the front of s. */
static bool
put_percent(struct out *o, struct span *s, bool is_text,
    const struct spf_macros *all)
{
	static const struct { char c; const char *text; } others[] = {
		{ '%', "%" }, { '_', " " }, { '-', "%20" },
	};
	char buf[VALUE_MAX];
	struct macro m;

	if (s->len == 0)
		return false;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (s->ptr[0] == others[i].c) {
			for (const char *p = others[i].text; *p != '\0'; p++)
				put_char(o, *p);
			*s = span_tail(*s, 1);
			return true;
		}
	if (s->ptr[0] != '{' || !read_macro(s, is_text, &m))
		return false;
	if (all != NULL)
		put_value(o, &m, value_of(&m, all, buf, sizeof(buf)));
	return true;
}

enum err
spf_macro_put(struct span text, bool is_text, const struct spf_macros *all,
    char *out, size_t cap)
{
	struct out o = { out, 0, cap, false };
	char c;

	while (text.len > 0) {
		c = text.ptr[0];
		text = span_tail(text, 1);
		if (c == '%') {
			if (!put_percent(&o, &text, is_text, all))
				return ERR_PEER;
		} else if (c > ' ' && c <= '~')
			put_char(&o, c);
		else if (c == ' ' && is_text)
			put_char(&o, c);
		else
			return ERR_PEER;
	}
	if (out != NULL)
		out[o.len] = '\0';
	return o.is_full ? ERR_FULL : OK;
}

bool
spf_macro_check(struct span text, bool is_text)
{
	char none[1];
	enum err e = spf_macro_put(text, is_text, NULL, none, 0);

	return e == OK || e == ERR_FULL;
}

bool
spf_macro_needs_name(struct span text)
{
	for (; text.len >= 3; text = span_tail(text, 1)) {
		if (text.ptr[0] != '%')
			continue;
		if (text.ptr[1] == '{' && lower(text.ptr[2]) == 'p')
			return true;
		text = span_tail(text, 1);	/* "%%" */
	}
	return false;
}
