/*
 * nets.c - a linear list: they are few, and a session asks once.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "edge/stage/nets.h"

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

enum err
nets_add(struct nets *n, struct span text)
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
	nets = reallocarray(n->nets, n->cnt + 1, sizeof(*nets));
	if (nets == NULL)
		return ERR_FULL;
	n->nets = nets;
	nets[n->cnt++] = net;
	return OK;
}

/* Values of an option, until one is wrong. */
struct values {
	struct nets	*nets;
	enum err	 err;
};

static void
take_value(struct span text, uint64_t num, void *arg)
{
	struct values *v = arg;

	if (v->err == OK)
		v->err = nets_add(v->nets, text);
}

enum err
nets_init(struct nets *n, const struct slice *block, const char *option)
{
	struct values v = { n, OK };

	*n = (struct nets){ NULL, 0 };
	slice_each(block, option, take_value, &v);
	if (v.err != OK)
		nets_fini(n);
	return v.err;
}

void
nets_fini(struct nets *n)
{
	free(n->nets);
	*n = (struct nets){ NULL, 0 };
}

bool
nets_has(const struct nets *n, const struct client_address *a,
    unsigned least_bits)
{
	for (unsigned i = 0; i < n->cnt; i++)
		if (n->nets[i].bits >= least_bits &&
		    n->nets[i].address.family == a->family &&
		    is_same_prefix(n->nets[i].address.bytes, a->bytes,
		    n->nets[i].bits))
			return true;
	return false;
}
