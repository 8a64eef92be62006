/*
 * launcher_program.c - between fork and exec.  The note says that nothing has
 * run until just before the program does, so a death on the way tells itself.
 */
#include <sys/prctl.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay/pipe/launcher_program.h"

#define ENV_ROOM	1100	/* bytes of a variable with its NUL	*/

/* The task's words, then the program's, each array with its NULL. */
struct words {
	char		*names[PROGRAM_ARGS_MAX + 1];
	char		*argv[PROGRAM_ARGS_MAX + 1];
	unsigned	 name_cnt, arg_cnt;
};

static void
say_why(const char *what)
{
	char line[160];
	int len = snprintf(line, sizeof(line), "%s: %s\n", what,
	    strerror(errno));

	(void)!write(STDERR_FILENO, line, (size_t)len);
}

/* The words of a request, each with its NUL. */
static void
split(struct words *w, struct launcher_ask *m, bool has_program)
{
	char *at = m->args;

	memset(w, 0, sizeof(*w));
	for (uint32_t i = 0; i < m->arg_cnt; i++) {
		if (has_program && i >= m->name_cnt)
			w->argv[w->arg_cnt++] = at;
		else
			w->names[w->name_cnt++] = at;
		at += strlen(at) + 1;
	}
}

static bool
settle(const int fds[3], int sure)
{
	sigset_t none;

	sigemptyset(&none);
	(void)setpgid(0, 0);
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) == -1)
			return false;
	return (sure == -1 ? close(SOCK_FD) == 0 :
	    dup2(sure, SOCK_FD) == SOCK_FD) &&
	    close_range(PROGRAM_FD + 1, ~0u, 0) == 0 &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static int
do_task(const struct launcher_life *life, struct words *w,
    struct launcher_env *env, struct launcher_note *note)
{
	struct launcher_room room = {
		.arg_cnt = w->name_cnt, .args = (const char **)w->names,
		.kept = KEPT_FD, .sure = SOCK_FD, .uid = &note->uid,
		.only_asks = w->arg_cnt == 0,
	};
	int end = life->task->run(&room);

	*env = room.env;
	return end;
}

/* A script's interpreter opens it by this descriptor. */
static void
execute(const struct launcher_life *life, char **argv,
    const struct launcher_env *e, struct launcher_note *note)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	char home[ENV_ROOM], user[ENV_ROOM], logname[ENV_ROOM],
	    shell[ENV_ROOM];
	char *env[] = { path, shell, home, e->user == NULL ? NULL : user,
	    logname, NULL };

	snprintf(home, sizeof(home), "HOME=%s", e->home);
	snprintf(shell, sizeof(shell), "SHELL=%s", e->shell);
	if (e->user != NULL) {
		snprintf(user, sizeof(user), "USER=%s", e->user);
		snprintf(logname, sizeof(logname), "LOGNAME=%s", e->user);
	}
	if (fcntl(PROGRAM_FD, F_SETFD, life->is_script ? 0 : FD_CLOEXEC) ==
	    -1)
		return;
	note->why = 0;
	fexecve(PROGRAM_FD, argv, env);
	note->why = LAUNCHER_NO_EXEC;
}

/* Becoming another user has undone what a relay's end would have done. */
static bool
die_with(pid_t launcher)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
	    getppid() == launcher;
}

void
launcher_program(const struct launcher_life *life, struct launcher_ask *m,
    const int fds[3], int sure, const struct launcher_user *own,
    struct launcher_note *note)
{
	struct launcher_env env = { own->home, own->name[0] == '\0' ? NULL :
	    own->name, "/bin/sh" };
	bool has_program = life->program != -1;
	struct words w;
	pid_t launcher = getppid();
	int end = 0;

	if (!settle(fds, sure))
		_exit(1);
	split(&w, m, has_program);
	if (has_program && !die_with(launcher))
		_exit(1);
	if (life->task != NULL)
		end = do_task(life, &w, &env, note);
	if (!has_program || (end == 0 && w.arg_cnt == 0)) {
		note->why = 0;
		_exit(end);
	}
	if (end == 0 && die_with(launcher))
		execute(life, w.argv, &env, note);
	if (end == 0)
		say_why("cannot be run");
	else
		note->why = end;
	_exit(1);
}
