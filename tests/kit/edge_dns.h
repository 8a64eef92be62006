/*
 * edge_dns - a resolver for the edge of edge_kit.h: it answers from what the
 * test has put down, at once or when the test says so, and can be lost.
 */
#ifndef TESTS_EDGE_DNS_H
#define TESTS_EDGE_DNS_H

#include "edge_kit.h"

#include "ask/resolve.h"

#define DNS_ROWS	64
#define DNS_HELD	64

/* What is known of a name; other names are RESOLVED_NXDOMAIN. */
struct dns_row {
	const char	*name;
	uint16_t	 rrtype;
	enum resolve_status status;
	const char	*rdata;
	size_t		 rdata_len;
};

static struct {
	struct link	*link;
	struct dns_row	 rows[DNS_ROWS];
	unsigned	 row_cnt;
	bool		 is_mute;	/* keeps questions	*/
	struct { uint64_t request; uint16_t rrtype; char name[300]; }
			 held[DNS_HELD];
	unsigned	 held_cnt;
	unsigned	 asked_cnt;
	char		 asked[4096];	/* "TYPE name," of each	*/
} dns;

static inline void
dns_answer(uint64_t request, uint16_t rrtype, const char *name)
{
	struct msg_resolve_answer m = { .request = request,
	    .status = RESOLVED_NXDOMAIN, .ttl_s = 60,
	    .trust = TRUST_INSECURE };
	char bytes[BUS_BLOB_MAX];
	size_t len = 0;

	for (unsigned i = 0; i < dns.row_cnt; i++) {
		const struct dns_row *r = &dns.rows[i];

		if (strcasecmp(r->name, name) != 0)
			continue;
		if (m.status == RESOLVED_NXDOMAIN)
			m.status = RESOLVED_NODATA;
		if (r->rrtype != rrtype)
			continue;
		m.status = (uint8_t)r->status;
		if (r->status != RESOLVED)
			break;
		assert_true(len + r->rdata_len + 2 <= sizeof(bytes));
		bytes[len++] = (char)(r->rdata_len & 0xff);
		bytes[len++] = (char)(r->rdata_len >> 8);
		memcpy(bytes + len, r->rdata, r->rdata_len);
		len += r->rdata_len;
	}
	m.records = (struct span){ bytes, len };
	(void)link_send_resolve_answer(dns.link, &m);
}

static inline enum err
dns_hears(struct link *l, unsigned type, const union msg *u,
    struct span piece, int fd, void *arg)
{
	const struct msg_resolve_ask *m = &u->resolve_ask;
	char name[300];

	assert_int_equal(type, MSG_resolve_ask);
	assert_true(span_cstr(m->name, name, sizeof(name)));
	dns.asked_cnt++;
	snprintf(dns.asked + strlen(dns.asked),
	    sizeof(dns.asked) - strlen(dns.asked), "%u %s,", m->rrtype, name);
	if (!dns.is_mute) {
		dns_answer(m->request, m->rrtype, name);
		return OK;
	}
	assert_true(dns.held_cnt < DNS_HELD);
	dns.held[dns.held_cnt].request = m->request;
	dns.held[dns.held_cnt].rrtype = m->rrtype;
	memcpy(dns.held[dns.held_cnt++].name, name, sizeof(name));
	return OK;
}

static inline void
dns_gone(struct link *l, enum err why, void *arg)
{
	link_close(&dns.link);
}

/* A new resolver, or a new link to the one there is. */
static inline void
dns_link(void)
{
	struct link_peer to_dns = { .role = ROLE_RESOLVER,
	    .block = "resolver" };
	struct link_peer to_edge = { .role = ROLE_EDGE, .block = "in" };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, pair), 0);
	link_close(&dns.link);
	assert_int_equal(link_open(&dns.link, kit.loop, pair[1],
	    ROLE_RESOLVER, &to_edge, dns_hears, dns_gone, NULL), OK);
	assert_int_equal(edge_link_resolver(kit.edge, pair[0], &to_dns), OK);
	kit_turn(KIT_TURNS);
}

static inline void
dns_start(void)
{
	memset(&dns, 0, sizeof(dns));
	kit_start();
	dns_link();
}

static inline void
dns_stop(void)
{
	link_close(&dns.link);
	kit_stop();
}

static inline void
dns_know(const char *name, uint16_t rrtype, enum resolve_status status,
    const char *rdata, size_t len)
{
	assert_true(dns.row_cnt < DNS_ROWS);
	dns.rows[dns.row_cnt++] = (struct dns_row){ name, rrtype, status,
	    rdata, len };
}

/* Answer what was held, and no more of what comes is. */
static inline void
dns_speak(void)
{
	unsigned cnt = dns.held_cnt;

	dns.is_mute = false;
	dns.held_cnt = 0;
	for (unsigned i = 0; i < cnt; i++)
		dns_answer(dns.held[i].request, dns.held[i].rrtype,
		    dns.held[i].name);
	kit_turn(KIT_TURNS);
}

#endif
