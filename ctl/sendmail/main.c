/*
 * main.c - postern-sendmail: sendmail(1), mailq, newaliases and rmail.
 *
 *	args letter text (fields) who mailbox handover submit smtp keep
 *	talk (-bs) rmail
 *
 * It is the caller's program with the caller's rights: the message goes to an
 * edge over its unix socket, and the kernel tells the edge who calls; or into
 * the drop directory, where the file's owner tells it.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/ask.h"
#include "ctl/sendmail/args.h"
#include "ctl/sendmail/handover.h"
#include "ctl/sendmail/rmail.h"
#include "ctl/sendmail/talk.h"
#include "sys/files.h"
#include "sys/inherited.h"

#define CONFIG_PATH	"/etc/postern/postern.conf"
#define SOCKET_PATH	"/run/postern/sendmail"
#define DROP_PATH	"/var/lib/postern/drop"

struct places {
	char	 home[DOMAIN_MAX + 1];	/* "" it says none	*/
	char	 socket[PATH_MAX];
	char	 drop[PATH_MAX];
};

/*
 * What users of this host are called by others, where the edge listens, and
 * where is kept what it does not take now, as the configuration says; by custom
 * where that cannot be read: it may be about to be written.
 */
static void
find_places(const char *config, struct places *p)
{
	static const struct conf_opener opener = {
		.read = files_read, .glob = files_glob,
	};
	char cwd[PATH_MAX];
	const struct conf_host host = { .cwd = cwd };
	struct conf_report report = { .line = NULL };
	struct conf *c = NULL;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		(void)strlcpy(cwd, "/", sizeof(cwd));
	p->home[0] = '\0';
	(void)strlcpy(p->drop, DROP_PATH, sizeof(p->drop));
	(void)strlcpy(p->socket, SOCKET_PATH, sizeof(p->socket));
	if (conf_load(&c, config, &opener, &host, &report) == OK) {
		(void)span_cstr(ask_drop(c), p->drop, sizeof(p->drop));
		(void)span_cstr(ask_text(c, "process", SPAN(""), "domains"),
		    p->home, sizeof(p->home));
		if (ask_socket(c).len > 0)
			(void)span_cstr(ask_socket(c), p->socket,
			    sizeof(p->socket));
	}
	conf_free(&c);
}

/* Become the tool beside our own file. */
static int
run_tool(const struct args *a, const char *verb, const char *second,
    const char *option, const char *more)
{
	const char *config = a->config != NULL ? a->config : CONFIG_PATH;
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 16);
	char *slash;

	path[len > 0 ? len : 0] = '\0';
	if ((slash = strrchr(path, '/')) == NULL)
		slash = path;
	(void)strlcpy(slash + 1, "posternctl",
	    sizeof(path) - (size_t)(slash + 1 - path));
	execl(path, "posternctl", "-f", config, verb, second, option, more,
	    (char *)NULL);
	perror(path);
	return EX_OSFILE;
}

int
main(int argc, char **argv)
{
	const struct sigaction ignored = { .sa_handler = SIG_IGN };
	struct places places;
	const struct handover to = { places.socket, places.drop };
	struct args a;

	inherited_drop(inherited_named(argc, argv), 1);
	rmail_args(&argc, &argv);
	/* A limit on the size of files is an error like any other. */
	(void)sigaction(SIGXFSZ, &ignored, NULL);
	if (args_read(&a, argc, argv) != OK)
		return EX_USAGE;
	switch (a.mode) {
	case MODE_LIST:
		return run_tool(&a, "mailq", NULL, NULL, NULL);
	case MODE_FLUSH:
		return run_tool(&a, "queue", "flush", "--all", "--quiet");
	case MODE_ALIASES:
		return run_tool(&a, "aliases", NULL, NULL, NULL);
	case MODE_ROUTE:
		if (a.rcpt_cnt > 0)
			return run_tool(&a, "route", a.rcpts[0], NULL, NULL);
		fputs("sendmail: -bt takes an address: no address is rewritten "
		    "here, and it says\nwhere mail for it goes, as "
		    "posternctl route does\n", stderr);
		return EX_USAGE;
	case MODE_NOTHING:
		return EX_OK;
	default:
		break;
	}
	find_places(a.config != NULL ? a.config : CONFIG_PATH, &places);
	if (places.home[0] != '\0' && strcmp(places.home, "localhost") != 0)
		a.home = places.home;
	if (a.mode == MODE_TALK)
		return talk_run(&a, stdin, stdout, &to);
	if (a.mode == MODE_VERIFY)
		return handover_verify(&a, &to);
	return handover_send(&a, stdin, &to);
}
