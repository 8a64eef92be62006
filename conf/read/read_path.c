/*
 * read_path.c - paths of files, directories and sockets, arguments of programs,
 * and the users whose they are.
 */
#include <string.h>

#include "base/ascii.h"
#include "conf/read/path.h"
#include "conf/read/propose.h"
#include "conf/read/read_path.h"

/* The whole path, from the directory of the file it was written in. */
static bool
read_path(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	const struct source *src =
	    &rp->mistakes->sources->v[v->place.source];

	if (v->text.len == 0)
		return read_unfit(rp, v, "a path");
	out->text = path_absolute(rp->mistakes->arena, rp->cwd, src->dir,
	    v->text);
	if (out->text.len >= PLAN_PATH_MAX || out->text.len == 0)
		return read_unfit(rp, v, "a path of less than 1024 bytes");
	return true;
}

/* A path, or what systemd has put into our directory of credentials. */
static bool
read_file(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	struct span name;

	if (!path_is_credential(v->text, &name))
		return read_path(rp, v, out);
	if (name.len > 0)
		out->text = path_absolute(rp->mistakes->arena, rp->cwd,
		    rp->credentials, name);
	return (name.len > 0 && out->text.len > 0 &&
	    out->text.len < PLAN_PATH_MAX) ||
	    read_unfit(rp, v, "a credential's name, such as credential:mx.key");
}

/* A path that fits into the address of a unix socket. */
static bool
read_socket(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	if (!read_path(rp, v, out))
		return false;
	if (out->text.len >= PLAN_SOCKET_MAX) {
		report_add(rp->mistakes, v->place, "the path of a unix socket "
		    "is at most %u bytes, and this is %zu: %.*s",
		    PLAN_SOCKET_MAX - 1, out->text.len, report_len(out->text),
		    out->text.ptr);
		return false;
	}
	return true;
}

/* The word in braces at the start; empty when it is no word. */
static struct span
word_in_braces(struct span s)
{
	size_t len = 1;

	while (len < s.len && (ascii_is_alnum(s.ptr[len]) ||
	    s.ptr[len] == '_'))
		len++;
	return len == s.len || s.ptr[len] != '}' ? SPAN("") :
	    span_head(span_tail(s, 1), len - 1);
}

/* A word in braces must be one of ours; other braces are none of ours. */
static bool
read_argument(const struct read_place *rp, const struct value *v)
{
	static const char words[] = "sender recipient message_id client_ip "
	    "client_host client_ehlo client_protocol client_auth";
	struct span s = v->text, word;
	struct propose p;

	for (; s.len > 0; s = span_tail(s, span_find(span_tail(s, 1), '{') +
	    1)) {
		if (s.ptr[0] != '{' || (word = word_in_braces(s)).len == 0 ||
		    options_has_word(words, word))
			continue;
		propose_init(&p, word);
		propose_try_all(&p, words);
		report_add(rp->mistakes, v->place,
		    "{%.*s} stands for nothing; there is: %s%s",
		    report_len(word), word.ptr, words,
		    propose_text(&p, rp->mistakes->arena));
		return false;
	}
	return true;
}

/* Of one line, and not nothing. */
static bool
read_text(const struct read_place *rp, const struct value *v)
{
	bool is_good = v->text.len > 0 && v->text.len <= 255;

	for (size_t i = 0; i < v->text.len; i++)
		if ((unsigned char)v->text.ptr[i] < 0x20 ||
		    v->text.ptr[i] == 0x7f)
			is_good = false;
	if (!is_good)
		report_add(rp->mistakes, v->place,
		    "a text of 1 to 255 bytes without control characters");
	return is_good;
}

/* Only {user} and {domain}, and no brace else. */
static bool
has_good_holders(struct span s, bool *has_user)
{
	*has_user = false;
	for (;;) {
		size_t open = span_find(s, '{');

		if (span_find(span_head(s, open), '}') < open)
			return false;
		if (open == s.len)
			return true;
		s = span_tail(s, open);
		if (span_begins(s, SPAN("{user}"))) {
			*has_user = true;
			s = span_tail(s, 6);
		} else if (span_begins(s, SPAN("{domain}"))) {
			s = span_tail(s, 8);
		} else
			return false;
	}
}

static bool
read_template(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	size_t at = span_find(v->text, '{');
	struct span part;
	bool has_user;

	if (!has_good_holders(v->text, &has_user))
		return read_unfit(rp, v,
		    "a path with no other braces than {user} and {domain}");
	if (!has_user)
		return read_unfit(rp, v,
		    "a path with {user} in it: all would share one Maildir");
	while ((part = path_part(v->text, &at)).len > 0)
		if (span_eq(part, SPAN("..")))
			return read_unfit(rp, v,
			    "a path without `..' after a {");
	if (!read_path(rp, v, out))
		return false;
	if (path_fixed_head(out->text).len <= 1)
		return read_unfit(rp, v, "below a directory of its own, "
		    "such as /var/mail/{user}");
	return true;
}

static bool
read_user(const struct read_place *rp, const struct value *v)
{
	unsigned long long number;
	bool is_good = v->text.len > 0 && v->text.len <= 32 &&
	    v->text.ptr[0] != '-' && !span_number(v->text, UINT64_MAX, &number);

	for (size_t i = 0; i < v->text.len; i++)
		if (!ascii_is_alnum(v->text.ptr[i]) &&
		    strchr("_-.", v->text.ptr[i]) == NULL)
			is_good = false;
	return is_good || read_unfit(rp, v, "the name of a user");
}

bool
read_path_value(const struct read_place *rp, const struct option_row *row,
    const struct value *v, struct reading *out)
{
	switch (row->type) {
	case TYPE_DIRECTORY:
		return read_path(rp, v, out);
	case TYPE_ALIASES:
	case TYPE_FILE:
	case TYPE_LUA:
	case TYPE_NOTICE:
	case TYPE_ROOTS:
	case TYPE_SECRET:
		return read_file(rp, v, out);
	case TYPE_SOCKET:
	case TYPE_UNIX:
		return read_socket(rp, v, out);
	case TYPE_ARGUMENT:
		return read_argument(rp, v);
	case TYPE_TEXT:
		return read_text(rp, v);
	case TYPE_TEMPLATE:
		return read_template(rp, v, out);
	case TYPE_USER:
		return read_user(rp, v);
	default:
		return read_unfit(rp, v, "of a known type");
	}
}
