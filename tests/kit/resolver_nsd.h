/*
 * test_resolver_nsd - an NSD of the tests' own, as any user, on a free port of
 * 127.0.0.1, serving test_resolver_zones.h.
 *
 * It dies with the test.  A test without NSD is a test that failed: nsd_start()
 * says so and exits with 1.
 */
#ifndef TESTS_RESOLVER_NSD_H
#define TESTS_RESOLVER_NSD_H

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolver_zones.h"

#define NSD_WAIT_MS	10000	/* for it to serve */
#define NSD_PORTS_MAX	100	/* to be tried */

struct nsd {
	pid_t	 pid;
	int	 port;
	char	 dir[64];
	char	 address[32];	/* "127.0.0.1@port" */
};

__attribute__((noreturn))
static void
nsd_die(const char *why)
{
	fprintf(stderr, "test set-up: %s: %s\n", why, strerror(errno));
	exit(1);
}

/* A port of UDP that TCP has free as well, or 0. */
static int
nsd_port_of_both(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int port = 0;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (tcp == -1 || udp == -1 ||
	    bind(udp, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    getsockname(udp, (struct sockaddr *)&sin, &len) == -1)
		nsd_die("no free port");
	if (bind(tcp, (struct sockaddr *)&sin, sizeof(sin)) == 0)
		port = ntohs(sin.sin_port);
	close(tcp);
	close(udp);
	return port;
}

/* A port that is free for TCP and UDP, for now. */
static int
nsd_port(void)
{
	for (int i = 0; i < NSD_PORTS_MAX; i++) {
		int port = nsd_port_of_both();

		if (port != 0)
			return port;
	}
	nsd_die("no free port");
}

static void
nsd_file(const struct nsd *n, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", n->dir, name);
	if ((f = fopen(path, "w")) == NULL || fputs(text, f) == EOF ||
	    fclose(f) == EOF)
		nsd_die(path);
}

/* The zone, and in it a name with 1,001 addresses and as many hosts. */
static void
write_plain(const struct nsd *n)
{
	static char text[200000];
	size_t len = strlcpy(text, plain_zone, sizeof(text));

	for (unsigned i = 0; i < 1001; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "huge IN AAAA 2001:db8::%x\n"
		    "huge IN MX %u a-rather-long-name-of-a-host-no-%u\n",
		    i, 1001 - i, 1001 - i);
	assert_true(len < sizeof(text));
	nsd_file(n, "plain", text);
}

static void
nsd_configure(const struct nsd *n)
{
	char text[2048];

	snprintf(text, sizeof(text),
	    "server:\n"
	    "  ip-address: 127.0.0.1@%d\n  port: %d\n  username: \"\"\n"
	    "  chroot: \"\"\n  zonesdir: \"%s\"\n  pidfile: \"\"\n"
	    "  database: \"\"\n  zonelistfile: \"%s/list\"\n"
	    "  xfrdfile: \"\"\n  xfrdir: \"%s\"\n  server-count: 1\n"
	    "  logfile: \"%s/log\"\n  rrl-ratelimit: 0\n"
	    "remote-control:\n  control-enable: no\n"
	    "zone:\n  name: plain.example\n  zonefile: plain\n"
	    "zone:\n  name: signed.example\n  zonefile: signed\n",
	    n->port, n->port, n->dir, n->dir, n->dir, n->dir);
	nsd_file(n, "conf", text);
	write_plain(n);
	nsd_file(n, "signed", signed_zone);
}

/* Ask over UDP for plain.example SOA until something comes back. */
static void
nsd_wait(const struct nsd *n)
{
	static const unsigned char ask[] = "\0\1\0\0\0\1\0\0\0\0\0\0"
	    "\5plain\7example\0\0\6\0\1";
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char answer[512];

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)n->port);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		nsd_die("socket");
	for (int ms = 0; ms < NSD_WAIT_MS; ms += 50) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		(void)send(fd, ask, sizeof(ask) - 1, 0);
		if (poll(&p, 1, 50) == 1 &&
		    recv(fd, answer, sizeof(answer), 0) > 12) {
			close(fd);
			return;
		}
		if (waitpid(n->pid, NULL, WNOHANG) != 0)
			break;
		poll(NULL, 0, p.revents != 0 ? 50 : 0);
	}
	nsd_die("nsd (package nsd) does not answer");
}

/* Installed, or unpacked by tests/deps.sh for who runs in the tree's root. */
static const char *
nsd_program(void)
{
	static const char *const paths[] = {
		"/usr/sbin/nsd", "build/peers/usr/sbin/nsd" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	nsd_die("no nsd: tests/deps.sh test brings it, or apt-get install nsd");
}

static void
nsd_start(struct nsd *n)
{
	const char *program_path = nsd_program();
	char conf[128];

	strlcpy(n->dir, "/tmp/postern-nsd-XXXXXX", sizeof(n->dir));
	if (mkdtemp(n->dir) == NULL)
		nsd_die("mkdtemp");
	n->port = nsd_port();
	snprintf(n->address, sizeof(n->address), "127.0.0.1@%d", n->port);
	nsd_configure(n);
	snprintf(conf, sizeof(conf), "%s/conf", n->dir);
	if ((n->pid = fork()) == -1)
		nsd_die("fork");
	if (n->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		execl(program_path, "nsd", "-d", "-c", conf, (char *)NULL);
		_exit(127);
	}
	nsd_wait(n);
}

static int
nsd_unlink(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static void
nsd_stop(struct nsd *n)
{
	kill(n->pid, SIGTERM);
	while (waitpid(n->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	(void)nftw(n->dir, nsd_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
