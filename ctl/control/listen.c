/* listen.c - one connection after the other, each with its rights. */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/control/listen.h"
#include "ctl/control/rights.h"
#include "ctl/control/tool.h"

#define BATCH		8	/* connections in one turn		*/
#define PAUSE_MS	100	/* when there are no descriptors	*/

struct listen {
	struct control	*control;
	struct ev	 ev;
	struct timer	 pause;
};

static void
take_in(struct control *c, int fd)
{
	enum right right = rights_of(fd);

	if (right == RIGHT_NONE)
		tool_turn_away(c, fd, STATUS_REFUSED, RIGHTS_REFUSAL);
	else if (c->draining || c->tool_cnt >= (right == RIGHT_ALL ?
	    TOOLS_MAX : READERS_MAX))
		tool_turn_away(c, fd, STATUS_BUSY, "too many at once");
	else
		tool_open(c, fd, right);
}

static void
go_on(struct timer *timer, void *arg)
{
	struct listen *l = arg;

	ev_want(&l->ev, EV_READ);
}

static void
ready(struct ev *ev, unsigned what, void *arg)
{
	struct listen *l = arg;

	for (int i = 0; i < BATCH; i++) {
		int fd = accept4(ev->fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd != -1) {
			take_in(l->control, fd);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		log_why(LOG_trouble, "cannot accept connections", errno);
		ev_want(ev, 0);
		timer_set(&l->pause, PAUSE_MS);
		return;
	}
}

enum err
listen_open(struct listen **out, struct control *c, int fd)
{
	struct listen *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR_SYS;
	l->control = c;
	timer_init(&l->pause, c->loop, go_on, l);
	if (ev_init(&l->ev, c->loop, fd, EV_READ, ready, l) != OK) {
		free(l);
		return ERR_SYS;
	}
	*out = l;
	return OK;
}

void
listen_close(struct listen **lp)
{
	struct listen *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	timer_stop(&l->pause);
	ev_fini(&l->ev);
	free(l);
}
