/* endpoint.c - a unix socket connects at once, or says why it does not. */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "master/endpoint.h"

#define UNREAD_MAX	(16u << 10)	/* bytes of answers, 16 each */

/* The connection, or -1 and errno. */
static int
dial(const struct plan_endpoint *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, error;

	_Static_assert(sizeof(e->path) <= sizeof(to.sun_path),
	    "an endpoint's path fits an address");
	memcpy(to.sun_path, e->path, sizeof(e->path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 || connect(fd, (const struct sockaddr *)&to,
	    sizeof(to)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

enum err
endpoint_asked(struct process *p, const struct msg_endpoint_ask *ask)
{
	int fd;

	if (ask->index >= p->row.endpoint_cnt ||
	    link_unsent(p->link) > UNREAD_MAX)
		return ERR_PEER;
	if ((fd = dial(&p->endpoints[ask->index])) == -1)
		(void)link_send_endpoint_failed(p->link,
		    &(struct msg_endpoint_failed){ ask->request,
		    (uint32_t)errno });
	else {
		(void)link_send_endpoint_open(p->link,
		    &(struct msg_endpoint_open){ ask->request }, fd);
		close(fd);
	}
	return OK;
}
