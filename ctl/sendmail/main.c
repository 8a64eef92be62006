/*
 * main.c - postern-sendmail: sendmail(1), mailq and newaliases.
 *
 *	args text (fields) who mailbox smtp
 *
 * It is the caller's program with the caller's rights: the message goes to an
 * edge over its unix socket, and the kernel tells the edge who calls.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/ask.h"
#include "ctl/sendmail/args.h"
#include "ctl/sendmail/handover.h"
#include "sys/files.h"
#include "sys/inherited.h"

#define CONFIG_PATH	"/etc/postern/postern.conf"
#define SOCKET_PATH	"/run/postern/sendmail"

/* Where the edge listens, as the configuration says or by custom. */
static void
find_socket(const char *config, char *buf, size_t cap)
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
	if (conf_load(&c, config, &opener, &host, &report) != OK ||
	    !span_cstr(ask_socket(c), buf, cap) || buf[0] == '\0')
		(void)strlcpy(buf, SOCKET_PATH, cap);
	conf_free(&c);
}

/* Become the tool beside our own file. */
static int
run_tool(const struct args *a, const char *verb, const char *second,
    const char *option)
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
	execl(path, "posternctl", "-f", config, verb, second, option,
	    (char *)NULL);
	perror(path);
	return EX_OSFILE;
}

int
main(int argc, char **argv)
{
	char path[PATH_MAX];
	struct args a;

	inherited_drop(inherited_named(argc, argv), 1);
	if (args_read(&a, argc, argv) != OK)
		return EX_USAGE;
	switch (a.mode) {
	case MODE_LIST:
		return run_tool(&a, "queue", "list", NULL);
	case MODE_FLUSH:
		return run_tool(&a, "queue", "flush", "--all");
	case MODE_ALIASES:
		return run_tool(&a, "aliases", NULL, NULL);
	default:
		break;
	}
	find_socket(a.config != NULL ? a.config : CONFIG_PATH, path,
	    sizeof(path));
	return handover_send(&a, stdin, path);
}
