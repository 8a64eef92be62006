/*
 * rules.c - networks are a linear list: they are few, and a session asks once.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "edge/stage/rules.h"

/* The numbers of patterns: who is named is found before his domain. */
enum { PEOPLE, DOMAINS };

struct net {
	struct client_address	 address;
	unsigned		 bits;
};

/* Are the first `bits` bits the same? */
static bool
is_same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 ||
	    ((a[bits / 8] ^ b[bits / 8]) & (0xffu << (8 - rest)) & 0xff) == 0;
}

static bool
parse_address(struct span s, struct client_address *out)
{
	char text[INET6_ADDRSTRLEN];

	if (!span_cstr(s, text, sizeof(text)))
		return false;
	*out = (struct client_address){ .family = 4 };
	if (inet_pton(AF_INET, text, out->bytes) == 1)
		return true;
	out->family = 6;
	return inet_pton(AF_INET6, text, out->bytes) == 1;
}

/* Could another mailer take this local part for a route, a pipe or a file? */
static bool
is_routed(struct span local)
{
	if (local.len > 0 && local.ptr[0] == '"')
		local = span_tail(local, 1);
	if (local.len > 0 && memchr("|/:", local.ptr[0], 3) != NULL)
		return true;
	return span_find(local, '@') < local.len ||
	    span_find(local, '%') < local.len ||
	    span_find(local, '!') < local.len;
}

enum err
rules_add_net(struct rules *r, struct span text)
{
	size_t slash = span_find(text, '/');
	struct net net, *nets;
	unsigned long long bits;

	if (!parse_address(span_head(text, slash), &net.address))
		return ERR_PEER;
	bits = net.address.family == 4 ? 32 : 128;
	if (slash < text.len &&
	    !span_number(span_tail(text, slash + 1), bits, &bits))
		return ERR_PEER;
	net.bits = (unsigned)bits;
	nets = reallocarray(r->nets, r->net_cnt + 1, sizeof(*nets));
	if (nets == NULL)
		return ERR_FULL;
	r->nets = nets;
	nets[r->net_cnt++] = net;
	return OK;
}

enum err
rules_add_rcpt(struct rules *r, struct span text)
{
	bool is_domain = span_begins(text, SPAN("@"));
	enum err e = OK;

	if (r->rcpts == NULL)
		e = pattern_new(&r->rcpts);
	if (e == OK)
		e = pattern_add(r->rcpts, text, is_domain ? DOMAINS : PEOPLE);
	return e == ERR_SYS ? ERR_FULL : e;
}

enum err
rules_init(struct rules *r, const struct slice *block)
{
	enum err e = OK;

	*r = (struct rules){ 0 };
	for (unsigned i = 0; e == OK && i < slice_count(block, "clients"); i++)
		e = rules_add_net(r, slice_text(block, "clients", i));
	for (unsigned i = 0;
	    e == OK && i < slice_count(block, "only_recipients"); i++)
		e = rules_add_rcpt(r, slice_text(block, "only_recipients", i));
	if (e != OK)
		rules_fini(r);
	return e;
}

void
rules_fini(struct rules *r)
{
	pattern_free(&r->rcpts);
	free(r->nets);
	*r = (struct rules){ 0 };
}

static bool
has_net(const struct rules *r, const struct client_address *a,
    unsigned least_bits)
{
	for (unsigned i = 0; i < r->net_cnt; i++)
		if (r->nets[i].bits >= least_bits &&
		    r->nets[i].address.family == a->family &&
		    is_same_prefix(r->nets[i].address.bytes, a->bytes,
		    r->nets[i].bits))
			return true;
	return false;
}

bool
rules_client(const struct rules *r, const struct client_address *a)
{
	return r->net_cnt == 0 || client_address_is_local(a) ||
	    has_net(r, a, 0);
}

bool
rules_trusts(const struct rules *r, const struct client_address *a)
{
	return !client_address_is_local(a) && has_net(r, a, 1);
}

bool
rules_rcpt(const struct rules *r, const struct address *a)
{
	uint32_t no;

	if (r->rcpts == NULL || a->kind == ADDRESS_POSTMASTER)
		return true;
	return pattern_find(r->rcpts, a, &no) &&
	    (no == PEOPLE || !is_routed(a->local));
}
