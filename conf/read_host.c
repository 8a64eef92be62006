/* read_host.c - the readers of read_host.h, one a type. */
#include <string.h>

#include "base/limits.h"
#include "conf/path.h"
#include "conf/read_host.h"

static bool
is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

static bool
is_label(struct span s)
{
	if (s.len == 0 || s.len > 63 || s.ptr[0] == '-' ||
	    s.ptr[s.len - 1] == '-')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_letter_or_digit(s.ptr[i]) && s.ptr[i] != '-')
			return false;
	return true;
}

static bool
is_all_digits(struct span s)
{
	unsigned long long n;

	return span_number(s, UINT64_MAX, &n);
}

bool
read_is_hostname(struct span s)
{
	struct span rest = s, label = s;

	if (s.len == 0 || s.len > 253)
		return false;
	while (rest.len > 0) {
		size_t end = span_find(rest, '.');

		label = span_head(rest, end);
		if (!is_label(label) || end + 1 == rest.len)
			return false;
		rest = span_tail(rest, end + 1);
	}
	return !is_all_digits(label);
}

static bool
refuse(const struct read_place *rp, const struct value *v, const char *fits)
{
	report_add(rp->mistakes, v->place, "`%.*s' is not %s",
	    report_len(v->text), v->text.ptr, fits);
	return false;
}

static bool
read_address(const struct read_place *rp, const struct value *v,
    struct span text, struct reading *out)
{
	if (!net_read_address(text, &out->net))
		return refuse(rp, v,
		    "an address such as 192.0.2.1 or 2001:db8::1");
	if (net_is_mapped(&out->net))
		return refuse(rp, v, "to be written so; use the IPv4 address");
	out->text = net_text(&out->net, rp->mistakes->arena);
	return true;
}

static bool
read_interface(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	if (v->text.len == 0)
		return true;
	if (span_eq(v->text, SPAN("*")))
		return refuse(rp, v,
		    "an address; did you mean `\"\"', which is all of them?");
	return read_address(rp, v, v->text, out);
}

static bool
read_host(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	struct net n;

	if (net_read_address(v->text, &n))
		return read_address(rp, v, v->text, out);
	if (read_is_hostname(v->text))
		return true;
	return refuse(rp, v, "the name or the address of a host");
}

static bool
read_server(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	size_t at = span_find(v->text, '@');
	unsigned long long port;
	struct span tail = span_tail(v->text, at);

	if (!read_address(rp, v, span_head(v->text, at), out))
		return false;
	if (tail.len > 0) {
		if (!span_number(span_tail(tail, 1), 65535, &port) || port == 0)
			return refuse(rp, v,
			    "a server: address or address@port");
		out->text = arena_join(rp->mistakes->arena, out->text, tail);
	}
	return true;
}

/* The zone and the server of a stub line share a type: told apart by form. */
static bool
read_stub(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	struct net n;

	if (net_read_address(span_head(v->text, span_find(v->text, '@')), &n))
		return read_server(rp, v, out);
	if (read_is_hostname(v->text))
		return true;
	return refuse(rp, v, "a zone or the address of its server");
}

static bool
read_net(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	if (!net_read(v->text, &out->net))
		return refuse(rp, v,
		    "a network such as 192.0.2.0/24 or 2001:db8::/32");
	if (net_mask(&out->net)) {
		out->text = net_text(&out->net, rp->mistakes->arena);
		report_add(rp->mistakes, v->place,
		    "`%.*s' has bits behind its length; did you mean `%.*s'?",
		    report_len(v->text), v->text.ptr, report_len(out->text),
		    out->text.ptr);
		return false;
	}
	out->text = net_text(&out->net, rp->mistakes->arena);
	return true;
}

static bool
read_recipient(const struct read_place *rp, const struct value *v)
{
	size_t at = v->text.len;
	struct span domain;

	while (at > 0 && v->text.ptr[at - 1] != '@')
		at--;
	domain = span_tail(v->text, at);
	if (at == 0 || at - 1 > LOCAL_PART_MAX || domain.len == 0 ||
	    domain.len > DOMAIN_MAX)
		return refuse(rp, v, "user@domain or @domain");
	for (size_t i = 0; i < v->text.len; i++)
		if ((unsigned char)v->text.ptr[i] <= 0x20 ||
		    v->text.ptr[i] == 0x7f || v->text.ptr[i] == '<' ||
		    v->text.ptr[i] == '>')
			return refuse(rp, v, "user@domain or @domain");
	for (size_t i = 0; i < domain.len; i++)
		if ((unsigned char)domain.ptr[i] >= 0x80)
			return true;	/* a domain in UTF-8, RFC 6531 */
	if (!read_is_hostname(domain) && domain.ptr[0] != '[')
		return refuse(rp, v, "user@domain or @domain");
	return true;
}

/* The whole path, from the directory of the file it was written in. */
static bool
read_path(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	const struct source *src =
	    &rp->mistakes->sources->v[v->place.source];

	if (v->text.len == 0)
		return refuse(rp, v, "a path");
	out->text = path_absolute(rp->mistakes->arena, rp->cwd, src->dir,
	    v->text);
	if (out->text.len >= PLAN_PATH_MAX || out->text.len == 0)
		return refuse(rp, v, "a path of less than 1024 bytes");
	return true;
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
		return refuse(rp, v,
		    "a path with no other braces than {user} and {domain}");
	if (!has_user)
		return refuse(rp, v,
		    "a path with {user} in it: all would share one Maildir");
	while ((part = path_part(v->text, &at)).len > 0)
		if (span_eq(part, SPAN("..")))
			return refuse(rp, v, "a path without `..' after a {");
	if (!read_path(rp, v, out))
		return false;
	if (path_fixed_head(out->text).len <= 1)
		return refuse(rp, v, "below a directory of its own, "
		    "such as /var/mail/{user}");
	return true;
}

static bool
read_user(const struct read_place *rp, const struct value *v)
{
	bool is_good = v->text.len > 0 && v->text.len <= 32 &&
	    v->text.ptr[0] != '-' && !is_all_digits(v->text);

	for (size_t i = 0; i < v->text.len; i++)
		if (!is_letter_or_digit(v->text.ptr[i]) &&
		    strchr("_-.", v->text.ptr[i]) == NULL)
			is_good = false;
	return is_good || refuse(rp, v, "the name of a user");
}

/* {fqdn} and {hostname} are put in, and the name checked, in check.c. */
static bool
read_naming(const struct read_place *rp, const struct value *v)
{
	if (span_find(v->text, '{') < v->text.len || read_is_hostname(v->text))
		return true;
	return refuse(rp, v, "the full name of a host");
}

bool
read_host_value(const struct read_place *rp, const struct option_row *row,
    const struct value *v, struct reading *out)
{
	switch (row->type) {
	case TYPE_HOST:
		return read_host(rp, v, out);
	case TYPE_INTERFACE:
		return read_interface(rp, v, out);
	case TYPE_SERVER:
		return read_server(rp, v, out);
	case TYPE_STUB:
		return read_stub(rp, v, out);
	case TYPE_NET:
		return read_net(rp, v, out);
	case TYPE_RECIPIENT:
		return read_recipient(rp, v);
	case TYPE_DIRECTORY:
		return read_path(rp, v, out);
	case TYPE_TEMPLATE:
		return read_template(rp, v, out);
	case TYPE_USER:
		return read_user(rp, v);
	case TYPE_HOSTNAME:
		return read_is_hostname(v->text) ||
		    refuse(rp, v, "the full name of a host");
	case TYPE_NAMING:
		return read_naming(rp, v);
	default:
		return refuse(rp, v, "of a known type");
	}
}
