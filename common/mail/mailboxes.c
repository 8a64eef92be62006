/*
 * mailboxes.c - one walk from left to right.  An address that is not in angle
 * brackets is the only word of its mailbox; two words are a name without one.
 */
#include "mail/mailboxes.h"

struct walk {
	struct span	 body;
	size_t		 at;
	size_t		 from, to;	/* of the word; from == to: none */
	bool		 is_apart;	/* something stood behind it	*/
	bool		 is_broken;	/* there are two		*/
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind what begins at `at' and ends with this byte, of s or its end. */
static size_t
skip_to(struct span s, size_t at, char end)
{
	for (at++; at < s.len && s.ptr[at] != end; at++)
		if (s.ptr[at] == '\\')
			at++;
	return at < s.len ? at + 1 : s.len;
}

/* Comments are nested. */
static size_t
skip_comment(struct span s, size_t at)
{
	size_t depth = 0;

	for (; at < s.len; at++) {
		if (s.ptr[at] == '\\')
			at++;
		else if (s.ptr[at] == '(')
			depth++;
		else if (s.ptr[at] == ')' && --depth == 0)
			return at + 1;
	}
	return s.len;
}

/* Where what is quoted, or a comment, ends; at + 1 of all else. */
static size_t
skip(struct span s, size_t at)
{
	switch (s.ptr[at]) {
	case '(':
		return skip_comment(s, at);
	case '"':
		return skip_to(s, at, '"');
	case '[':
		return skip_to(s, at, ']');
	default:
		return at + 1;
	}
}

/* To the end of this mailbox. */
static void
skip_mailbox(struct walk *w)
{
	while (w->at < w->body.len && w->body.ptr[w->at] != ',' &&
	    w->body.ptr[w->at] != ';')
		w->at = skip(w->body, w->at);
	w->at += w->at < w->body.len;
}

/* What stands between < and >, without a route; false: nothing. */
static bool
take_angle(struct walk *w, struct span *address)
{
	size_t end = w->at + 1;
	struct span s;

	while (end < w->body.len && w->body.ptr[end] != '>')
		end = skip(w->body, end);
	s = span_trim(span_tail(span_head(w->body, end), w->at + 1));
	w->at = end;
	skip_mailbox(w);
	if (span_begins(s, SPAN("@")))
		s = span_trim(span_tail(s, span_find(s, ':') + 1));
	*address = s;
	return s.len > 0;
}

/* The word is over, or there is another. */
static void
take_word(struct walk *w, size_t end)
{
	if (w->from == w->to)
		w->from = w->at;
	else if (w->is_apart)
		w->is_broken = true;
	w->is_apart = false;
	w->to = end;
	w->at = end;
}

static void
begin(struct walk *w)
{
	w->from = w->to = 0;
	w->is_apart = w->is_broken = false;
}

/* Of a mailbox without brackets, which ends here. */
static bool
take_bare(struct walk *w, struct span *address)
{
	bool is_one = w->from < w->to && !w->is_broken;

	*address = span_tail(span_head(w->body, w->to), w->from);
	begin(w);
	return is_one;
}

static bool
next(struct walk *w, struct span *address)
{
	while (w->at < w->body.len) {
		char c = w->body.ptr[w->at];

		if (c == '<') {
			if (take_angle(w, address))
				return true;
			begin(w);
		} else if (c == ',' || c == ';') {
			w->at++;
			if (take_bare(w, address))
				return true;
		} else if (c == ':') {		/* the name of a group	*/
			w->at++;
			begin(w);
		} else if (is_blank(c) || c == '(') {
			w->is_apart = true;
			w->at = skip(w->body, w->at);
		} else
			take_word(w, skip(w->body, w->at));
	}
	return take_bare(w, address);
}

bool
mailboxes_next(struct span body, size_t *at, struct span *address)
{
	struct walk w = { .body = body, .at = *at };
	bool found = next(&w, address);

	*at = w.at;
	return found;
}
