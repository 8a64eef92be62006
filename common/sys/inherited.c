/*
 * inherited.c - signals as they are by default, and descriptors closed in two
 * ranges, around the one that stays.
 *
 * What is opened before the others are closed takes the lowest free number,
 * so that a hole among the first three is filled, and nothing else.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/span.h"
#include "sys/inherited.h"

__attribute__((noreturn))
static void
give_up(const char *what)
{
	perror(what);
	exit(1);
}

/* What a shell ignores on purpose, for what it runs behind its back. */
static bool
is_the_callers(int signo)
{
	return signo == SIGHUP || signo == SIGINT || signo == SIGQUIT;
}

/* Where SIGCHLD is ignored, nobody can be waited for. */
static void
reset_signals(void)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		if (!is_the_callers(i))		/* some cannot be changed */
			(void)sigaction(i, &usual, NULL);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		give_up("signals cannot be taken");
}

/* Or a socket of ours would be standard error. */
static void
fill_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd == -1)
		give_up("/dev/null");
	close(fd);
}

void
inherited_drop(int keep, unsigned cnt)
{
	unsigned first = STDERR_FILENO + 1;

	reset_signals();
	fill_standard();
	if (cnt > 0 && keep >= (int)first) {
		if (keep > (int)first &&
		    close_range(first, (unsigned)keep - 1, 0) == -1)
			give_up("descriptors cannot be closed");
		first = (unsigned)keep + cnt;
	}
	if (close_range(first, ~0u, 0) == -1)
		give_up("descriptors cannot be closed");
}

int
inherited_named(int argc, char *const argv[])
{
	static const char *const places[] = {
		"/dev/fd/", "/proc/self/fd/",
	};
	unsigned long long fd;

	for (int i = 1; i < argc; i++)
		for (size_t k = 0; k < sizeof(places) / sizeof(places[0]);
		    k++) {
			struct span arg = span_of(argv[i]);
			struct span place = span_of(places[k]);

			if (span_begins(arg, place) && span_number(
			    span_tail(arg, place.len), INT_MAX - 1, &fd))
				return (int)fd;
		}
	return -1;
}
