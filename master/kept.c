/*
 * kept.c - between kept_take() and kept_end() the table holds what has come
 * and is not found; the manager keeps its own copy of each until it is told
 * otherwise, so a second death before we are ready changes nothing.
 */
#include <sys/socket.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"
#include "master/address.h"
#include "master/kept.h"
#include "master/notify.h"

#define FIRST_FD	3
#define KEPT_MAX	1024	/* more than any plan has	*/
#define NAME_MAX_LEN	80

struct kept {
	int	 fd;
	char	 name[NAME_MAX_LEN];
};

static struct kept *all;
static unsigned cnt;

static bool
number_of(const char *variable, unsigned long long max,
    unsigned long long *number)
{
	const char *text = getenv(variable);

	return text != NULL && span_number(span_of(text), max, number);
}

unsigned
kept_count(void)
{
	unsigned long long pid, fds;

	if (!number_of("LISTEN_PID", INT32_MAX, &pid) ||
	    pid != (unsigned long long)getpid() ||
	    !number_of("LISTEN_FDS", KEPT_MAX, &fds))
		return 0;
	return (unsigned)fds;
}

/* As fds and names of the manager allow: no colon, no control character. */
static void
name_of(const struct plan_listener *w, uint16_t worker, char *name)
{
	size_t len = w->family == 4 ? 4 : 16;
	int at = snprintf(name, NAME_MAX_LEN, "tcp%u-", w->family);

	for (size_t i = 0; i < len; i++)
		at += snprintf(name + at, NAME_MAX_LEN - (size_t)at, "%02x",
		    w->address[i]);
	(void)snprintf(name + at, NAME_MAX_LEN - (size_t)at, "-%u-%u",
	    w->port, worker);
}

void
kept_take(void)
{
	unsigned long long fds = kept_count();
	const char *names = getenv("LISTEN_FDNAMES");

	if (fds == 0 || names == NULL ||
	    (all = calloc(fds, sizeof(*all))) == NULL) {
		for (unsigned i = 0; i < fds; i++)
			close(FIRST_FD + (int)i);
		fds = 0;
	}
	for (unsigned i = 0; i < fds; i++) {
		size_t len = strcspn(names, ":");
		struct kept *k = &all[cnt++];

		k->fd = FIRST_FD + (int)i;
		if (len < sizeof(k->name))
			memcpy(k->name, names, len);
		names += names[len] == ':' ? len + 1 : len;
		(void)fcntl(k->fd, F_SETFD, FD_CLOEXEC);
		(void)fcntl(k->fd, F_SETFL, O_NONBLOCK);
	}
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
}

static bool
has_option(int fd, int option, int wanted)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 &&
	    value == wanted;
}

static bool
is_it(int fd, const struct plan_listener *w)
{
	union address want, is;
	socklen_t len = address_fill(&want, w->family, w->address, w->port,
	    w->path);
	socklen_t has = sizeof(is);

	memset(&is, 0, sizeof(is));
	return has_option(fd, SO_ACCEPTCONN, 1) &&
	    has_option(fd, SO_TYPE, SOCK_STREAM) &&
	    has_option(fd, SO_PROTOCOL, IPPROTO_TCP) &&
	    getsockname(fd, &is.any, &has) == 0 && has == len &&
	    memcmp(&is, &want, len) == 0;
}

static void
forget(struct kept *k)
{
	close(k->fd);
	notify_unkeep(k->name);
	*k = all[--cnt];
}

int
kept_find(const struct plan_listener *w, uint16_t worker)
{
	char name[NAME_MAX_LEN];
	int fd;

	if (w->family == 1)
		return -1;
	name_of(w, worker, name);
	for (unsigned i = 0; i < cnt; i++) {
		if (strcmp(all[i].name, name) != 0)
			continue;
		if (!is_it(all[i].fd, w)) {
			forget(&all[i]);
			return -1;
		}
		fd = all[i].fd;
		all[i] = all[--cnt];
		return fd;
	}
	return -1;
}

void
kept_end(void)
{
	while (cnt > 0)
		forget(&all[cnt - 1]);
	free(all);
	all = NULL;
}

void
kept_add(const struct plan_listener *w, uint16_t worker, int fd)
{
	char name[NAME_MAX_LEN];

	if (w->family == 1)
		return;
	name_of(w, worker, name);
	notify_keep(name, fd);
}

void
kept_remove(const struct plan_listener *w, uint16_t worker)
{
	char name[NAME_MAX_LEN];

	if (w->family == 1)
		return;
	name_of(w, worker, name);
	notify_unkeep(name);
}
