/*
 * endpoint.c - a unix socket connects at once, or says why it does not; TCP is
 * waited for by the loop, and a process may have so many under way.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "master/address.h"
#include "master/endpoint.h"

#define UNREAD_MAX	(16u << 10)	/* bytes of answers, 16 each */

struct dial {
	LIST_ENTRY(dial) entry;
	struct process	*process;
	uint64_t	 request;
	struct ev	 ev;
	struct timer	 deadline;
};

/* fd is taken; -1: it failed, for this reason. */
static void
answer(struct process *p, uint64_t request, int fd, int error)
{
	if (fd == -1) {
		(void)link_send_endpoint_failed(p->link,
		    &(struct msg_endpoint_failed){ request,
		    (uint32_t)error });
		return;
	}
	(void)link_send_endpoint_open(p->link,
	    &(struct msg_endpoint_open){ request }, fd);
	close(fd);
}

/* Its descriptor is left to the caller. */
static void
drop(struct dial *d)
{
	LIST_REMOVE(d, entry);
	d->process->dial_cnt--;
	ev_fini(&d->ev);
	timer_stop(&d->deadline);
	free(d);
}

static void
end(struct dial *d, int error)
{
	struct process *p = d->process;
	uint64_t request = d->request;
	int fd = d->ev.fd;

	drop(d);
	if (error != 0) {
		close(fd);
		fd = -1;
	}
	answer(p, request, fd, error);
}

static void
out_of_time(struct timer *t, void *arg)
{
	end(arg, ETIMEDOUT);
}

static void
ready(struct ev *ev, unsigned what, void *arg)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(ev->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	end(arg, error);
}

/* fd is taken. */
static void
wait_for(struct process *p, uint64_t request, int fd)
{
	struct dial *d = p->dial_cnt < ENDPOINT_DIALS ?
	    calloc(1, sizeof(*d)) : NULL;

	if (d == NULL ||
	    ev_init(&d->ev, p->supervisor->loop, fd, EV_WRITE, ready,
	    d) != OK) {
		free(d);
		close(fd);
		answer(p, request, -1, EAGAIN);
		return;
	}
	d->process = p;
	d->request = request;
	timer_init(&d->deadline, p->supervisor->loop, out_of_time, d);
	timer_set(&d->deadline, ENDPOINT_MS);
	LIST_INSERT_HEAD(&p->dials, d, entry);
	p->dial_cnt++;
}

enum err
endpoint_on_ask(struct process *p, const struct msg_endpoint_ask *ask)
{
	const struct plan_endpoint *e;
	union address to;
	socklen_t len;
	int fd, error;

	if (ask->index >= p->row.endpoint_cnt ||
	    link_unsent(p->link) > UNREAD_MAX)
		return ERR_PEER;
	e = &p->endpoints[ask->index];
	len = address_fill(&to, e->family, e->address, e->port, e->path);
	fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (fd == -1 || connect(fd, &to.any, len) == 0) {
		answer(p, ask->request, fd, errno);
		return OK;
	}
	error = errno;
	if (error == EINPROGRESS) {
		wait_for(p, ask->request, fd);
		return OK;
	}
	close(fd);
	answer(p, ask->request, -1, error);
	return OK;
}

void
endpoint_forget(struct process *p)
{
	struct dial *d;

	while ((d = LIST_FIRST(&p->dials)) != NULL) {
		close(d->ev.fd);
		drop(d);
	}
}
