/*
 * mime_param.c - a value is cut between two of its octets, never within one
 * that is written "%XX"; a reader joins the sections before it looks at
 * characters (RFC 2231 4.1).
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "mail/blank.h"
#include "mail/mime_param.h"

#define NAME_MAX_LEN	60	/* octets; who has longer ones is broken */
#define SECTION_MAX	50	/* octets of a value in a line		*/
#define HARD_AT		(TEXT_LINE_SURE - 8)
#define VALUE_SURE	800	/* octets of ASCII that stay in a line	*/

struct param {
	struct span	 whole;		/* from its ";" on		*/
	struct span	 name;
	struct span	 value;		/* without quotes, but "\x" in it */
	bool		 is_quoted;
};

bool
mime_param_is_of(struct span name)
{
	return span_eq_nocase(name, SPAN("Content-Type")) ||
	    span_eq_nocase(name, SPAN("Content-Transfer-Encoding")) ||
	    span_eq_nocase(name, SPAN("Content-Disposition"));
}

/* A ";" in quotes is none. */
static size_t
find_next(struct span s)
{
	bool in_quotes = false;
	size_t i;

	for (i = 0; i < s.len && (in_quotes || s.ptr[i] != ';'); i++) {
		if (s.ptr[i] == '"')
			in_quotes = !in_quotes;
		else if (s.ptr[i] == '\\' && in_quotes)
			i++;
	}
	return i < s.len ? i : s.len;
}

size_t
mime_param_begin(struct span value)
{
	return find_next(value);
}

static struct param
take(struct span *s)
{
	struct param p = { .is_quoted = false };
	struct span inner = span_tail(*s, 1);
	size_t equals;

	p.whole = span_head(*s, 1 + find_next(inner));
	*s = span_tail(*s, p.whole.len);
	inner = span_tail(p.whole, 1);
	equals = span_find(inner, '=');
	p.name = blank_trim(span_head(inner, equals));
	p.value = blank_trim(span_tail(inner, equals + 1));
	if (p.value.len > 1 && p.value.ptr[0] == '"' &&
	    p.value.ptr[p.value.len - 1] == '"') {
		p.is_quoted = true;
		p.value = span_head(span_tail(p.value, 1), p.value.len - 2);
	}
	return p;
}

static bool
has_extended(struct span all, struct span name)
{
	while (all.len > 0) {
		struct param p = take(&all);

		if (p.name.len > name.len && p.name.ptr[name.len] == '*' &&
		    span_begins_nocase(p.name, name))
			return true;
	}
	return false;
}

static bool
is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') ||
	    (c != '\0' && strchr("-._+", c) != NULL);
}

/* As it stands, but in ASCII, and in lines that end. */
static size_t
put(struct mime_out *o, struct span s, size_t column)
{
	for (size_t i = 0; i < s.len; i++) {
		if (column >= HARD_AT && s.ptr[i] != '\r' &&
		    s.ptr[i] != '\n') {
			mime_out_put(o, SPAN("\r\n "));
			column = 1;
		}
		mime_out_char(o, (unsigned char)s.ptr[i] > 0x7f ? '_' :
		    s.ptr[i]);
		column = s.ptr[i] == '\n' ? 0 : column + 1;
	}
	return column;
}

/* One octet of a value by RFC 2231; how many octets that is. */
static size_t
put_octet(struct mime_out *o, char c)
{
	char code[4];

	if (is_plain(c)) {
		mime_out_char(o, c);
		return 1;
	}
	snprintf(code, sizeof(code), "%%%02X", (unsigned char)c);
	mime_out_put(o, (struct span){ code, 3 });
	return 3;
}

static void
begin_section(struct mime_out *o, const struct param *p, int no)
{
	char text[NAME_MAX_LEN + 32];
	int n;

	n = no < 0 ? snprintf(text, sizeof(text), "\r\n %.*s*=",
	    (int)p->name.len, p->name.ptr) :
	    snprintf(text, sizeof(text), "%s\r\n %.*s*%d*=", no > 0 ? ";" : "",
	    (int)p->name.len, p->name.ptr, no);
	mime_out_put(o, (struct span){ text, (size_t)n });
}

static size_t
extended_len(struct span value)
{
	size_t len = 0;

	for (size_t i = 0; i < value.len; i++)
		len += is_plain(value.ptr[i]) ? 1 : 3;
	return len;
}

static void
put_extended(struct mime_out *o, const struct param *p)
{
	int no = extended_len(p->value) > SECTION_MAX ? 0 : -1;
	size_t len = 0;

	mime_out_char(o, ';');
	begin_section(o, p, no);
	mime_out_put(o, utf8_is_ascii(p->value) ? SPAN("us-ascii''") :
	    utf8_is_good(p->value) ? SPAN("utf-8''") : SPAN("unknown-8bit''"));
	for (size_t i = 0; i < p->value.len; i++) {
		if (p->is_quoted && p->value.ptr[i] == '\\' &&
		    i + 1 < p->value.len)
			i++;
		if (p->value.ptr[i] == '\r' || p->value.ptr[i] == '\n')
			continue;
		if (len + 3 > SECTION_MAX && no >= 0) {
			begin_section(o, p, ++no);
			len = 0;
		}
		len += put_octet(o, p->value.ptr[i]);
	}
}

static bool
is_extended(struct span name)
{
	return span_find(name, '*') < name.len;
}

/* One that is by RFC 2231 already, and should not hold what it holds. */
static size_t
put_mended(struct mime_out *o, const struct param *p, size_t column)
{
	bool is_coded = p->name.ptr[p->name.len - 1] == '*';

	column = put(o, SPAN("; "), column);
	column = put(o, p->name, column);
	column = put(o, is_coded ? SPAN("=") : SPAN("*="), column);
	for (size_t i = 0; i < p->value.len; i++) {
		struct span octet = { p->value.ptr + i, 1 };

		if (!utf8_is_ascii(octet) ||
		    (!is_coded && !is_plain(*octet.ptr)))
			column += put_octet(o, *octet.ptr);
		else
			column = put(o, octet, column);
		if (column > HARD_AT - 3)
			column = put(o, SPAN("\r\n "), column);
	}
	return column;
}

static bool
fits(struct span s, size_t column)
{
	while (s.len > 0) {
		size_t len = span_find(s, '\n');

		if (column + len > HARD_AT)
			return false;
		s = span_tail(s, len + 1);
		column = 0;
	}
	return true;
}

/* As it stands, but never broken where a new line will do. */
static size_t
put_whole(struct mime_out *o, struct span whole, size_t column)
{
	if (fits(whole, column))
		return put(o, whole, column);
	mime_out_put(o, SPAN(";\r\n "));
	return put(o, blank_trim(span_tail(whole, 1)), 1);
}

void
mime_param_put(struct mime_out *o, struct span all, size_t column)
{
	struct span rest = all;

	while (rest.len > 0) {
		struct param p = take(&rest);
		bool is_odd = p.name.len == 0 || p.name.len > NAME_MAX_LEN ||
		    !utf8_is_ascii(p.name) || p.value.len == 0 ||
		    span_find(p.name, '\n') < p.name.len ||
		    span_eq_nocase(p.name, SPAN("boundary"));

		if (is_odd || (utf8_is_ascii(p.whole) &&
		    p.value.len <= VALUE_SURE)) {
			column = put_whole(o, p.whole, column);
		} else if (is_extended(p.name)) {
			column = put_mended(o, &p, column);
		} else if (has_extended(all, p.name)) {
			column = put_whole(o, p.whole, column);
		} else {
			put_extended(o, &p);
			column = NAME_MAX_LEN + SECTION_MAX;
		}
	}
}
