/*
 * cmd_salvage.c - queue check and queue salvage: postern-salvage, the program
 * beside ours, takes our place, with the caller's rights and no others.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/tool/cmd.h"

static enum run_end
become(const struct run *r, const char *command)
{
	char program[PATH_MAX];
	const char *args[6];
	unsigned cnt = 0;

	run_beside("postern-salvage", program, sizeof(program));
	args[cnt++] = "postern-salvage";
	if (r->json)
		args[cnt++] = "--json";
	args[cnt++] = command;
	for (int i = 0; i < r->arg_cnt; i++)
		args[cnt++] = r->args[i];
	args[cnt] = NULL;
	(void)fflush(stdout);
	execv(program, (char **)(uintptr_t)args);
	run_complain("cannot start %s: %s", program, strerror(errno));
	return END_NOTHING;
}

enum run_end
cmd_queue_check(struct run *r)
{
	if (r->arg_cnt != 1) {
		run_complain("queue check: which directory?  "
		    "Say the path of a queue");
		return END_USAGE;
	}
	return become(r, "check");
}

enum run_end
cmd_queue_salvage(struct run *r)
{
	if (r->arg_cnt != 2) {
		run_complain("queue salvage: from where, and to where?  "
		    "Say the path of a queue and a new directory");
		return END_USAGE;
	}
	return become(r, "salvage");
}
