/*
 * crowd.c - a chained hash with a secret; at most max_sessions entries, so
 * the number of buckets can stand.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/client/crowd.h"

#define BUCKETS		4096u	/* power of two; 12,000 sessions: chains of 3 */

struct network {
	LIST_ENTRY(network) entry;
	uint8_t		 family;
	uint8_t		 bytes[8];
	unsigned	 session_cnt;
};

struct crowd {
	uint64_t	 secret;
	LIST_HEAD(, network) buckets[BUCKETS];
};

static struct network
network_of(const struct client_address *a)
{
	struct network n = { .family = a->family };

	memcpy(n.bytes, a->bytes, a->family == 4 ? 4 : 8);
	return n;
}

bool
crowd_is_same(const struct client_address *a, const struct client_address *b)
{
	return a->family == b->family &&
	    memcmp(a->bytes, b->bytes, a->family == 6 ? 8 : 4) == 0;
}

static unsigned
bucket_of(const struct crowd *c, const struct network *n)
{
	uint64_t h;

	memcpy(&h, n->bytes, sizeof(h));
	h = (h ^ c->secret ^ n->family) * 0x9e3779b97f4a7c15u;
	h = (h ^ (h >> 29)) * (c->secret | 1);
	return (unsigned)(h >> 40) & (BUCKETS - 1);
}

static struct network *
find(struct crowd *c, const struct network *want, unsigned bucket)
{
	struct network *n;

	LIST_FOREACH(n, &c->buckets[bucket], entry)
		if (n->family == want->family &&
		    memcmp(n->bytes, want->bytes, sizeof(n->bytes)) == 0)
			return n;
	return NULL;
}

enum err
crowd_new(struct crowd **out, uint64_t secret)
{
	struct crowd *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_FULL;
	c->secret = secret;
	*out = c;
	return OK;
}

void
crowd_free(struct crowd **cp)
{
	struct network *n;

	if (*cp == NULL)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		while ((n = LIST_FIRST(&(*cp)->buckets[i])) != NULL) {
			LIST_REMOVE(n, entry);
			free(n);
		}
	free(*cp);
	*cp = NULL;
}

bool
crowd_address(const struct sockaddr *sa, struct client_address *out)
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
crowd_user(uint32_t uid)
{
	struct client_address a = { .family = 0 };
	uint32_t be = htonl(uid);

	memcpy(a.bytes, &be, sizeof(be));
	return a;
}

uint32_t
crowd_uid(const struct client_address *a)
{
	uint32_t be;

	memcpy(&be, a->bytes, sizeof(be));
	return ntohl(be);
}

bool
crowd_is_local(const struct client_address *a)
{
	return a->family == 0;
}

bool
crowd_is_loopback(const struct client_address *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (a->family == 4)
		return a->bytes[0] == 127;
	return a->family == 6 && memcmp(a->bytes, one, sizeof(one)) == 0;
}

void
crowd_text(const struct client_address *a, char *buf)
{
	if (crowd_is_local(a)) {
		snprintf(buf, CROWD_NET_TEXT, "unix uid=%u",
		    (unsigned)crowd_uid(a));
		return;
	}
	if (inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, buf,
	    CROWD_NET_TEXT) == NULL)
		buf[0] = '\0';
}

void
crowd_net_text(const struct client_address *a, char *buf)
{
	struct client_address net = *a;
	size_t len;

	if (crowd_is_local(a)) {
		snprintf(buf, CROWD_NET_TEXT, "uid:%u",
		    (unsigned)crowd_uid(a));
		return;
	}
	if (a->family == 6)
		memset(net.bytes + 8, 0, 8);
	crowd_text(&net, buf);
	len = strlen(buf);
	if (a->family == 6)
		snprintf(buf + len, CROWD_NET_TEXT - len, "/64");
}

enum err
crowd_enter(struct crowd *c, const struct client_address *a, unsigned *cnt)
{
	struct network want = network_of(a);
	unsigned bucket = bucket_of(c, &want);
	struct network *n = find(c, &want, bucket);

	if (n == NULL) {
		if ((n = malloc(sizeof(*n))) == NULL)
			return ERR_FULL;
		*n = want;
		LIST_INSERT_HEAD(&c->buckets[bucket], n, entry);
	}
	*cnt = ++n->session_cnt;
	return OK;
}

void
crowd_leave(struct crowd *c, const struct client_address *a)
{
	struct network want = network_of(a);
	struct network *n = find(c, &want, bucket_of(c, &want));

	if (n == NULL || --n->session_cnt > 0)
		return;
	LIST_REMOVE(n, entry);
	free(n);
}
