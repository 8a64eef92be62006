/* notify.c - a datagram a state, to a path or an abstract address. */
#include <sys/socket.h>
#include <sys/un.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"
#include "master/notify.h"
#include "sys/clock.h"

static socklen_t
fill_place(struct sockaddr_un *to)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    (len = strlen(path)) >= sizeof(to->sun_path))
		return 0;
	to->sun_family = AF_UNIX;
	memcpy(to->sun_path, path, len);
	if (path[0] == '@')
		to->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* Along with a descriptor, which the other side has for its own; -1: none. */
static void
tell_along(const char *state, int along)
{
	union {
		struct cmsghdr	 head;
		char		 room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct sockaddr_un to = { 0 };
	struct iovec iov = { (void *)(uintptr_t)state, strlen(state) };
	struct msghdr m = {
		.msg_name = &to, .msg_namelen = fill_place(&to),
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	int fd;

	if (m.msg_namelen == 0)
		return;
	if (along != -1) {
		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
		control.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
		    .cmsg_type = SCM_RIGHTS,
		    .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.head), &along, sizeof(along));
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return;
	(void)sendmsg(fd, &m, MSG_NOSIGNAL);
	close(fd);
}

static void
tell(const char *state)
{
	tell_along(state, -1);
}

bool
notify_is_wanted(void)
{
	return getenv("NOTIFY_SOCKET") != NULL;
}

void
notify_ready(void)
{
	tell("READY=1");
}

void
notify_reloading(void)
{
	char state[80];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)clock_mono_ms() * 1000);
	tell(state);
}

void
notify_stopping(void)
{
	tell("STOPPING=1");
}

void
notify_alive(void)
{
	tell("WATCHDOG=1");
}

void
notify_status(const char *text)
{
	char state[600];

	snprintf(state, sizeof(state), "STATUS=%s", text);
	tell(state);
}

void
notify_keep(const char *name, int fd)
{
	char state[160];

	/* It is no reason to let go of it that nobody listens for a while. */
	snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	tell_along(state, fd);
}

void
notify_unkeep(const char *name)
{
	char state[160];

	snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	tell(state);
}

int64_t
notify_alive_ms(void)
{
	unsigned long long usec, pid;

	if (!span_number(span_of(getenv("WATCHDOG_USEC")), UINT32_MAX * 1000ull,
	    &usec))
		return 0;
	if (getenv("WATCHDOG_PID") != NULL &&
	    (!span_number(span_of(getenv("WATCHDOG_PID")), INT32_MAX, &pid) ||
	    pid != (unsigned long long)getpid()))
		return 0;
	return (int64_t)(usec / 2000);
}
