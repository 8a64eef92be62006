/*
 * What comes to the resolver and from it: a relay's questions, over a link;
 * trust anchors and hosts(5); and, on the other side, MX records.  The first
 * byte chooses.
 *
 * room: resolver
 * room: relay
 */
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay/mx/mx_choose.h"
#include "resolver/anchors.h"
#include "resolver/client.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* MX records. */

static bool
is_ours(struct span name, const void *arg)
{
	return name.len % 7 == 0;
}

static void
choose(struct span records)
{
	uint32_t seed = 1 + (uint32_t)records.len;
	struct mx_hosts l;

	if (mx_choose(&l, records, is_ours, NULL, &seed) != MX_HOSTS)
		return;
	if (l.cnt == 0 || l.cnt > MX_CHOOSE_MAX)
		abort();
	for (unsigned i = 0; i < l.cnt; i++) {
		char name[DNSNAME_MAX + 1];

		if (!dnsname_fold(span_of(l.hosts[i].name), name) ||
		    strcmp(name, l.hosts[i].name) != 0 ||
		    is_ours(span_of(name), NULL))
			abort();
		if (i > 0 &&
		    l.hosts[i].preference < l.hosts[i - 1].preference)
			abort();
		for (unsigned k = 0; k < i; k++)
			if (strcmp(name, l.hosts[k].name) == 0)
				abort();
	}
}

/* Files. */

/* What comes out goes in again, and comes out the same. */
static void
read_anchors(struct span text)
{
	static struct anchors first, again;

	first.cnt = first.line = 0;
	first.len = 0;
	if (anchors_parse(&first, text) != OK)
		return;
	for (unsigned i = 0; i < first.cnt; i++) {
		again.cnt = again.line = 0;
		again.len = 0;
		if (anchors_parse(&again, span_of(first.records[i])) != OK ||
		    again.cnt != 1 ||
		    strcmp(again.records[0], first.records[i]) != 0)
			abort();
	}
}

static void
read_hosts(struct span text)
{
	struct resolve_address found[4];
	struct hosts *h;
	unsigned cnt;

	if (hosts_parse(&h, text) != OK)
		return;
	if (hosts_find(h, "a", 4, found, 4, &cnt) && cnt > 4)
		abort();
	hosts_close(&h);
}

/* Questions. */

struct ends {
	struct link	*relay;
	struct client	*client;
	bool		 is_gone;
};

static struct ev_loop *loop;
static struct client_sources sources;

static void
set_up(void)
{
	static const char *const anchors[] = { NULL };
	static struct settings s;

	if (loop != NULL)
		return;
	/* Nobody is there, so nothing leaves this host. */
	s.anchors = anchors;
	memcpy(s.forwards[0], "127.0.0.1@1", 12);
	s.forward_cnt = 1;
	if (ev_open(&loop) != OK ||
	    hosts_parse(&sources.hosts, SPAN("192.0.2.1 a b.example")) != OK ||
	    dns_open(&sources.dns, loop, &s, stderr) != OK)
		abort();
}

static enum err
hear(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	if (type != MSG_resolve_answer ||
	    m->resolve_answer.status >= RESOLVE__COUNT)
		abort();
	return OK;
}

static void
lost(struct link *l, enum err why, void *arg)
{
	struct ends *e = arg;

	link_close(&e->relay);
}

static void
gone(struct client *c, enum err why, void *arg)
{
	struct ends *e = arg;

	if (why != ERR_PEER)
		abort();
	e->is_gone = true;
	client_close(&e->client);
}

static void
stop(struct timer *t, void *arg)
{
	ev_stop(loop);
}

static void
turn(void)
{
	struct timer t;

	timer_init(&t, loop, stop, NULL);
	timer_set(&t, 0);
	if (ev_run(loop) != OK)
		abort();
	timer_stop(&t);
}

static bool
makes_sense(uint16_t rrtype, struct span name)
{
	char folded[DNSNAME_MAX + 1];

	return rrtype != 0 && rrtype != 41 && (rrtype < 128 || rrtype > 255) &&
	    dnsname_fold(name, folded);
}

/* Type, length, name, and so on; the first bad one ends it. */
static void
ask(struct span text)
{
	static const struct link_peer resolver = { .role = ROLE_RESOLVER };
	static const struct link_peer relay = { .role = ROLE_RELAY };
	struct ends e = { 0 };
	bool is_sound = true;
	int fds[2];

	set_up();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, fds) == -1 || link_open(&e.relay, loop, fds[0], ROLE_RELAY,
	    &resolver, hear, lost, &e) != OK || client_open(&e.client, loop,
	    fds[1], &relay, &sources, gone, &e) != OK)
		abort();
	for (unsigned i = 0; i < 20 && text.len >= 3; i++) {
		const uint8_t *b = (const uint8_t *)text.ptr;
		uint16_t rrtype = (uint16_t)(b[0] << 8 | b[1]);
		struct span name = span_head(span_tail(text, 3), b[2]);

		is_sound = is_sound && makes_sense(rrtype, name);
		if (e.relay != NULL && link_send_resolve_ask(e.relay,
		    &(struct msg_resolve_ask){ i, rrtype, name }) != OK)
			break;
		text = span_tail(text, 3 + (size_t)b[2]);
	}
	for (unsigned i = 0; i < 3; i++)
		turn();
	if (e.is_gone == is_sound)
		abort();
	client_close(&e.client);
	link_close(&e.relay);
	if (sources.under_way != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span text = { (const char *)bytes, len };

	if (len == 0)
		return 0;
	text = span_tail(text, 1);
	switch (bytes[0] % 4) {
	case 0:
		choose(text);
		break;
	case 1:
		read_anchors(text);
		break;
	case 2:
		read_hosts(text);
		break;
	case 3:
		ask(text);
		break;
	}
	return 0;
}
