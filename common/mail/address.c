/*
 * address.c - a scanner that walks once from left to right.  Each scan_*
 * function takes one construct of the grammar off the front of rest, or
 * returns false and leaves it standing at the byte it could not take.
 *
 * 8-bit characters are always scanned as UTF-8; whether they were allowed is
 * asked at the end, so that "needs SMTPUTF8" can be told from "is no address".
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/domain.h"

#define LABEL_MAX	63	/* octets, RFC 1035 2.3.4 */

struct scan {
	struct span	 rest;
	bool		 is_utf8;	/* a character over U+007F was taken */
};

/* RFC 5322 3.2.3 */
static bool
is_atext(char c)
{
	return ascii_is_alnum(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_at(const struct scan *s, char c)
{
	return s->rest.len > 0 && s->rest.ptr[0] == c;
}

static bool
scan_char(struct scan *s, char c)
{
	if (!is_at(s, c))
		return false;
	s->rest = span_tail(s->rest, 1);
	return true;
}

static bool
scan_utf8(struct scan *s)
{
	size_t len = utf8_len(s->rest);

	if (len == 0)
		return false;
	s->is_utf8 = true;
	s->rest = span_tail(s->rest, len);
	return true;
}

static bool
scan_atext(struct scan *s)
{
	if (s->rest.len > 0 && is_atext(s->rest.ptr[0]))
		return scan_char(s, s->rest.ptr[0]);
	return scan_utf8(s);
}

/* Dot-string, RFC 5321 4.1.2 */
static bool
scan_dot_string(struct scan *s)
{
	do {
		if (!scan_atext(s))
			return false;
		while (scan_atext(s))
			continue;
	} while (scan_char(s, '.'));
	return true;
}

/* Quoted-string: printable ASCII or UTF-8, and printable ASCII behind "\". */
static bool
scan_quoted(struct scan *s)
{
	if (!scan_char(s, '"'))
		return false;
	while (!scan_char(s, '"')) {
		bool is_escape = scan_char(s, '\\');
		char c = s->rest.len > 0 ? s->rest.ptr[0] : '\0';

		if (c >= ' ' && c <= '~')
			(void)scan_char(s, c);
		else if (is_escape || !scan_utf8(s))
			return false;
	}
	return true;
}

static struct span
taken(struct span from, const struct scan *s)
{
	return span_head(from, from.len - s->rest.len);
}

static bool
scan_local(struct scan *s, struct span *local)
{
	struct span from = s->rest;

	if (!(is_at(s, '"') ? scan_quoted(s) : scan_dot_string(s)))
		return false;
	*local = taken(from, s);
	return local->len <= LOCAL_PART_MAX;
}

static bool
scan_domain_char(struct scan *s)
{
	char c = s->rest.len > 0 ? s->rest.ptr[0] : '\0';

	if (ascii_is_alnum(c) || c == '-' || c == '_')
		return scan_char(s, c);
	return scan_utf8(s);
}

/*
 * One label.  A U-label may be longer than its A-label (RFC 5890 4.2), so the
 * limit of 63 is held against ASCII alone.
 */
static bool
scan_label(struct scan *s)
{
	struct scan l = { .rest = s->rest };
	struct span label;
	bool is_good;

	while (scan_domain_char(&l))
		continue;
	label = taken(s->rest, &l);
	is_good = label.len > 0 && label.ptr[0] != '-' &&
	    label.ptr[label.len - 1] != '-' &&
	    (l.is_utf8 || label.len <= LABEL_MAX);
	s->rest = l.rest;
	s->is_utf8 |= l.is_utf8;
	return is_good;
}

static bool
scan_labels(struct scan *s)
{
	do {
		if (!scan_label(s))
			return false;
	} while (scan_char(s, '.'));
	return true;
}

/* What is over U+007F must be U-labels, which only their A-labels can show. */
static bool
scan_name(struct scan *s)
{
	struct scan name = { .rest = s->rest };
	bool is_good = scan_labels(&name);
	char key[DOMAIN_KEY_MAX];

	if (is_good && name.is_utf8)
		is_good = domain_key(span_head(s->rest,
		    s->rest.len - name.rest.len), key) > 0;
	s->rest = name.rest;
	s->is_utf8 |= name.is_utf8;
	return is_good;
}

/*
 * RFC 5321 4.1.3.  inet_pton() only reads its string; it refuses leading zeros
 * in IPv4, which some would take for octal.  No other tag is registered.
 */
bool
address_is_literal(struct span text)
{
	struct span inner = span_head(span_tail(text, 1),
	    text.len >= 2 ? text.len - 2 : 0);
	char name[INET6_ADDRSTRLEN];
	unsigned char bits[sizeof(struct in6_addr)];
	int family = AF_INET;

	if (text.len < 2 || text.ptr[0] != '[' || text.ptr[text.len - 1] != ']')
		return false;
	if (span_begins_nocase(inner, SPAN("IPv6:"))) {
		inner = span_tail(inner, 5);
		family = AF_INET6;
	}
	return span_cstr(inner, name, sizeof(name)) &&
	    inet_pton(family, name, bits) == 1;
}

static bool
scan_literal(struct scan *s)
{
	size_t len = span_find(s->rest, ']');
	struct span text = span_head(s->rest, len + 1);

	if (!address_is_literal(text))
		return false;
	s->rest = span_tail(s->rest, text.len);
	return true;
}

static bool
scan_domain(struct scan *s, struct span *domain)
{
	struct span from = s->rest;

	if (!(is_at(s, '[') ? scan_literal(s) : scan_name(s)))
		return false;
	*domain = taken(from, s);
	return domain->len <= DOMAIN_MAX;
}

bool
address_is_domain(struct span text, bool utf8)
{
	struct scan s = { .rest = text };
	struct span domain;

	return !is_at(&s, '[') && scan_domain(&s, &domain) &&
	    s.rest.len == 0 && (utf8 || !s.is_utf8);
}

static bool
scan_mailbox(struct scan *s, struct address *out)
{
	struct span from = s->rest;

	if (!scan_local(s, &out->local) || !scan_char(s, '@') ||
	    !scan_domain(s, &out->domain))
		return false;
	out->whole = taken(from, s);
	out->kind = out->domain.ptr[0] == '[' ? ADDRESS_LITERAL :
	    ADDRESS_DOMAIN;
	return out->whole.len <= PATH_MAX_SMTP;
}

/* "@one.example,@two.example:", RFC 5321 4.1.2 A-d-l */
static bool
scan_route(struct scan *s)
{
	struct span domain;

	do {
		if (!scan_char(s, '@') || !scan_domain(s, &domain))
			return false;
	} while (scan_char(s, ','));
	return scan_char(s, ':');
}

/* "postmaster" alone, and what must follow it. */
static bool
scan_postmaster(struct scan *s, struct span end, struct address *out)
{
	const struct span postmaster = SPAN("postmaster");

	if (!span_begins_nocase(s->rest, postmaster) ||
	    !span_begins(span_tail(s->rest, postmaster.len), end))
		return false;
	out->whole = span_head(s->rest, postmaster.len);
	out->local = out->whole;
	out->kind = ADDRESS_POSTMASTER;
	s->rest = span_tail(s->rest, postmaster.len);
	return true;
}

/* A local part alone, which ends here. */
static bool
scan_user(struct scan *s, char end, struct address *out)
{
	struct scan user = { .rest = s->rest };

	if (!scan_local(&user, &out->local) ||
	    (user.rest.len == 0 ? end != '\0' : user.rest.ptr[0] != end &&
	    (end != '\0' || user.rest.ptr[0] != ' ')))
		return false;
	out->whole = out->local;
	out->kind = ADDRESS_USER;
	s->rest = user.rest;
	s->is_utf8 |= user.is_utf8;
	return true;
}

static bool
scan_path(struct scan *s, struct address *out)
{
	if (!scan_char(s, '<'))
		return false;
	if (scan_char(s, '>')) {
		out->kind = ADDRESS_NULL;
		return true;
	}
	if (scan_postmaster(s, SPAN(">"), out) || scan_user(s, '>', out))
		return scan_char(s, '>');
	if (is_at(s, '@') && !scan_route(s))
		return false;
	return scan_mailbox(s, out) && scan_char(s, '>');
}

/* What a scan's end means: 8-bit bytes without leave come before syntax. */
static enum err
verdict(const struct scan *s, bool is_good, bool utf8)
{
	bool at_8bit = s->rest.len > 0 && (s->rest.ptr[0] & 0x80) != 0;

	if (!utf8 && (s->is_utf8 || (!is_good && at_8bit)))
		return ERR_NONE;
	return is_good ? OK : ERR_PEER;
}

enum err
address_parse(struct span text, bool utf8, struct address *out)
{
	struct scan s = { .rest = text };
	struct address found = { .kind = ADDRESS_NULL };
	bool is_good = scan_mailbox(&s, &found) && s.rest.len == 0;
	enum err e = verdict(&s, is_good, utf8);

	if (e != OK)
		return e;
	found.is_utf8 = s.is_utf8;
	*out = found;
	return OK;
}

/* What a scan of the line's front has found, if it is good. */
static enum err
take(struct span *line, struct scan s, bool is_good, bool utf8,
    struct address found, struct address *out)
{
	enum err e = verdict(&s, is_good, utf8);

	if (e != OK)
		return e;
	found.is_utf8 = s.is_utf8;
	*out = found;
	*line = s.rest;
	return OK;
}

enum err
address_path(struct span *line, bool utf8, struct address *out)
{
	struct scan s = { .rest = *line };
	struct address found = { .kind = ADDRESS_NULL };
	bool is_good = scan_path(&s, &found);

	return take(line, s, is_good, utf8, found, out);
}

enum err
address_bare(struct span *line, bool utf8, struct address *out)
{
	struct scan s = { .rest = *line };
	struct address found = { .kind = ADDRESS_NULL };
	bool is_good = scan_postmaster(&s, SPAN(""), &found) &&
	    (s.rest.len == 0 || is_at(&s, ' '));

	if (!is_good) {
		s.rest = *line;
		is_good = scan_user(&s, '\0', &found) ||
		    (scan_mailbox(&s, &found) &&
		    (s.rest.len == 0 || is_at(&s, ' ')));
	}
	return take(line, s, is_good, utf8, found, out);
}

bool
address_is_local(struct span text)
{
	struct scan s = { .rest = text };
	struct span local;

	return scan_local(&s, &local) && s.rest.len == 0;
}

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

size_t
address_fold(struct span local, char *out)
{
	bool is_quoted = local.len >= 2 && local.ptr[0] == '"';
	size_t len = 0;

	if (is_quoted)
		local = span_head(span_tail(local, 1), local.len - 2);
	for (size_t i = 0; i < local.len; i++) {
		if (is_quoted && local.ptr[i] == '\\' && i + 1 < local.len)
			i++;
		out[len++] = fold(local.ptr[i]);
	}
	return len;
}

struct span
address_user(struct span local, char delimiter)
{
	if (delimiter == '\0' || local.len == 0 || local.ptr[0] == '"')
		return local;
	return span_head(local,
	    span_find(span_tail(local, 1), delimiter) + 1);
}

/* Where the domain begins: no domain holds a "@". */
static size_t
find_domain(struct span s)
{
	while (s.len > 0 && s.ptr[s.len - 1] != '@')
		s.len--;
	return s.len;
}

bool
address_needs_utf8(struct span s)
{
	return !utf8_is_ascii(span_head(s, find_domain(s)));
}

size_t
address_key(struct span s, char *out)
{
	size_t at = find_domain(s), len;
	char domain[DOMAIN_KEY_MAX];

	if (at > PATH_MAX_SMTP ||
	    (len = domain_key(span_tail(s, at), domain)) == 0)
		return 0;
	if (at > 0)
		memcpy(out, s.ptr, at);
	memcpy(out + at, domain, len);
	return at + len;
}
