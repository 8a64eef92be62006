/* ourselves.c - two lists, walked; they have some tens of rows at most. */
#include <netinet/in.h>
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>

#include "ask/dnsname.h"
#include "relay/mx/ourselves.h"

struct listener {
	struct resolve_address address;	/* family 0: all of both; all
					 * zeros: all of that family	*/
	uint16_t	 port;
};

struct ourselves {
	char		(*names)[DNSNAME_MAX + 1];
	unsigned	 name_cnt;
	struct listener	*listeners;
	unsigned	 listener_cnt;
};

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

/* ::ffff:192.0.2.1 is 192.0.2.1. */
static void
unmap(struct resolve_address *a)
{
	if (a->family != 6 || memcmp(a->bytes, mapped, sizeof(mapped)) != 0)
		return;
	a->family = 4;
	memmove(a->bytes, a->bytes + sizeof(mapped), 4);
	memset(a->bytes + 4, 0, sizeof(a->bytes) - 4);
}

static bool
is_same(const struct resolve_address *a, const struct resolve_address *b)
{
	return a->family == b->family &&
	    memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

static bool
is_loopback(const struct resolve_address *a)
{
	static const uint8_t six[16] = { [15] = 1 };

	return a->family == 4 ? a->bytes[0] == 127 :
	    memcmp(a->bytes, six, sizeof(six)) == 0;
}

/* Does it listen on all addresses of the family? */
static bool
is_wide(const struct listener *l, uint8_t family)
{
	static const uint8_t none[16];

	if (l->address.family == 0)
		return true;
	if (memcmp(l->address.bytes, none, sizeof(none)) != 0)
		return false;
	return l->address.family == family || l->address.family == 6;
}

/* Reading. */

static void
add_name(struct ourselves *o, struct span name)
{
	if (dnsname_fold(name, o->names[o->name_cnt]))
		o->name_cnt++;
}

/* One that is a unix socket has no port. */
static void
add_listener(struct ourselves *o, const struct slice *block)
{
	struct listener *l = &o->listeners[o->listener_cnt];

	l->port = (uint16_t)slice_num(block, "port");
	if (l->port == 0)
		return;
	(void)resolve_literal(slice_text(block, "interface", 0), &l->address);
	unmap(&l->address);
	o->listener_cnt++;
}

static enum err
make_room(struct ourselves *o, const struct slice *relay, unsigned edge_cnt)
{
	unsigned cnt = 0;

	for (unsigned i = 0; i < edge_cnt; i++) {
		struct slice edge = slice_block(relay, "edge", i);

		cnt += slice_block_count(&edge, "listener");
	}
	o->names = calloc(edge_cnt + 1, sizeof(*o->names));
	o->listeners = calloc(cnt + 1, sizeof(*o->listeners));
	return o->names != NULL && o->listeners != NULL ? OK : ERR_SYS;
}

enum err
ourselves_read(struct ourselves **out, const struct slice *relay,
    struct span hostname)
{
	unsigned edge_cnt = slice_block_count(relay, "edge");
	struct ourselves *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return ERR_SYS;
	if (make_room(o, relay, edge_cnt) != OK) {
		ourselves_free(&o);
		return ERR_SYS;
	}
	add_name(o, hostname);
	for (unsigned i = 0; i < edge_cnt; i++) {
		struct slice edge = slice_block(relay, "edge", i), listener;

		add_name(o, slice_text(&edge, "hostname", 0));
		for (unsigned k = 0; k < slice_block_count(&edge, "listener");
		    k++) {
			listener = slice_block(&edge, "listener", k);
			add_listener(o, &listener);
		}
	}
	*out = o;
	return OK;
}

void
ourselves_free(struct ourselves **op)
{
	struct ourselves *o = *op;

	*op = NULL;
	if (o == NULL)
		return;
	free(o->names);
	free(o->listeners);
	free(o);
}

/* Asking. */

bool
ourselves_has_name(const struct ourselves *o, struct span name)
{
	char folded[DNSNAME_MAX + 1];

	if (!dnsname_fold(name, folded))
		return false;
	for (unsigned i = 0; i < o->name_cnt; i++)
		if (strcmp(o->names[i], folded) == 0)
			return true;
	return false;
}

bool
ourselves_has_address(const struct ourselves *o,
    const struct resolve_address *address, uint16_t port)
{
	struct resolve_address a = *address;

	unmap(&a);
	for (unsigned i = 0; i < o->listener_cnt; i++) {
		const struct listener *l = &o->listeners[i];

		if (l->port != port)
			continue;
		if (is_same(&l->address, &a) ||
		    (is_loopback(&a) && is_wide(l, a.family)))
			return true;
	}
	return false;
}

static bool
address_of(const struct sockaddr_storage *ss, struct resolve_address *out)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)ss;
	const struct sockaddr_in *four = (const struct sockaddr_in *)ss;

	*out = (struct resolve_address){ 0 };
	if (ss->ss_family == AF_INET) {
		out->family = 4;
		memcpy(out->bytes, &four->sin_addr, 4);
	} else if (ss->ss_family == AF_INET6) {
		out->family = 6;
		memcpy(out->bytes, &six->sin6_addr, 16);
		unmap(out);
	}
	return out->family != 0;
}

bool
ourselves_has_peer(const struct ourselves *o, int fd, uint16_t port)
{
	struct sockaddr_storage near_end, far_end;
	socklen_t near_len = sizeof(near_end), far_len = sizeof(far_end);
	struct resolve_address here, there;

	if (getsockname(fd, (struct sockaddr *)&near_end, &near_len) == -1 ||
	    getpeername(fd, (struct sockaddr *)&far_end, &far_len) == -1 ||
	    !address_of(&near_end, &here) || !address_of(&far_end, &there) ||
	    !is_same(&here, &there))
		return false;
	for (unsigned i = 0; i < o->listener_cnt; i++)
		if (o->listeners[i].port == port &&
		    is_wide(&o->listeners[i], there.family))
			return true;
	return false;
}
