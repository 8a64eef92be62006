/* read_host.c - the readers of read_host.h, one a type. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "conf/read/path.h"
#include "conf/read/propose.h"
#include "conf/read/read_host.h"
#include "mail/address.h"
#include "mail/domain.h"
#include "mail/pattern.h"

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

/* The word for our own domains, which a type of relay has by chance too. */
bool
read_is_local(struct span s)
{
	static const char word[] = "local";

	return span_eq(s, span_of(word));
}

struct span
read_hostname(struct arena *a, struct span s)
{
	char key[DOMAIN_KEY_MAX];

	if (s.len > 0 && (!utf8_is_ascii(s) || s.ptr[s.len - 1] == '.'))
		s = arena_copy(a, (struct span){ key, domain_key(s, key) });
	return read_is_hostname(s) ? s : SPAN("");
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
read_name(const struct read_place *rp, const struct value *v,
    struct reading *out, const char *fits)
{
	out->text = read_hostname(rp->mistakes->arena, v->text);
	return out->text.len > 0 || refuse(rp, v, fits);
}

static bool
read_host(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	struct net n;

	if (net_read_address(v->text, &n))
		return read_address(rp, v, v->text, out);
	return read_name(rp, v, out, "the name or the address of a host");
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
	return read_name(rp, v, out, "a zone or the address of its server");
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

/* Is user@domain an address once the user, of len bytes, is quoted? */
static bool
quoted_is_good(struct span text, size_t len)
{
	char quoted[PATH_MAX_SMTP + 1];
	int n = snprintf(quoted, sizeof(quoted), "\"%.*s\"%.*s", (int)len,
	    text.ptr, (int)(text.len - len), text.ptr + len);

	return n > 0 && (size_t)n < sizeof(quoted) &&
	    memchr(text.ptr, '"', len) == NULL &&
	    memchr(text.ptr, '\\', len) == NULL &&
	    pattern_is_good((struct span){ quoted, (size_t)n });
}

/*
 * user@domain or @domain; a pattern also @.domain, which is all names below
 * it.  fits is what the administrator is told.
 */
static bool
read_mailbox(const struct read_place *rp, const struct value *v,
    bool is_pattern, const char *fits)
{
	size_t at = v->text.len;
	struct span domain;

	if (read_is_local(v->text))
		return true;
	while (at > 0 && v->text.ptr[at - 1] != '@')
		at--;
	domain = span_tail(v->text, at);
	if (domain.len > 1 && domain.ptr[domain.len - 1] == '.')
		domain.len--;
	if (is_pattern && at == 1 && span_begins(domain, SPAN(".")))
		domain = span_tail(domain, 1);
	if (at == 0 || at - 1 > LOCAL_PART_MAX || domain.len == 0 ||
	    domain.len > DOMAIN_MAX)
		return refuse(rp, v, fits);
	for (size_t i = 0; i < v->text.len; i++)
		if ((unsigned char)v->text.ptr[i] <= 0x20 ||
		    v->text.ptr[i] == 0x7f || v->text.ptr[i] == '<' ||
		    v->text.ptr[i] == '>')
			return refuse(rp, v, fits);
	if (pattern_is_good(v->text) && (domain.ptr[0] == '[' ||
	    !utf8_is_ascii(domain) || read_is_hostname(domain)))
		return true;
	if (is_pattern && at == 1 && span_begins(domain, SPAN("*.")) &&
	    read_is_hostname(span_tail(domain, 2))) {
		report_add(rp->mistakes, v->place, "`%.*s' is not %s; did you "
		    "mean `@%.*s'?", report_len(v->text), v->text.ptr, fits,
		    report_len(domain) - 1, domain.ptr + 1);
		return false;
	}
	if (at > 1 && quoted_is_good(v->text, at - 1)) {
		report_add(rp->mistakes, v->place, "`%.*s' is not %s; did you "
		    "mean `\"%.*s\"%.*s', quotes and all?",
		    report_len(v->text), v->text.ptr, fits, (int)at - 1,
		    v->text.ptr, report_len(v->text) - (int)at + 1,
		    v->text.ptr + at - 1);
		return false;
	}
	return refuse(rp, v, fits);
}

/* "" is another way to write <>. */
static bool
read_sender(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	if (v->text.len == 0 || span_eq(v->text, SPAN("<>"))) {
		out->text = SPAN("<>");
		return true;
	}
	return read_mailbox(rp, v, true,
	    "user@domain, @domain, @.domain or <>");
}

/* Whom a message can be for, by the rules of SMTP. */
static bool
read_person(const struct read_place *rp, const struct value *v)
{
	struct address a;

	return address_parse(v->text, true, &a) == OK ||
	    refuse(rp, v, "an address of somebody, user@domain");
}

/* One that every next hop takes. */
static bool
read_provided(const struct read_place *rp, const struct value *v)
{
	struct address a;

	return address_parse(v->text, false, &a) == OK ||
	    refuse(rp, v, "an address of somebody in ASCII, user@domain");
}

/* As the users file and the queue have them. */
static bool
read_login(const struct read_place *rp, const struct value *v)
{
	bool is_good = v->text.len > 0 && v->text.len <= PATTERN_LOGIN_MAX;

	for (size_t i = 0; i < v->text.len; i++)
		if ((unsigned char)v->text.ptr[i] < 0x20 ||
		    v->text.ptr[i] == 0x7f)
			is_good = false;
	return is_good || refuse(rp, v,
	    "a login of 1 to 128 bytes, @domain, or * for all");
}

/* As it is compared. */
static bool
read_domain(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	char key[DOMAIN_KEY_MAX];
	struct span name = { key, domain_key(v->text, key) };

	if (!read_is_hostname(name))
		return refuse(rp, v, "the name of a domain, nor the path of a "
		    "file of them");
	out->text = arena_copy(rp->mistakes->arena, name);
	return out->text.ptr != NULL;
}

/* A domain as it is compared, then the host its mail goes to. */
static bool
read_force(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	size_t at = span_find(v->text, '@');
	struct value host = *v;
	unsigned long long port = 0;
	char key[DOMAIN_KEY_MAX];

	if (v->no == 0) {
		host.text = (struct span){ key, domain_key(v->text, key) };
		if (!read_is_hostname(host.text))
			return refuse(rp, v, "the name of a domain");
		out->text = arena_copy(rp->mistakes->arena, host.text);
		return out->text.ptr != NULL;
	}
	host.text = span_head(v->text, at);
	if (at < v->text.len && (!span_number(span_tail(v->text, at + 1),
	    65535, &port) || port == 0))
		return refuse(rp, v, "a host, or host@port");
	out->text = host.text;
	out->num = port;
	return read_host(rp, &host, out);
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
	    refuse(rp, v, "a credential's name, such as credential:mx.key");
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

	while (len < s.len && (is_letter_or_digit(s.ptr[len]) ||
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
read_naming(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	return span_find(v->text, '{') < v->text.len ||
	    read_name(rp, v, out, "the full name of a host");
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
		return read_mailbox(rp, v, false, "user@domain or @domain");
	case TYPE_MAILBOX:
		return read_person(rp, v);
	case TYPE_KNOWN:
		return read_mailbox(rp, v, true, "user@domain, @domain or "
		    "@.domain, nor the path of a file of them");
	case TYPE_ROUTE:
		return read_mailbox(rp, v, true,
		    "user@domain, @domain or @.domain");
	case TYPE_SENDER:
		return read_sender(rp, v, out);
	case TYPE_LOGIN:
		return read_login(rp, v);
	case TYPE_DOMAIN:
		return read_domain(rp, v, out);
	case TYPE_MAPPING:
		return v->no == 0 ? read_mailbox(rp, v, true,
		    "user@domain, @domain or @.domain") :
		    read_provided(rp, v);
	case TYPE_FORCE:
		return read_force(rp, v, out);
	case TYPE_ADDRESS:
		return read_address(rp, v, v->text, out);
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
	case TYPE_HOSTNAME:
		return read_name(rp, v, out, "the full name of a host");
	case TYPE_NAMING:
		return read_naming(rp, v, out);
	default:
		return refuse(rp, v, "of a known type");
	}
}
