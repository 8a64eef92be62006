/*
 * client_address.c - see the header.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "edge/client/client_address.h"

bool
client_address_is_same(const struct client_address *a,
    const struct client_address *b)
{
	return a->family == b->family &&
	    memcmp(a->bytes, b->bytes, a->family == 6 ? 8 : 4) == 0;
}

bool
client_address_of(const struct sockaddr *sa, struct client_address *out)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;
	struct client_address a = { 0 };

	if (sa->sa_family == AF_INET) {
		a.family = 4;
		memcpy(a.bytes, &in->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		a.family = 4;
		memcpy(a.bytes, in6->sin6_addr.s6_addr + 12, 4);
	} else if (sa->sa_family == AF_INET6) {
		a.family = 6;
		memcpy(a.bytes, &in6->sin6_addr, 16);
	} else
		return false;
	*out = a;
	return true;
}

struct client_address
client_address_user(uint32_t uid)
{
	struct client_address a = { .family = 0 };
	uint32_t be = htonl(uid);

	memcpy(a.bytes, &be, sizeof(be));
	return a;
}

uint32_t
client_address_uid(const struct client_address *a)
{
	uint32_t be;

	memcpy(&be, a->bytes, sizeof(be));
	return ntohl(be);
}

bool
client_address_is_local(const struct client_address *a)
{
	return a->family == 0;
}

bool
client_address_is_loopback(const struct client_address *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (a->family == 4)
		return a->bytes[0] == 127;
	return a->family == 6 && memcmp(a->bytes, one, sizeof(one)) == 0;
}

void
client_address_text(const struct client_address *a, char *buf)
{
	if (client_address_is_local(a)) {
		snprintf(buf, CLIENT_ADDRESS_TEXT, "unix uid=%u",
		    (unsigned)client_address_uid(a));
		return;
	}
	if (inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, buf,
	    CLIENT_ADDRESS_TEXT) == NULL)
		buf[0] = '\0';
}

void
client_address_net_text(const struct client_address *a, char *buf)
{
	struct client_address net = *a;
	size_t len;

	if (client_address_is_local(a)) {
		snprintf(buf, CLIENT_ADDRESS_TEXT, "uid:%u",
		    (unsigned)client_address_uid(a));
		return;
	}
	if (a->family == 6)
		memset(net.bytes + 8, 0, 8);
	client_address_text(&net, buf);
	len = strlen(buf);
	if (a->family == 6)
		snprintf(buf + len, CLIENT_ADDRESS_TEXT - len, "/64");
}
