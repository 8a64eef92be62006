/* read_host.c - names and addresses of hosts, and what all readers need. */
#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "conf/read/read_host.h"
#include "mail/domain.h"

static bool
is_label(struct span s)
{
	if (s.len == 0 || s.len > 63 || s.ptr[0] == '-' ||
	    s.ptr[s.len - 1] == '-')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alnum(s.ptr[i]) && s.ptr[i] != '-')
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

bool
read_unfit(const struct read_place *rp, const struct value *v,
    const char *fits)
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
		return read_unfit(rp, v,
		    "an address such as 192.0.2.1 or 2001:db8::1");
	if (net_is_mapped(&out->net))
		return read_unfit(rp, v,
		    "to be written so; use the IPv4 address");
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
		return read_unfit(rp, v,
		    "an address; did you mean `\"\"', which is all of them?");
	return read_address(rp, v, v->text, out);
}

static bool
read_name(const struct read_place *rp, const struct value *v,
    struct reading *out, const char *fits)
{
	out->text = read_hostname(rp->mistakes->arena, v->text);
	return out->text.len > 0 || read_unfit(rp, v, fits);
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
			return read_unfit(rp, v,
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

/* A DNS list, and how much it counts. */
static bool
read_dnslist(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	static const char fits[] = "the zone of a DNS list, with *1 to *99 or "
	    "*-1 to *-99 behind it";
	size_t star = span_find(v->text, '*');
	struct span weight = span_tail(v->text, star + 1);
	struct value zone = *v;
	unsigned long long n;

	if (star < v->text.len) {
		if (span_begins(weight, SPAN("-")))
			weight = span_tail(weight, 1);
		if (!span_number(weight, 99, &n) || n == 0)
			return read_unfit(rp, v, fits);
	}
	zone.text = span_head(v->text, star);
	if (!read_name(rp, &zone, out, fits))
		return false;
	out->text = arena_join(rp->mistakes->arena, out->text,
	    span_tail(v->text, star));
	return true;
}

static bool
read_net(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	if (!net_read(v->text, &out->net))
		return read_unfit(rp, v,
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

/* As it is compared. */
static bool
read_domain(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	char key[DOMAIN_KEY_MAX];
	struct span name = { key, domain_key(v->text, key) };

	if (!read_is_hostname(name))
		return read_unfit(rp, v, "the name of a domain, nor the path "
		    "of a file of them");
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
			return read_unfit(rp, v, "the name of a domain");
		out->text = arena_copy(rp->mistakes->arena, host.text);
		return out->text.ptr != NULL;
	}
	host.text = span_head(v->text, at);
	if (at < v->text.len && (!span_number(span_tail(v->text, at + 1),
	    65535, &port) || port == 0))
		return read_unfit(rp, v, "a host, or host@port");
	out->text = host.text;
	out->num = port;
	return read_host(rp, &host, out);
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
	case TYPE_DNSLIST:
		return read_dnslist(rp, v, out);
	case TYPE_DOMAIN:
		return read_domain(rp, v, out);
	case TYPE_FORCE:
		return read_force(rp, v, out);
	case TYPE_ADDRESS:
		return read_address(rp, v, v->text, out);
	case TYPE_HOSTNAME:
		return read_name(rp, v, out, "the full name of a host");
	case TYPE_NAMING:
		return read_naming(rp, v, out);
	default:
		return read_unfit(rp, v, "of a known type");
	}
}
