/*
 * account.c - the file is never rebuilt from what was understood of it: a
 * change copies the bytes around the one line it is about.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "mail/account.h"

/* The bytes of a text that is being made. */
struct made {
	char	*bytes;
	size_t	 len;
};

bool
account_is_name(struct span s)
{
	if (s.len == 0 || s.len > ACCOUNT_NAME_MAX || s.ptr[0] == '#' ||
	    s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' ')
		return false;
	while (s.len > 0) {
		char c = s.ptr[0];
		size_t n = c >= ' ' && c <= '~' && c != ':' ? 1 : utf8_len(s);

		if (n == 0)
			return false;
		s = span_tail(s, n);
	}
	return true;
}

bool
account_is_hash(struct span s)
{
	if (s.len == 0 || s.len > ACCOUNT_HASH_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' ||
		    strchr(":;*!\\", s.ptr[i]) != NULL)
			return false;
	return true;
}

/* What is no name of a domain may stand there as well. */
static bool
is_same_domain(struct span a, struct span b)
{
	return span_eq_nocase(a, b) || (span_find(b, '@') == b.len &&
	    domain_same(a, b));
}

bool
account_is_same(struct span a, struct span b)
{
	size_t at = a.len;

	while (at > 0 && a.ptr[at - 1] != '@')
		at--;
	if (at == 0)
		return span_eq(a, b);
	return span_eq(span_head(a, at), span_head(b, at)) &&
	    is_same_domain(span_tail(a, at), span_tail(b, at));
}

struct span
account_key(struct span name, char out[ACCOUNT_KEY_MAX])
{
	size_t at = name.len, len;

	while (at > 0 && name.ptr[at - 1] != '@')
		at--;
	if (at == 0 || name.len > ACCOUNT_NAME_MAX)
		return name;
	memcpy(out, name.ptr, name.len);
	if ((len = domain_key(span_tail(name, at), out + at)) > 0)
		return (struct span){ out, at + len };
	for (size_t i = at; i < name.len; i++)
		if (out[i] >= 'A' && out[i] <= 'Z')
			out[i] = (char)(out[i] + ('a' - 'A'));
	return (struct span){ out, name.len };
}

/* The value of a digit of crypt(5), or a large one. */
static unsigned
digit(char c)
{
	static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? 64 : (unsigned)(at - digits);
}

/*
 * 128 * N * r.  In "$y$jET$" E is log2(N) - 1 and T r - 1; in "$7$E5..../" the
 * five digits behind E are r, of which the first is enough.
 */
uint64_t
account_hash_bytes(struct span hash)
{
	unsigned log_n, r;

	if (span_begins(hash, SPAN("$7$")) && hash.len > 5) {
		log_n = digit(hash.ptr[3]);
		r = digit(hash.ptr[4]);
	} else if (span_begins(hash, SPAN("$y$")) && hash.len > 6) {
		log_n = digit(hash.ptr[4]) + 1;
		r = digit(hash.ptr[5]) + 1;
	} else if (span_begins(hash, SPAN("$gy$")) && hash.len > 7) {
		log_n = digit(hash.ptr[5]) + 1;
		r = digit(hash.ptr[6]) + 1;
	} else
		return 0;
	return log_n > 50 ? UINT64_MAX : (128ull * r) << log_n;
}

/* The hash behind a scheme that leaves it to crypt(3); else as it is. */
static struct span
without_scheme(struct span field)
{
	static const struct span schemes[] = {
		{ "{CRYPT}", 7 }, { "{SHA512-CRYPT}", 14 },
		{ "{SHA256-CRYPT}", 14 }, { "{BLF-CRYPT}", 11 },
		{ "{MD5-CRYPT}", 11 }, { "{DES-CRYPT}", 11 },
	};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (span_begins_nocase(field, schemes[i]))
			return span_tail(field, schemes[i].len);
	return field;
}

/* What the field of the hash says. */
static void
judge_hash(struct span field, struct account *out)
{
	struct span hash = without_scheme(field);
	bool is_hash = account_is_hash(hash) && hash.ptr[0] != '{';

	out->hash = is_hash ? hash : span_head(field, 0);
	out->is_odd = !is_hash && field.len > 0 && field.ptr[0] != '!' &&
	    field.ptr[0] != '*';
}

/* Take a line off the front, its end included. */
static struct span
take_line(struct span *text)
{
	struct span line = span_head(*text, span_find(*text, '\n') + 1);

	*text = span_tail(*text, line.len);
	return line;
}

static struct span
without_end(struct span line)
{
	if (line.len > 0 && line.ptr[line.len - 1] == '\n')
		line.len--;
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* Take what stands before the next colon, and the colon. */
static struct span
take_field(struct span *line)
{
	struct span field = span_head(*line, span_find(*line, ':'));

	*line = span_tail(*line, field.len + 1);
	return field;
}

/* *hash is the field as it stands, locked or not. */
static bool
parse_line(struct span line, struct account *out, struct span *hash)
{
	struct span rest = without_end(line), name;

	if (span_begins(rest, SPAN("\xef\xbb\xbf")))
		rest = span_tail(rest, 3);
	name = span_head(rest, span_find(rest, ':'));
	if (name.len == rest.len || !account_is_name(name))
		return false;
	(void)take_field(&rest);
	out->name = name;
	*hash = take_field(&rest);
	judge_hash(*hash, out);
	out->rest = rest;
	return true;
}

enum account_line
account_line(struct span *text, struct span *line, struct account *out)
{
	struct span whole = take_line(text), hash;

	*line = without_end(whole);
	if (parse_line(whole, out, &hash))
		return ACCOUNT_IS;
	if (span_begins(*line, SPAN("\xef\xbb\xbf")))
		*line = span_tail(*line, 3);
	whole = span_trim(*line);
	return whole.len == 0 || whole.ptr[0] == '#' ? ACCOUNT_NOTHING :
	    ACCOUNT_BROKEN;
}

bool
account_next(struct span *text, struct account *out)
{
	struct span hash;

	while (text->len > 0)
		if (parse_line(take_line(text), out, &hash))
			return true;
	return false;
}

bool
account_find(struct span text, struct span name, struct account *out)
{
	struct account a;

	while (account_next(&text, &a))
		if (account_is_same(a.name, name)) {
			*out = a;
			return true;
		}
	return false;
}

static void
add(struct made *m, struct span s)
{
	if (s.len > 0)
		memcpy(m->bytes + m->len, s.ptr, s.len);
	m->len += s.len;
}

/* Everything up to `at`, the new hash, everything behind the old one. */
static void
add_changed(struct made *m, struct span text, struct span old,
    struct span hash)
{
	size_t at = (size_t)(old.ptr - text.ptr);

	add(m, span_head(text, at));
	add(m, hash);
	add(m, span_tail(text, at + old.len));
}

static void
add_line(struct made *m, struct span text, struct span name,
    struct span hash)
{
	add(m, text);
	if (text.len > 0 && text.ptr[text.len - 1] != '\n')
		add(m, SPAN("\n"));
	add(m, name);
	add(m, SPAN(":"));
	add(m, hash);
	add(m, SPAN("\n"));
}

enum err
account_put(struct span text, struct span name, struct span hash,
    struct span *out)
{
	struct made m = { NULL, 0 };
	struct span left = text, old;
	struct account a;

	if (!account_is_name(name) || !account_is_hash(hash))
		return ERR_PEER;
	m.bytes = malloc(text.len + name.len + hash.len + 3);
	if (m.bytes == NULL)
		return ERR_FULL;
	while (left.len > 0 && m.len == 0)
		if (parse_line(take_line(&left), &a, &old) &&
		    account_is_same(a.name, name))
			add_changed(&m, text, old, hash);
	if (m.len == 0)
		add_line(&m, text, name, hash);
	*out = (struct span){ m.bytes, m.len };
	return OK;
}

enum err
account_remove(struct span text, struct span name, struct span *out)
{
	struct made m = { NULL, 0 };
	struct span hash;
	struct account a;
	bool found = false;

	if ((m.bytes = malloc(text.len + 1)) == NULL)
		return ERR_FULL;
	while (text.len > 0) {
		struct span line = take_line(&text);

		if (parse_line(line, &a, &hash) &&
		    account_is_same(a.name, name))
			found = true;
		else
			add(&m, line);
	}
	if (!found) {
		free(m.bytes);
		return ERR_NONE;
	}
	*out = (struct span){ m.bytes, m.len };
	return OK;
}
