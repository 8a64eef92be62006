/*
 * cmd_check.c - check and reload.  Whoever reads the configuration when it
 * counts is the one to ask: `postern -n', the program beside ours.
 */
#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/tool/cmd.h"
#include "base/json.h"

static int
run_check(const char *program, const char *path)
{
	pid_t pid = fork();
	int status;

	if (pid == -1)
		return -1;
	if (pid == 0) {
		(void)dup2(STDERR_FILENO, STDOUT_FILENO);
		execl(program, program, "-n", "-f", path, (char *)NULL);
		fprintf(stderr, "posternctl: %s: %s\n", program,
		    strerror(errno));
		_exit(127);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return status;
}

enum run_end
cmd_check_file(const char *path)
{
	char program[PATH_MAX];
	int status;

	run_beside("postern", program, sizeof(program));
	(void)fflush(stdout);
	status = run_check(program, path);
	if (status == -1)
		run_complain("cannot start %s: %s", program, strerror(errno));
	return status == 0 ? END_DONE : END_NOTHING;
}

enum run_end
cmd_check(struct run *r)
{
	const char *path = r->arg_cnt > 0 ? r->args[0] : r->config;
	struct json j = { .out = stdout };
	enum run_end end = cmd_check_file(path);

	if (r->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "file", span_of(path));
		json_flag(&j, "good", end == END_DONE);
		json_close(&j, '}');
	} else if (end == END_DONE)
		printf("%s is good.\n", path);
	return end;
}

enum run_end
cmd_reload_now(struct run *r)
{
	const struct msg_reload_want want = { 0 };
	struct json j = { .out = stdout };
	enum run_end end;
	struct talk *t;

	if ((end = run_reach(r, &t)) != END_DONE)
		return end;
	end = run_want(t, MSG_reload_want, &want, NULL);
	talk_close(&t);
	if (end != END_DONE)
		run_complain("the configuration was not reloaded");
	else if (r->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "status", SPAN("done"));
		json_close(&j, '}');
	} else
		puts("The configuration is in force.");
	return end;
}

enum run_end
cmd_reload(struct run *r)
{
	enum run_end end = cmd_check_file(r->config);

	if (end == END_DONE)
		return cmd_reload_now(r);
	run_complain("the running configuration was not changed");
	return end;
}
