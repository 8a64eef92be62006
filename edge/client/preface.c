/*
 * preface.c - reads a header and not a byte more: of a line as much as a look
 * ahead shows to be its own.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "edge/client/preface.h"
#include "mail/proxy_header.h"
#include "sys/counters.h"

struct preface {
	LIST_ENTRY(preface) entry;
	struct prefaces	*owner;
	struct ev	 ev;
	struct timer	 timer;
	struct client_address proxy;
	uint8_t		 buf[PROXY_HEADER_MAX];
	size_t		 len;
};

/* Its descriptor is the caller's from here on. */
static int
let_go(struct preface *p)
{
	int fd = p->ev.fd;

	ev_fini(&p->ev);
	timer_stop(&p->timer);
	LIST_REMOVE(p, entry);
	p->owner->cnt--;
	free(p);
	return fd;
}

static void
give_up(struct preface *p, const char *why)
{
	char client[CLIENT_ADDRESS_TEXT];
	struct log_line l;

	client_address_text(&p->proxy, client);
	log_begin(&l, LOG_refused);
	log_text(&l, LOG_KEY_client, client);
	log_text(&l, LOG_KEY_command, "connect");
	log_text(&l, LOG_KEY_why, why);
	log_end(&l);
	counter_add(COUNTER_turned_away, 1);
	close(let_go(p));
}

static void
too_late(struct timer *t, void *arg)
{
	give_up(arg, "no PROXY header came");
}

/* IPv4 in IPv6 is IPv4, as everywhere. */
static struct client_address
client_of(const struct preface *p, const struct proxy_header *h)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	struct client_address a = { .family = h->family };

	if (h->is_own)
		return p->proxy;
	memcpy(a.bytes, h->address, sizeof(a.bytes));
	if (a.family == 6 && memcmp(a.bytes, mapped, sizeof(mapped)) == 0) {
		a = (struct client_address){ .family = 4 };
		memcpy(a.bytes, h->address + 12, 4);
	}
	return a;
}

static void
judge(struct preface *p)
{
	struct prefaces *owner = p->owner;
	struct client_address a;
	struct proxy_header h;

	if (proxy_header_read(p->buf, p->len, &h) != OK) {
		give_up(p, "no PROXY header");
		return;
	}
	a = client_of(p, &h);
	owner->fn(let_go(p), &a, owner->arg);
}

/* Of a line no byte behind its end.  What recv() says. */
static ssize_t
read_some(struct preface *p, size_t room, bool is_line)
{
	uint8_t *at = p->buf + p->len, *end;
	ssize_t n;

	if (!is_line)
		return recv(p->ev.fd, at, room, MSG_DONTWAIT);
	n = recv(p->ev.fd, at, room, MSG_DONTWAIT | MSG_PEEK);
	if (n <= 0)
		return n;
	end = memchr(at, '\n', (size_t)n);
	return recv(p->ev.fd, at, end != NULL ? (size_t)(end - at) + 1 :
	    (size_t)n, MSG_DONTWAIT);
}

static void
on_ready(struct ev *ev, unsigned what, void *arg)
{
	struct preface *p = arg;
	bool is_line;
	size_t room;
	ssize_t n;

	while ((room = proxy_header_room(p->buf, p->len, &is_line)) > 0) {
		n = read_some(p, room, is_line);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			give_up(p, "client left");
			return;
		}
		p->len += (size_t)n;
	}
	judge(p);
}

void
preface_init(struct prefaces *all, struct ev_loop *loop, preface_fn *fn,
    void *arg)
{
	*all = (struct prefaces){ .loop = loop, .fn = fn, .arg = arg };
	LIST_INIT(&all->all);
}

void
preface_fini(struct prefaces *all)
{
	while (!LIST_EMPTY(&all->all))
		close(let_go(LIST_FIRST(&all->all)));
}

enum err
preface_take(struct prefaces *all, int fd, const struct client_address *proxy)
{
	struct preface *p = NULL;
	enum err e;

	if (all->cnt < PREFACE_MAX)
		p = calloc(1, sizeof(*p));
	if (p == NULL) {
		close(fd);
		return all->cnt < PREFACE_MAX ? ERR_FULL : OK;
	}
	if ((e = ev_init(&p->ev, all->loop, fd, EV_READ, on_ready, p)) != OK) {
		close(fd);
		free(p);
		return e;
	}
	p->owner = all;
	p->proxy = *proxy;
	timer_init(&p->timer, all->loop, too_late, p);
	timer_set(&p->timer, PREFACE_MS);
	LIST_INSERT_HEAD(&all->all, p, entry);
	all->cnt++;
	return OK;
}
