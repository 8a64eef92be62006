/*
 * listen.c - a batch a turn, so that those already in are served too.
 */
#include <sys/socket.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "edge/client/client.h"
#include "edge/edge.h"
#include "edge/client/listen.h"
#include "edge/client/preface.h"
#include "edge/protocol.h"
#include "sys/counters.h"

#define BATCH		64	/* connections a turn and a socket	*/
#define LAST_BATCHES	16	/* of them before a socket is closed */
#define PAUSE_MS	100	/* until we try again what failed	*/
#define TROUBLE_MS	60000	/* between two lines about it		*/

struct listen {
	struct edge	*edge;
	struct prefaces	 prefaces;	/* of proxies		*/
	struct timer	 pause;
	int64_t		 logged_ms;	/* when the log was told last, or 0 */
	unsigned	 cnt;
	struct ev	 evs[];
};

static void
want(struct listen *l, unsigned what)
{
	for (unsigned i = 0; i < l->cnt; i++)
		ev_want(&l->evs[i], what);
}

static void
go_on(struct timer *timer, void *arg)
{
	want(arg, EV_READ);
}

static void
pause_all(struct listen *l, int error)
{
	int64_t now = ev_now_ms(l->edge->loop);

	want(l, 0);
	timer_set(&l->pause, PAUSE_MS);
	if (l->logged_ms != 0 && now - l->logged_ms < TROUBLE_MS)
		return;
	l->logged_ms = now;
	log_why(LOG_trouble, "cannot accept connections", error);
}

/* Say no and close, without a session. */
static void
turn_away(const struct edge *edge, int fd, const struct client_address *a,
    const char *dsn, const char *text)
{
	const char *busy = edge->protocol->busy;
	char client[CLIENT_ADDRESS_TEXT], line[128];
	struct log_line l;
	int len = busy != NULL ? snprintf(line, sizeof(line), "%s", busy) :
	    snprintf(line, sizeof(line), "421 %s %s\r\n", dsn, text);

	/* Whether it is heard is the client's luck. */
	(void)!send(fd, line, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
	counter_add(COUNTER_turned_away, 1);
	if (!log_wants(LOG_DEBUG))
		return;
	client_address_text(a, client);
	log_begin(&l, LOG_refused);
	log_text(&l, LOG_KEY_client, client);
	log_text(&l, LOG_KEY_command, "connect");
	log_num(&l, LOG_KEY_code, 421);
	log_text(&l, LOG_KEY_dsn, dsn);
	log_text(&l, LOG_KEY_reply, text);
	log_end(&l);
}

/* Who is at the other end?  Of a unix socket, the kernel says whose it is. */
static bool
is_known(int fd, const struct sockaddr *sa, struct client_address *out)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (sa->sa_family != AF_UNIX)
		return client_address_of(sa, out);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return false;
	*out = client_address_user(peer.uid);
	return true;
}

/* Whose it is is known: fd is taken. */
static enum err
let_in(struct edge *edge, int fd, const struct client_address *a)
{
	unsigned cnt = 0;
	enum err e;

	if (edge->client_cnt >= edge->set.max_sessions) {
		turn_away(edge, fd, a, "4.3.2", "Too many sessions");
		return OK;
	}
	if ((e = limits_enter(edge->limits, a, &cnt)) != OK) {
		close(fd);
		return e;
	}
	if (cnt > edge->set.max_sessions_per_client &&
	    !client_address_is_loopback(a)) {
		limits_leave(edge->limits, a);
		turn_away(edge, fd, a, "4.7.0",
		    "Too many sessions of yours");
		return OK;
	}
	counter_add(COUNTER_accepted, 1);
	return client_open(edge, fd, a);
}

/* A new connection: fd is taken. */
static enum err
take_in(struct listen *l, int fd, const struct sockaddr *sa)
{
	struct edge *edge = l->edge;
	struct client_address a;
	int on = 1;

	if (!is_known(fd, sa, &a)) {
		close(fd);
		return OK;
	}
	/* Replies leave when they are written; a failure costs only time. */
	if (!client_address_is_local(&a))
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		    sizeof(on));
	if (nets_has(&edge->set.proxies, &a, 0))
		return preface_take(&l->prefaces, fd, &a);
	return let_in(edge, fd, &a);
}

/* A proxy has said whose connection it passes on. */
static void
on_preface(int fd, const struct client_address *a, void *arg)
{
	struct listen *l = arg;

	if (let_in(l->edge, fd, a) != OK)
		pause_all(l, ENOMEM);
}

/* What accept4() says about one connection, and not about us. */
static bool
is_passing(int error)
{
	return error == ECONNABORTED || error == EINTR || error == EPROTO ||
	    error == EPERM || error == ENETDOWN || error == ENETUNREACH ||
	    error == EHOSTDOWN || error == EHOSTUNREACH ||
	    error == ENOPROTOOPT || error == ENONET || error == EOPNOTSUPP;
}

/* False when nobody waits, or for now nobody can be taken in. */
static bool
take_batch(struct listen *l, const struct ev *ev)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd;

	for (int i = 0; i < BATCH; i++) {
		len = sizeof(sa);
		fd = accept4(ev->fd, (struct sockaddr *)&sa, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1 && is_passing(errno))
			continue;
		if (fd == -1 && errno == EAGAIN)
			return false;
		if (fd == -1) {
			pause_all(l, errno);
			return false;
		}
		if (take_in(l, fd, (struct sockaddr *)&sa) != OK) {
			pause_all(l, ENOMEM);
			return false;
		}
	}
	return true;
}

static void
listen_ready(struct ev *ev, unsigned what, void *arg)
{
	(void)take_batch(arg, ev);
}

enum err
listen_open(struct listen **out, struct edge *edge, const int *fds,
    unsigned cnt)
{
	struct listen *l = calloc(1, sizeof(*l) + cnt * sizeof(l->evs[0]));
	enum err e;

	if (l == NULL)
		return ERR_FULL;
	l->edge = edge;
	timer_init(&l->pause, edge->loop, go_on, l);
	preface_init(&l->prefaces, edge->loop, on_preface, l);
	for (; l->cnt < cnt; l->cnt++)
		if ((e = ev_init(&l->evs[l->cnt], edge->loop, fds[l->cnt],
		    EV_READ, listen_ready, l)) != OK) {
			listen_close(&l);
			return e;
		}
	*out = l;
	return OK;
}

void
listen_finish(struct listen *l)
{
	for (unsigned i = 0; l != NULL && i < l->cnt; i++)
		for (int n = 0; n < LAST_BATCHES; n++)
			if (!take_batch(l, &l->evs[i]))
				break;
}

void
listen_close(struct listen **lp)
{
	struct listen *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	timer_stop(&l->pause);
	preface_fini(&l->prefaces);
	for (unsigned i = 0; i < l->cnt; i++)
		ev_fini(&l->evs[i]);
	free(l);
}
