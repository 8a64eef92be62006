/*
 * match.c - backtracking, counted.
 *
 * go_on() tries the rest of the pattern at one place of the text.  What can be
 * decided without trying is a loop; where there is a choice it calls itself, as
 * deep as MATCH_DEPTH.  NOWHERE is both "no" and "given up": then m->failed
 * says which, and everybody returns at once.
 */
#include <string.h>

#include "lua/match.h"

#define NOWHERE		SIZE_MAX
#define SPECIALS	"^$*+?.([%-"

static size_t	go_on(struct match *, size_t at, size_t p);

static size_t
fail(struct match *m, enum match_result why, const char *wrong)
{
	if (m->failed == MATCH_NO) {
		m->failed = why;
		m->wrong = wrong;
	}
	return NOWHERE;
}

static bool
pay(struct match *m, uint64_t steps)
{
	if (*m->steps <= steps) {
		*m->steps = 0;
		(void)fail(m, MATCH_SPENT, "");
		return false;
	}
	*m->steps -= steps;
	return true;
}

static unsigned char
text_byte(const struct match *m, size_t at)
{
	return (unsigned char)m->text.ptr[at];
}

/* A byte of the pattern; NUL behind its end, which nothing takes for itself. */
static char
pattern_byte(const struct match *m, size_t p)
{
	return p < m->pattern.len ? m->pattern.ptr[p] : '\0';
}

static bool
is_between(unsigned char c, unsigned char first, unsigned char last)
{
	return c >= first && c <= last;
}

static bool
is_alpha(unsigned char c)
{
	return is_between(c | 0x20, 'a', 'z');
}

static bool
is_graph(unsigned char c)
{
	return is_between(c, 0x21, 0x7e);
}

static bool
is_hex(unsigned char c)
{
	return is_between(c, '0', '9') || is_between(c | 0x20, 'a', 'f');
}

/* Is it of the class %a, %d and so on?  A capital is all that are not. */
static bool
is_of_class(unsigned char c, char class)
{
	bool is_digit = is_between(c, '0', '9'), is;

	switch (class | 0x20) {
	case 'a': is = is_alpha(c); break;
	case 'c': is = c < 0x20 || c == 0x7f; break;
	case 'd': is = is_digit; break;
	case 'g': is = is_graph(c); break;
	case 'l': is = is_between(c, 'a', 'z'); break;
	case 'p': is = is_graph(c) && !is_alpha(c) && !is_digit; break;
	case 's': is = c == ' ' || is_between(c, '\t', '\r'); break;
	case 'u': is = is_between(c, 'A', 'Z'); break;
	case 'w': is = is_alpha(c) || is_digit; break;
	case 'x': is = is_hex(c); break;
	default: return (unsigned char)class == c;
	}
	return is_between((unsigned char)class, 'A', 'Z') ? !is : is;
}

/* Behind the item for one byte that begins at p: a byte, %x, or a set. */
static size_t
item_end(struct match *m, size_t p)
{
	char c = pattern_byte(m, p++);

	if (c == '%') {
		if (p >= m->pattern.len)
			return fail(m, MATCH_WRONG, "ends with `%'");
		return p + 1;
	}
	if (c != '[')
		return p;
	if (pattern_byte(m, p) == '^')
		p++;
	do {
		if (p >= m->pattern.len)
			return fail(m, MATCH_WRONG, "lacks a `]'");
		c = m->pattern.ptr[p++];
		if (c == '%')
			p++;
	} while (p >= m->pattern.len || m->pattern.ptr[p] != ']');
	return p + 1;
}

/* Of the set from its [ up to its ], both places given. */
static bool
is_in_set(const struct match *m, unsigned char c, size_t p, size_t last)
{
	bool is_other = m->pattern.ptr[p + 1] == '^';

	for (p += is_other ? 2 : 1; p < last; p++) {
		unsigned char first = (unsigned char)m->pattern.ptr[p];

		if (first == '%') {
			if (is_of_class(c, m->pattern.ptr[++p]))
				return !is_other;
		} else if (p + 2 < last && m->pattern.ptr[p + 1] == '-') {
			p += 2;
			if (is_between(c, first,
			    (unsigned char)m->pattern.ptr[p]))
				return !is_other;
		} else if (first == c)
			return !is_other;
	}
	return is_other;
}

/* Does the byte match the item from p up to its end? */
static bool
matches_byte(const struct match *m, unsigned char c, size_t p, size_t end)
{
	switch (m->pattern.ptr[p]) {
	case '.':
		return true;
	case '%':
		return is_of_class(c, m->pattern.ptr[p + 1]);
	case '[':
		return is_in_set(m, c, p, end - 1);
	default:
		return (unsigned char)m->pattern.ptr[p] == c;
	}
}

static bool
matches_here(struct match *m, size_t at, size_t p, size_t end)
{
	return at < m->text.len && pay(m, end - p) &&
	    matches_byte(m, text_byte(m, at), p, end);
}

/* item* and item+: as many as there are, then fewer and fewer. */
static size_t
as_many(struct match *m, size_t at, size_t p, size_t end)
{
	size_t cnt = 0, to;

	while (matches_here(m, at + cnt, p, end))
		cnt++;
	for (;; cnt--) {
		to = m->failed != MATCH_NO ? NOWHERE :
		    go_on(m, at + cnt, end + 1);
		if (to != NOWHERE || cnt == 0 || m->failed != MATCH_NO)
			return to;
	}
}

/* item-: as few as will do. */
static size_t
as_few(struct match *m, size_t at, size_t p, size_t end)
{
	size_t to;

	for (;; at++) {
		to = go_on(m, at, end + 1);
		if (to != NOWHERE || m->failed != MATCH_NO ||
		    !matches_here(m, at, p, end))
			return to;
	}
}

/* A part begins, `()' is one that is all of a place. */
static size_t
part_begins(struct match *m, size_t at, size_t p)
{
	bool is_place = pattern_byte(m, p + 1) == ')' &&
	    p + 1 < m->pattern.len;
	size_t to;

	if (m->cnt == MATCH_CAPTURES)
		return fail(m, MATCH_WRONG, "has too many captures");
	m->parts[m->cnt++] = (struct match_part){ at, 0,
	    is_place ? PART_PLACE : PART_OPEN };
	if ((to = go_on(m, at, p + (is_place ? 2 : 1))) == NOWHERE)
		m->cnt--;
	return to;
}

static size_t
part_ends(struct match *m, size_t at, size_t p)
{
	unsigned i = m->cnt;
	size_t to;

	while (i > 0 && m->parts[i - 1].is != PART_OPEN)
		i--;
	if (i == 0)
		return fail(m, MATCH_WRONG, "has a `)' too many");
	m->parts[i - 1].len = at - m->parts[i - 1].at;
	m->parts[i - 1].is = PART_DONE;
	if ((to = go_on(m, at, p + 1)) == NOWHERE)
		m->parts[i - 1].is = PART_OPEN;
	return to;
}

/* %bxy: from an x to the y that balances it. */
static size_t
balance(struct match *m, size_t at, size_t p)
{
	unsigned char begin, end;
	size_t open = 1;

	if (p + 3 >= m->pattern.len)
		return fail(m, MATCH_WRONG, "lacks what `%b' takes");
	begin = (unsigned char)m->pattern.ptr[p + 2];
	end = (unsigned char)m->pattern.ptr[p + 3];
	if (at >= m->text.len || text_byte(m, at) != begin)
		return NOWHERE;
	while (++at < m->text.len && pay(m, 1)) {
		if (text_byte(m, at) == end) {
			if (--open == 0)
				return at + 1;
		} else if (text_byte(m, at) == begin)
			open++;
	}
	return NOWHERE;
}

/* %f[set]: from a byte that is not of the set to one that is; *p moves on. */
static bool
is_frontier(struct match *m, size_t at, size_t *p)
{
	size_t set = *p + 2, end;
	unsigned char before = at == 0 ? 0 : text_byte(m, at - 1);
	unsigned char here = at == m->text.len ? 0 : text_byte(m, at);

	if (pattern_byte(m, set) != '[') {
		(void)fail(m, MATCH_WRONG, "lacks a `[' behind `%f'");
		return false;
	}
	if ((end = item_end(m, set)) == NOWHERE || !pay(m, end - set))
		return false;
	*p = end;
	return !is_in_set(m, before, set, end - 1) &&
	    is_in_set(m, here, set, end - 1);
}

/* %1: what that part has matched. */
static size_t
again(struct match *m, size_t at, char digit)
{
	const struct match_part *part;

	if (digit == '0' || (unsigned)(digit - '1') >= m->cnt ||
	    (part = &m->parts[digit - '1'])->is == PART_OPEN)
		return fail(m, MATCH_WRONG, "names a capture that it lacks");
	if (part->is == PART_PLACE || !pay(m, part->len + 1) ||
	    m->text.len - at < part->len ||
	    memcmp(m->text.ptr + at, m->text.ptr + part->at, part->len) != 0)
		return NOWHERE;
	return at + part->len;
}

/* One item, with what may stand behind it.  True: go on at *at and *p; else
 * *at is the result. */
static bool
take_item(struct match *m, size_t *at, size_t *p)
{
	size_t end = item_end(m, *p), to;

	if (end == NOWHERE) {
		*at = NOWHERE;
		return false;
	}
	switch (end < m->pattern.len ? m->pattern.ptr[end] : '\0') {
	case '?':
		if (matches_here(m, *at, *p, end) &&
		    (to = go_on(m, *at + 1, end + 1)) != NOWHERE) {
			*at = to;
			return false;
		}
		*p = end + 1;
		return true;
	case '+':
		*at = matches_here(m, *at, *p, end) ?
		    as_many(m, *at + 1, *p, end) : NOWHERE;
		return false;
	case '*':
		*at = as_many(m, *at, *p, end);
		return false;
	case '-':
		*at = as_few(m, *at, *p, end);
		return false;
	default:
		if (!matches_here(m, *at, *p, end)) {
			*at = NOWHERE;
			return false;
		}
		(*at)++;
		*p = end;
		return true;
	}
}

/* What begins with %; true: taken care of, as take_item(). */
static bool
take_percent(struct match *m, size_t *at, size_t *p)
{
	char c = pattern_byte(m, *p + 1);

	if (c == 'b') {
		*at = balance(m, *at, *p);
		*p += 4;
	} else if (c == 'f') {
		if (!is_frontier(m, *at, p))
			*at = NOWHERE;
	} else if (is_between((unsigned char)c, '0', '9')) {
		*at = again(m, *at, c);
		*p += 2;
	} else
		return take_item(m, at, p);
	return *at != NOWHERE;
}

/* The rest of the pattern, without a bound for the depth. */
static size_t
rest(struct match *m, size_t at, size_t p)
{
	bool goes_on = true;

	while (goes_on && pay(m, 1)) {
		if (m->failed != MATCH_NO)
			return NOWHERE;
		if (p >= m->pattern.len)
			return at;
		switch (m->pattern.ptr[p]) {
		case '(':
			return part_begins(m, at, p);
		case ')':
			return part_ends(m, at, p);
		case '%':
			goes_on = take_percent(m, &at, &p);
			break;
		case '$':
			if (p + 1 == m->pattern.len)
				return at == m->text.len ? at : NOWHERE;
			/* FALLTHROUGH */
		default:
			goes_on = take_item(m, &at, &p);
		}
	}
	return m->failed != MATCH_NO ? NOWHERE : at;
}

static size_t
go_on(struct match *m, size_t at, size_t p)
{
	size_t to;

	if (m->depth == MATCH_DEPTH)
		return fail(m, MATCH_SPENT, "");
	m->depth++;
	to = rest(m, at, p);
	m->depth--;
	return to;
}

enum match_result
match_at(struct match *m, size_t at, size_t *end)
{
	size_t to;

	m->cnt = m->depth = 0;
	m->failed = MATCH_NO;
	to = go_on(m, at, 0);
	if (m->failed != MATCH_NO)
		return m->failed;
	if (to == NOWHERE)
		return MATCH_NO;
	*end = to;
	return MATCH_YES;
}

bool
match_is_plain(struct span pattern)
{
	for (size_t i = 0; i < pattern.len; i++)
		if (pattern.ptr[i] != '\0' &&
		    strchr(SPECIALS, pattern.ptr[i]) != NULL)
			return false;
	return true;
}
