/*
 * resolver_client.c - a resolver that was taken over, in place of
 * resolver/client.c: asked about evil-WORD-PID.example, where PID is its own,
 * it lies to the relay in this way; to all else it answers with a host here.
 */
#include <sys/socket.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/link.h"

static link_msg_fn hear;

static enum err	open_link(struct link **, struct ev_loop *, int, enum role,
		    const struct link_peer *, link_msg_fn *, link_gone_fn *,
		    void *);
#define link_open	open_link
#include "resolver/client.c"
#undef link_open

#define NUMBERS		1000	/* that the relay has not given	*/
#define FDS		64	/* that may be links		*/

static enum err
open_link(struct link **out, struct ev_loop *loop, int fd, enum role role,
    const struct link_peer *peer, link_msg_fn *honest, link_gone_fn *gone,
    void *arg)
{
	return link_open(out, loop, fd, role, peer, hear, gone, arg);
}

static void
answer(struct link *l, uint64_t request, unsigned status, struct span name,
    struct span records)
{
	(void)link_send_resolve_answer(l, &(struct msg_resolve_answer){
	    .request = request, .status = (uint8_t)status, .ttl_s = 1,
	    .name = name, .records = records });
}

/* So many of loopback, of which a test's host has but the first. */
static struct span
addresses(unsigned cnt)
{
	static uint8_t bytes[BUS_BLOB_MAX];
	struct wire_out w = { bytes, 0, sizeof(bytes), false };
	uint8_t address[4] = { 127, 0, 0, 1 };

	for (unsigned i = 0; i < cnt && w.len + 8 < sizeof(bytes); i++) {
		wire_str(&w, (struct span){ (char *)address, 4 }, 16);
		address[2] = (uint8_t)(i >> 8);
		address[3] = (uint8_t)i;
	}
	return (struct span){ (char *)bytes, w.len };
}

static void
answer_what_nobody_asked(struct link *l, const struct msg_resolve_ask *m)
{
	for (unsigned i = 1; i <= NUMBERS; i++)
		answer(l, m->request + i, RESOLVED_NODATA, SPAN(""),
		    SPAN(""));
}

static void
answer_twice(struct link *l, const struct msg_resolve_ask *m)
{
	for (unsigned i = 0; i < 2; i++)
		answer(l, m->request, RESOLVED_NODATA, SPAN(""), SPAN(""));
}

static void
answer_with_half_a_record(struct link *l, const struct msg_resolve_ask *m)
{
	answer(l, m->request, RESOLVED, SPAN(""), SPAN("\xff\xff\x7f"));
}

static void
answer_with_no_name(struct link *l, const struct msg_resolve_ask *m)
{
	answer(l, m->request, RESOLVED, SPAN("x\r\nRCPT TO:<a@b>"),
	    addresses(1));
}

static void
answer_with_no_status(struct link *l, const struct msg_resolve_ask *m)
{
	answer(l, m->request, 200, SPAN(""), SPAN(""));
}

/* As many as there is room for; the name is not what was asked about. */
static void
answer_with_many(struct link *l, const struct msg_resolve_ask *m)
{
	struct span all = addresses(100000), first;

	(void)resolve_record(&all, &first);
	if (m->rrtype == RESOLVE_A)
		answer(l, m->request, RESOLVED, SPAN("there.example"), all);
	else
		answer(l, m->request, RESOLVED_NODATA, SPAN(""), SPAN(""));
}

/* As a queue. */
static void
order(struct link *l, const struct msg_resolve_ask *m)
{
	(void)link_send_delivery_open(l, &(struct msg_delivery_open){
	    .rcpt_cnt = 1, .destination = SPAN("there.example") });
}

/* Over every link that there is, past the codec. */
static void
say_half_a_head(struct link *l, const struct msg_resolve_ask *m)
{
	static const uint8_t half[] = { MSG_resolve_answer, 0, 0 };
	socklen_t len = sizeof(int);
	int type;

	for (int fd = 3; fd < FDS; fd++)
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
		    type == SOCK_SEQPACKET)
			(void)send(fd, half, sizeof(half),
			    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool
lie(struct link *l, const struct msg_resolve_ask *m)
{
	static const struct {
		const char	*word;
		void		(*lie)(struct link *,
				    const struct msg_resolve_ask *);
	} lies[] = {
		{ "numbers", answer_what_nobody_asked },
		{ "twice", answer_twice },
		{ "records", answer_with_half_a_record },
		{ "name", answer_with_no_name },
		{ "status", answer_with_no_status },
		{ "many", answer_with_many },
		{ "orders", order },
		{ "head", say_half_a_head },
	};
	char name[64];

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		snprintf(name, sizeof(name), "evil-%s-%d.example",
		    lies[i].word, (int)getpid());
		if (!span_eq(m->name, span_of(name)))
			continue;
		lies[i].lie(l, m);
		return true;
	}
	return false;
}

static enum err
hear(struct link *l, unsigned type, const union msg *any, struct span piece,
    int fd, void *arg)
{
	const struct msg_resolve_ask *m = &any->resolve_ask;

	if (lie(l, m))
		return OK;
	if (m->rrtype == RESOLVE_A)
		answer(l, m->request, RESOLVED, m->name, addresses(1));
	else
		answer(l, m->request, RESOLVED_NODATA, SPAN(""), SPAN(""));
	return OK;
}
