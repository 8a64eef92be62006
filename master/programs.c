/*
 * programs.c - between fork() and exec only calls that are safe there.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "master/programs.h"

#define ENV_MAX		16	/* variables passed on */

static int	 files[ROLE__COUNT];
static int	 null_fd = -1;

static const char *const passed_on[] = {
	"ASAN_OPTIONS", "CREDENTIALS_DIRECTORY", "JOURNAL_STREAM",
	"LSAN_OPTIONS", "POSTERN_TRACE", "PATH", "TZ", "UBSAN_OPTIONS",
};

static enum err
complain(const char *path, const char *why)
{
	struct log_line l;
	int error = errno;

	log_begin(&l, LOG_trouble);
	log_text(&l, LOG_KEY_why, why);
	log_text(&l, LOG_KEY_file, path);
	log_text(&l, LOG_KEY_reply, strerror(error));
	log_end(&l);
	errno = error;
	return ERR_SYS;
}

bool
programs_directory(char *buf, size_t cap)
{
	ssize_t len = readlink("/proc/self/exe", buf, cap);
	char *slash;

	if (len == -1 || (size_t)len >= cap)
		return false;
	buf[len] = '\0';
	if ((slash = strrchr(buf, '/')) != NULL)
		slash[1] = '\0';
	return true;
}

static enum err
open_program(enum role role, const char *dir)
{
	char path[PATH_MAX + 64];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", dir, role_row(role)->program);
	/* Our own file may have been replaced since we were started. */
	if (strcmp(role_row(role)->program, role_row(ROLE_MASTER)->program)
	    == 0)
		(void)strlcpy(path, "/proc/self/exe", sizeof(path));
	if ((files[role] = open(path, O_PATH | O_CLOEXEC)) == -1 ||
	    fstat(files[role], &st) == -1)
		return complain(path, "a program is missing");
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0) {
		errno = EACCES;
		return complain(path, "not a program");
	}
	return OK;
}

/* Launchers and the like are forked by a relay, the tool is anybody's. */
static bool
is_started_here(enum role role)
{
	return role != ROLE_LAUNCHER && role != ROLE_COURIER &&
	    role != ROLE_FINDER && role != ROLE_RUNNER && role != ROLE_TOOL;
}

enum err
programs_open(void)
{
	char dir[PATH_MAX];
	enum err e = OK;

	if (!programs_directory(dir, sizeof(dir)))
		return complain("/proc/self/exe", "who are we?");
	for (unsigned r = 0; r < ROLE__COUNT && e == OK; r++)
		if (is_started_here(r))
			e = open_program(r, dir);
	if (e == OK && (null_fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		e = complain("/dev/null", "cannot be opened");
	return e;
}

static void
pick_environment(char **env)
{
	size_t cnt = 0;

	for (char **v = environ; v != NULL && *v != NULL; v++)
		for (size_t i = 0; i < sizeof(passed_on) /
		    sizeof(passed_on[0]) && cnt < ENV_MAX; i++) {
			size_t len = strlen(passed_on[i]);

			if (strncmp(*v, passed_on[i], len) == 0 &&
			    (*v)[len] == '=')
				env[cnt++] = *v;
		}
	env[cnt] = NULL;
}

/* In the child.  Returns only when something failed. */
static void
become(int program, char *const argv[], char *const env[], int fd)
{
	sigset_t none;

	sigemptyset(&none);
	(void)setpgid(0, 0);	/* Ctrl-C is for master alone */
	if (sigprocmask(SIG_SETMASK, &none, NULL) == -1 ||
	    dup2(null_fd, STDIN_FILENO) == -1 ||
	    dup2(null_fd, STDOUT_FILENO) == -1)
		return;
	if (fd == PROGRAMS_FD ? fcntl(fd, F_SETFD, 0) == -1 :
	    dup2(fd, PROGRAMS_FD) == -1)
		return;
	fexecve(program, argv, env);
}

enum err
programs_run(pid_t *out, enum role role, char *const argv[], int fd)
{
	char *env[ENV_MAX + 1];
	int program;
	pid_t pid;

	if (!is_started_here(role)) {
		errno = EINVAL;
		return ERR_SYS;
	}
	pick_environment(env);
	/* Out of the way of descriptor 3, which is about to be replaced. */
	if ((program = fcntl(files[role], F_DUPFD_CLOEXEC, 10)) == -1)
		return ERR_SYS;
	if ((pid = fork()) == 0) {
		become(program, argv, env, fd);
		_exit(127);
	}
	close(program);
	if (pid == -1)
		return ERR_SYS;
	*out = pid;
	return OK;
}
