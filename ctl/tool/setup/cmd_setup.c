/*
 * cmd_setup.c - the configuration is written beside its place, checked there,
 * and takes the place only when it is good; what stood there stays as FILE.old.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "ctl/tool/cmd.h"
#include "ctl/tool/password.h"
#include "ctl/tool/setup/dialogue.h"

#define ALIASES	"/etc/aliases"

static bool
write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
	    O_CLOEXEC, mode);
	size_t len = strlen(text);
	bool good = fd != -1 && fchmod(fd, mode) == 0 &&
	    write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;

	if (!good)
		run_complain("cannot write %s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return good;
}

/* Beside the configuration. */
static bool
beside(const char *config, const char *name, char out[PATH_MAX])
{
	char copy[PATH_MAX];

	return strlcpy(copy, config, sizeof(copy)) < sizeof(copy) &&
	    snprintf(out, PATH_MAX, "%s/%s", dirname(copy), name) < PATH_MAX;
}

static bool
write_password(const char *path)
{
	char password[PASSWORD_MAX + 2];
	bool good;

	printf("Its password is kept in %s, for root alone.\n", path);
	(void)fflush(stdout);
	if (password_read(true, password) != OK)
		return false;
	(void)strlcat(password, "\n", sizeof(password));
	good = write_file(path, password, 0600);
	explicit_bzero(password, sizeof(password));
	return good;
}

/* A list of addresses that is not there yet begins with the one there is. */
static bool
begin_list(const char *path, const char *domain)
{
	char text[DIALOGUE_MAX + 64];

	if (access(path, F_OK) == 0)
		return true;
	snprintf(text, sizeof(text), "# one address a line\npostmaster@%s\n",
	    domain);
	return write_file(path, text, 0644);
}

/* An alias that is there is somebody's decision. */
static bool
add_root(const char *address)
{
	FILE *f = fopen(ALIASES, "a+e");
	char line[1024], last = '\n';
	bool found = false, good;

	if (f == NULL) {
		run_complain("cannot open %s: %s", ALIASES, strerror(errno));
		return false;
	}
	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		found = found || (strncasecmp(line, "root", 4) == 0 &&
		    line[4 + strspn(line + 4, " \t")] == ':');
		last = line[strlen(line) - 1];
	}
	if (found)
		printf("%s says already who reads root's mail; it stays so.\n",
		    ALIASES);
	else
		fprintf(f, "%sroot: %s\n", last == '\n' ? "" : "\n", address);
	good = fflush(f) == 0 && fsync(fileno(f)) == 0;
	if (fclose(f) != 0 || !good)
		run_complain("cannot write %s: %s", ALIASES, strerror(errno));
	return good;
}

static bool
put_in_place(const char *path, const char *fresh)
{
	char old[PATH_MAX];

	if (snprintf(old, sizeof(old), "%s.old", path) >= PATH_MAX)
		return false;
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, path,
	    RENAME_EXCHANGE) == 0) {
		if (rename(fresh, old) == 0)
			printf("What was in %s is in %s now.\n", path, old);
		return true;
	}
	if (errno != ENOENT || rename(fresh, path) == -1) {
		run_complain("cannot write %s: %s", path, strerror(errno));
		return false;
	}
	return true;
}

static void
say_next(const struct dialogue *d, const char *config)
{
	static const char *const words[] = {
		[SETUP_CLIENT_NO] = "echo hello | sendmail root",
		[SETUP_SUBMISSION_NO] = "posternctl user add NAME",
		[SETUP_MX_NO] = "echo user@domain >>RECIPIENTS",
		[SETUP_LOCAL_NO] = "echo hello | sendmail root",
	};

	printf("%s is written, and good.  Next:\n"
	    "  systemctl restart postern\n  %s\n  posternctl status\n",
	    config, words[d->no]);
}

static bool
write_all(struct dialogue *d, const char *config, const char *fresh)
{
	const char *answers[SETUP_ASK__COUNT];
	char password[PATH_MAX], *text;
	bool good;

	for (unsigned k = 0; k < SETUP_ASK__COUNT; k++)
		answers[k] = d->answers[k];
	if (!beside(config, "smarthost.password", password) ||
	    setup_text(d->no, answers, password, &text) != OK) {
		run_complain("no memory");
		return false;
	}
	good = (d->no != SETUP_CLIENT_NO || write_password(password)) &&
	    (d->no != SETUP_MX_NO || begin_list(
	    d->answers[SETUP_ASK_RECIPIENTS],
	    d->answers[SETUP_ASK_MX_DOMAIN])) &&
	    (d->no != SETUP_SUBMISSION_NO ||
	    access(d->answers[SETUP_ASK_USERS], F_OK) == 0 ||
	    write_file(d->answers[SETUP_ASK_USERS], "", 0600)) &&
	    ((setup_asks[SETUP_ASK_ROOT].kinds & 1u << d->no) == 0 ||
	    strcmp(d->answers[SETUP_ASK_ROOT], "-") == 0 ||
	    add_root(d->answers[SETUP_ASK_ROOT])) &&
	    write_file(fresh, text, 0644);
	free(text);
	return good;
}

enum run_end
cmd_setup(struct run *r)
{
	static struct dialogue d;
	char fresh[PATH_MAX];

	/* The password is read without stdio. */
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	if (r->arg_cnt > 0 && dialogue_kind(&d, r->args[0]) != OK) {
		run_complain("setup: client, submission, mx or local?");
		return END_USAGE;
	}
	if ((r->arg_cnt == 0 && dialogue_kind(&d, NULL) != OK) ||
	    dialogue_ask(&d) != OK) {
		run_complain("the answers have ended; nothing is written");
		return END_NOTHING;
	}
	if (snprintf(fresh, sizeof(fresh), "%s.new", r->config) >= PATH_MAX ||
	    !write_all(&d, r->config, fresh))
		return END_NOTHING;
	if (cmd_check_file(fresh) != END_DONE) {
		run_complain("what is in %s has these mistakes; %s is as it "
		    "was", fresh, r->config);
		return END_NOTHING;
	}
	if (!put_in_place(r->config, fresh))
		return END_NOTHING;
	say_next(&d, r->config);
	return END_DONE;
}
