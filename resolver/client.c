/*
 * client.c - addresses from hosts(5) first, all else from DNS.
 */
#include <stdlib.h>
#include <unistd.h>

#include "ask/dnsname.h"
#include "resolver/client.h"
#include "sys/counters.h"

struct request {
	LIST_ENTRY(request) entry;
	struct client	*client;
	uint64_t	 request;	/* the client's number for it */
	struct dns_query *query;
};

struct client {
	struct link	*link;
	struct client_sources *sources;
	client_gone_fn	*gone;
	void		*arg;
	LIST_HEAD(, request) questions;
	unsigned	 cnt;
};

static const struct resolve_answer failure = { .status = RESOLVED_FAILED };

static void
drop(struct request *q)
{
	dns_cancel(&q->query);
	LIST_REMOVE(q, entry);
	q->client->cnt--;
	q->client->sources->under_way--;
	free(q);
}

/* A link that fails here says so to on_gone(). */
static void
send_answer(struct client *c, uint64_t request, const struct resolve_answer *a)
{
	if (a->status == RESOLVED_FAILED)
		counter_add(COUNTER_no_answers, 1);
	(void)link_send_resolve_answer(c->link, &(struct msg_resolve_answer){
	    .request = request, .status = (uint8_t)a->status,
	    .trust = (uint8_t)a->trust, .ttl_s = a->ttl_s, .name = a->name,
	    .records = a->records });
}

static void
answered(const struct resolve_answer *a, void *arg)
{
	struct request *q = arg;
	struct client *c = q->client;

	q->query = NULL;
	send_answer(c, q->request, a);
	drop(q);
}

/* Types that ask about the asking, not about a name (RFC 6895 3.1). */
static bool
is_askable(uint16_t rrtype)
{
	return rrtype != 0 && rrtype != 41 && !(rrtype >= 128 && rrtype < 256);
}

static bool
answer_from_hosts(struct client *c, const struct msg_resolve_ask *m,
    const char *name)
{
	struct resolve_address found[RESOLVE_ADDRESSES_MAX];
	uint8_t family = m->rrtype == RESOLVE_A ? 4 : 6, bytes[512];
	struct wire_out w = { bytes, 0, sizeof(bytes), false };
	struct resolve_answer a = { .ttl_s = HOSTS_TTL_S };
	unsigned cnt;

	if ((m->rrtype != RESOLVE_A && m->rrtype != RESOLVE_AAAA) ||
	    !hosts_find(c->sources->hosts, name, family, found,
	    RESOLVE_ADDRESSES_MAX, &cnt))
		return false;
	for (unsigned i = 0; i < cnt; i++)
		wire_str(&w, (struct span){ (char *)found[i].bytes,
		    family == 4 ? 4 : 16 }, 16);
	a.status = cnt > 0 ? RESOLVED : RESOLVED_NODATA;
	a.name = span_of(name);
	a.records = (struct span){ (char *)bytes, w.len };
	send_answer(c, m->request, &a);
	return true;
}

static void
ask_dns(struct client *c, const struct msg_resolve_ask *m, const char *name)
{
	struct request *q = NULL;

	if (c->cnt < CLIENT_QUESTIONS_MAX)
		q = calloc(1, sizeof(*q));
	if (q == NULL) {
		send_answer(c, m->request, &failure);
		return;
	}
	q->client = c;
	q->request = m->request;
	LIST_INSERT_HEAD(&c->questions, q, entry);
	c->cnt++;
	c->sources->under_way++;
	q->query = dns_ask(c->sources->dns, name, m->rrtype, answered, q);
	if (q->query == NULL)
		answered(&failure, q);
}

static enum err
on_msg(struct link *l, unsigned type, const union msg *any, struct span piece,
    int fd, void *arg)
{
	const struct msg_resolve_ask *m = &any->resolve_ask;
	char name[DNSNAME_MAX + 1];
	struct client *c = arg;

	if (type != MSG_resolve_ask || !is_askable(m->rrtype) ||
	    !dnsname_fold(m->name, name))
		return ERR_PEER;
	counter_add(COUNTER_questions, 1);
	if (!answer_from_hosts(c, m, name))
		ask_dns(c, m, name);
	return OK;
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct client *c = arg;

	c->gone(c, why, c->arg);
}

enum err
client_open(struct client **out, struct ev_loop *loop, int fd,
    const struct link_peer *peer, struct client_sources *sources,
    client_gone_fn *gone, void *arg)
{
	struct client *c = calloc(1, sizeof(*c));
	enum err e;

	if (c == NULL) {
		(void)close(fd);
		return ERR_SYS;
	}
	c->sources = sources;
	c->gone = gone;
	c->arg = arg;
	LIST_INIT(&c->questions);
	e = link_open(&c->link, loop, fd, ROLE_RESOLVER, peer, on_msg, on_gone,
	    c);
	if (e != OK) {
		free(c);
		return e;
	}
	*out = c;
	return OK;
}

void
client_close(struct client **cp)
{
	struct client *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	while (!LIST_EMPTY(&c->questions))
		drop(LIST_FIRST(&c->questions));
	link_close(&c->link);
	free(c);
}

const struct link_peer *
client_peer(const struct client *c)
{
	return link_peer(c->link);
}
