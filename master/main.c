/*
 * main.c - the master: what the command line wants, then the loop.
 *
 *	main	   the command line
 *	check	   the child that reads the configuration, locked in
 *	plan	   what it handed over, verified
 *	programs   the program files, by descriptor
 *	dirs listen folder	what must be made or opened as root
 *	supervisor all processes;  process  one;  pair  the links between
 *	fault	   what deaths in a row come to;  shortage  limits reached
 *	endpoint   the connections it makes for others;  address  a place
 *	control	   what control asks
 *	reload stop	the two big changes
 *	kept	   listening sockets that outlive us; holder	who has a port
 *	rights	   what is kept of root's
 *	notify	   the service manager
 */
#include <sys/resource.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "bus/build.h"
#include "master/check.h"
#include "master/dirs.h"
#include "master/kept.h"
#include "master/supervisor.h"
#include "master/listen.h"
#include "master/rights.h"
#include "master/plan.h"
#include "master/programs.h"
#include "master/reload.h"
#include "master/stop.h"
#include "sys/inherited.h"
#include "sys/logfile.h"

#define DEFAULT_FILE	"/etc/postern/postern.conf"
#define USAGE_STATUS	2

struct wanted {
	const char	*file;
	bool		 check_only, wants_facts, debug;
	int		 plan_fd;	/* -1: no master waits for a plan */
};

__attribute__((noreturn))
static void
usage(void)
{
	fprintf(stderr, "usage: postern [-dnvV] [-f file]\n");
	exit(USAGE_STATUS);
}

static struct wanted
read_arguments(int argc, char **argv)
{
	struct wanted w = { .file = DEFAULT_FILE, .plan_fd = -1 };
	unsigned long long fd;
	int c;

	while ((c = getopt(argc, argv, "df:nH:vV")) != -1)
		switch (c) {
		case 'd':
			w.debug = true;
			break;
		case 'f':
			w.file = optarg;
			break;
		case 'n':
			w.check_only = true;
			break;
		case 'H':	/* internal: where master waits */
			if (!span_number(span_of(optarg), 1024, &fd))
				usage();
			w.plan_fd = (int)fd;
			break;
		case 'v':
			w.wants_facts = true;
			break;
		case 'V':
			printf("postern build %s, bus %d\n", build_id(),
			    BUS_VERSION);
			exit(0);
		default:
			usage();
		}
	if (optind != argc || (w.plan_fd != -1 && !w.check_only))
		usage();
	return w;
}

/* A check may read what its caller's shell has made. */
static int
named_descriptor(const struct wanted *w, int argc, char **argv)
{
	return w->plan_fd != -1 ? w->plan_fd : inherited_named(argc, argv);
}

__attribute__((noreturn))
static void
give_up(const char *why, int err)
{
	log_why(LOG_trouble, why, err);
	exit(1);
}

static void
raise_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static void
signalled(int signo, void *arg)
{
	switch (signo) {
	case SIGCHLD:
		supervisor_reap(arg);
		break;
	case SIGHUP:
		reload_begin(arg);
		break;
	default:
		stop_begin(arg);
	}
}

static void
take_signals(struct supervisor *h)
{
	static const int signals[] = { SIGCHLD, SIGHUP, SIGINT, SIGTERM };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (sigaction(SIGPIPE, &ignore, NULL) == -1)
		give_up("cannot ignore a signal", errno);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (ev_signal(h->loop, signals[i], signalled, h) != OK)
			give_up("cannot take a signal", errno);
}

static void
start(struct supervisor *h)
{
	struct plan *plan = NULL;
	enum err e;

	if (programs_open() != OK)
		exit(1);
	if ((e = plan_fetch(&plan, h->file)) != OK)
		exit(e == ERR_NONE ? EX_CONFIG : 1);
	if (dirs_take(plan->head.run_dir) != OK)
		exit(1);
	if (supervisor_start(h, plan) != OK) {
		listen_close(&h->listeners);
		give_up("cannot start", 0);
	}
	kept_end();
	plan_free(&plan);
}

int
main(int argc, char **argv)
{
	static struct supervisor supervisor;
	struct wanted w = read_arguments(argc, argv);
	struct ev_loop *loop;
	char prefix[32];

	if (w.check_only) {
		inherited_drop(named_descriptor(&w, argc, argv), 1);
		return check_run(w.file, w.plan_fd, w.wants_facts);
	}
	inherited_drop(STDERR_FILENO + 1, kept_count());
	kept_take();
	snprintf(prefix, sizeof(prefix), "master[%d]", (int)getpid());
	logfile_open(prefix, w.debug);
	raise_descriptors();
	if (rights_shrink() != OK)
		give_up("root's rights cannot be given up", errno);
	if (ev_open(&loop) != OK)
		give_up("event loop", errno);
	supervisor_init(&supervisor, loop, w.file, w.debug);
	take_signals(&supervisor);
	start(&supervisor);
	if (ev_run(loop) != OK)
		give_up("event loop", errno);
	listen_close(&supervisor.listeners);
	log_why(LOG_stopped, "all processes have ended", 0);
	return 0;
}
