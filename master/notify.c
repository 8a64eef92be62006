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

static void
tell(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len;
	int fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    (len = strlen(path)) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (const struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
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
