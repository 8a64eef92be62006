/*
 * aliases.c - line by line, word by word.  A word ends at a comma, at a blank,
 * or with its line, but for what stands in quotes.
 */
#include <string.h>

#include "mail/aliases.h"

static const char how_to_pipe[] = "no program is run from here: give it a "
    "relay of type pipe, and a route such as `route to NAME@DOMAIN relay PIPE'";
static const char how_to_file[] = "no file is written from here: give it a "
    "relay of type maildir, and a route such as `route to NAME@DOMAIN relay "
    "BOX'";
static const char how_to_drop[] = "nothing is thrown away from here: write a "
    "route in the queue, `route to NAME@DOMAIN discard'";
static const char how_to_refuse[] = "`:include:FILE' alone begins so; to "
    "refuse mail write a route in the queue, `route to NAME@DOMAIN error "
    "\"5.1.1 TEXT\"'";

struct reader {
	const struct aliases_calls *calls;
	void		*arg;
	struct span	 rest;		/* of the text			*/
	struct span	 key;		/* of the entry; none: ptr NULL	*/
	unsigned	 cnt;		/* words behind it, faults too	*/
	bool		 is_list;	/* there are no entries		*/
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span
skip_blanks(struct span s)
{
	while (s.len > 0 && is_blank(s.ptr[0]))
		s = span_tail(s, 1);
	return s;
}

/* Where it ends: behind its second quote, or with the line. */
static size_t
quoted_len(struct span s)
{
	size_t at = 1;

	while (at < s.len && s.ptr[at] != '"')
		at += s.ptr[at] == '\\' ? 2 : 1;
	return at + 1 < s.len ? at + 1 : s.len;
}

static size_t
word_len(struct span s)
{
	size_t at = 0;

	while (at < s.len && s.ptr[at] != ',' && !is_blank(s.ptr[at]))
		at += s.ptr[at] == '"' ? quoted_len(span_tail(s, at)) : 1;
	return at < s.len ? at : s.len;
}

static void
fault(struct reader *r, struct span at, const char *why)
{
	r->calls->fault(r->arg, at, why);
}

static bool
has_control(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return true;
	return false;
}

/* Does it name a program or a file, in quotes or without?  Then say so. */
static bool
is_delivery(struct reader *r, struct span word)
{
	struct span inner = span_begins(word, SPAN("\"")) ?
	    span_tail(word, 1) : word;

	if (span_begins(inner, SPAN("|")))
		fault(r, word, how_to_pipe);
	else if (span_begins(inner, SPAN("/dev/null")))
		fault(r, word, how_to_drop);
	else if (span_begins(inner, SPAN("/")))
		fault(r, word, how_to_file);
	else
		return false;
	return true;
}

/* ":include:FILE"; the whole of it may stand in quotes. */
static bool
take_include(struct reader *r, struct span word)
{
	struct span path = word;

	if (span_begins(path, SPAN("\":")))
		path = span_head(span_tail(path, 1), path.len - 2);
	if (!span_begins(path, SPAN(":")))
		return false;
	if (!span_begins_nocase(path, SPAN(":include:")))
		fault(r, word, how_to_refuse);
	else if (path.len == strlen(":include:") || has_control(path))
		fault(r, word, "behind `:include:' stands the path of a file");
	else if (r->is_list)
		fault(r, word, "a file that is included includes no other");
	else
		r->calls->word(r->arg, ALIASES_INCLUDE, span_tail(path,
		    strlen(":include:")));
	return true;
}

static bool
is_whole_domain(struct span s)
{
	return span_begins(s, SPAN("@")) &&
	    address_is_domain(span_tail(s, 1), true);
}

static bool
is_person(struct span s)
{
	struct address a;

	return address_is_local(s) || address_parse(s, true, &a) == OK;
}

static void
take_word(struct reader *r, struct span word)
{
	struct span name = word;
	enum aliases_word what = ALIASES_NAME;

	r->cnt++;
	if (is_delivery(r, word) || take_include(r, word))
		return;
	if (span_begins(word, SPAN("\\"))) {
		name = span_tail(word, 1);
		what = ALIASES_STOP;
	} else if (is_whole_domain(word))
		what = ALIASES_DOMAIN;
	if (what == ALIASES_DOMAIN || is_person(name))
		r->calls->word(r->arg, what, name);
	else if (span_find(word, '<') < word.len)
		fault(r, word, "an address stands here alone, without a name "
		    "and without < and >");
	else
		fault(r, word, "this is no user, no address and no `@domain'");
}

/* The rest of a line. */
static void
take_words(struct reader *r, struct span line)
{
	size_t len;

	for (;;) {
		while (line.len > 0 && (is_blank(line.ptr[0]) ||
		    line.ptr[0] == ','))
			line = span_tail(line, 1);
		if (line.len == 0 || line.ptr[0] == '#')
			return;
		/* The words of a program go with it. */
		len = line.ptr[0] == '|' ? line.len : word_len(line);
		take_word(r, span_head(line, len));
		line = span_tail(line, len);
	}
}

static void
end_entry(struct reader *r)
{
	if (r->key.ptr != NULL && r->cnt == 0)
		fault(r, r->key, "behind the `:' must stand somebody; to throw "
		    "mail away write a route, `route to NAME@DOMAIN discard'");
	r->key.ptr = NULL;
}

/* Where the key ends: at the colon, or the line's end when there is none. */
static size_t
key_len(struct span line)
{
	size_t at = 0;

	while (at < line.len && line.ptr[at] != ':')
		at += line.ptr[at] == '"' ? quoted_len(span_tail(line, at)) :
		    1;
	return at < line.len ? at : line.len;
}

static void
take_entry(struct reader *r, struct span line)
{
	size_t len = key_len(line);
	struct span key = span_trim(span_head(line, len));

	end_entry(r);
	r->cnt = 0;
	if (len == line.len) {
		fault(r, span_trim(line), "an alias is written `NAME: ADDRESS, "
		    "...', with a colon");
		return;
	}
	r->key = key;
	if (!is_whole_domain(key) && !is_person(key)) {
		fault(r, key.len > 0 ? key : span_head(line, 1), "before the "
		    "colon stands a user, an address, or `@domain'");
		r->key = (struct span){ NULL, 0 };
		r->cnt = 1;
		return;
	}
	r->calls->word(r->arg, ALIASES_KEY, key);
	take_words(r, span_tail(line, len + 1));
}

static void
take_line(struct reader *r, struct span line)
{
	struct span text = skip_blanks(line);

	if (text.len == 0 || text.ptr[0] == '#')
		return;
	if (r->is_list)
		take_words(r, text);
	else if (text.ptr == line.ptr)
		take_entry(r, line);
	else if (r->key.ptr != NULL)
		take_words(r, text);
	else if (r->cnt == 0)
		fault(r, span_trim(text), "a line that begins with a blank "
		    "goes on with the one before, and there is none");
}

static void
take_all(struct reader *r)
{
	size_t len;

	while (r->rest.len > 0) {
		len = span_find(r->rest, '\n');
		take_line(r, span_head(r->rest, len));
		r->rest = span_tail(r->rest, len + 1);
	}
	end_entry(r);
}

void
aliases_read(struct span text, const struct aliases_calls *calls, void *arg)
{
	struct reader r = { .calls = calls, .arg = arg, .rest = text };

	take_all(&r);
}

void
aliases_read_list(struct span text, const struct aliases_calls *calls,
    void *arg)
{
	struct reader r = { .calls = calls, .arg = arg, .rest = text,
	    .is_list = true };

	take_all(&r);
}
