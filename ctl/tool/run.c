/* run.c - reaching control, and the words for what goes wrong. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/tool/run.h"
#include "ctl/tool/show.h"
#include "ctl/tool/where.h"

#define TRIES		20	/* while master is busy: ten seconds */
#define PAUSE_MS	500

void
run_complain(const char *format, ...)
{
	char *text;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len == -1)
		return;
	fputs("posternctl: ", stderr);
	show_text(stderr, span_of(text));
	fputc('\n', stderr);
	free(text);
}

/* The socket that is meant. */
static void
socket_path(const struct run *r, char *buf, size_t cap)
{
	if (r->socket != NULL)
		(void)strlcpy(buf, r->socket, cap);
	else
		where_control(r->config, buf, cap);
}

enum err
run_try(const struct run *r, struct talk **out)
{
	char path[WHERE_MAX];

	socket_path(r, path, sizeof(path));
	return talk_open(out, path);
}

enum run_end
run_reach(const struct run *r, struct talk **out)
{
	char path[WHERE_MAX];
	enum err e;

	socket_path(r, path, sizeof(path));
	e = talk_open(out, path);
	if (e == OK && talk_is_strange(*out))
		run_complain("the postern that runs is of another build: "
		    "restart to take the new build");
	if (e == OK)
		return END_DONE;
	if (e == ERR_NONE) {
		run_complain("postern is not running: nobody listens at %s",
		    path);
		return END_AWAY;
	}
	if (e == ERR_AGAIN) {
		run_complain("postern does not answer at %s", path);
		return END_NOTHING;
	}
	if (e == ERR_PEER)
		return run_lost(e);
	run_complain("%s: %s", path, strerror(errno));
	return errno == EACCES || errno == EPERM ? END_DENIED : END_NOTHING;
}

enum run_end
run_lost(enum err e)
{
	if (e == ERR_CLOSED) {
		run_complain("postern-control has closed the connection");
		return END_AWAY;
	}
	if (e == ERR_PEER)
		run_complain("the postern that runs is of another version: "
		    "restart to take the new build");
	else if (e == ERR_AGAIN)
		run_complain("no answer within %d seconds",
		    TALK_PATIENCE_MS / 1000);
	else
		run_complain("%s", strerror(errno));
	return END_NOTHING;
}

enum run_end
run_status(const struct msg_tool_done *m)
{
	if (m->status == STATUS_DONE)
		return END_DONE;
	if (m->text.len == 0)
		run_complain("it was refused");
	else
		run_complain("%.*s", (int)m->text.len, m->text.ptr);
	return m->status == STATUS_REFUSED &&
	    span_begins(m->text, SPAN("not allowed")) ? END_DENIED :
	    END_NOTHING;
}

struct asking {
	talk_fn		*fn;
	void		*arg;
	enum run_end	 end;
};

static bool
take_answer(unsigned type, const union msg *m, void *arg)
{
	struct asking *a = arg;

	if (type != MSG_tool_done)
		return a->fn(type, m, a->arg);
	a->end = run_status(&m->tool_done);
	return true;
}

enum run_end
run_ask(struct talk *t, unsigned type, const void *m, talk_fn *fn, void *arg)
{
	struct asking a = { fn, arg, END_DONE };
	enum err e;

	talk_send(t, type, m);
	e = talk_wait(t, take_answer, &a);
	return e != OK ? run_lost(e) : a.end;
}

struct wanting {
	enum run_end	 end;
	bool		 is_busy, is_last_try;
	bool		*is_none;
};

static bool
take_done(unsigned type, const union msg *m, void *arg)
{
	struct wanting *w = arg;

	if (type != MSG_tool_done)
		return false;
	w->is_busy = m->tool_done.status == STATUS_BUSY && !w->is_last_try;
	if (w->is_none != NULL && m->tool_done.status == STATUS_NONE) {
		*w->is_none = true;
		w->end = END_DONE;
	} else if (!w->is_busy)
		w->end = run_status(&m->tool_done);
	return true;
}

enum run_end
run_want(struct talk *t, unsigned type, const void *m, bool *is_none)
{
	struct wanting w = { .is_busy = true, .is_none = is_none };
	enum err e = OK;

	for (int i = 0; i < TRIES && w.is_busy && e == OK; i++) {
		if (i > 0)
			(void)poll(NULL, 0, PAUSE_MS);
		w.is_last_try = i == TRIES - 1;
		talk_send(t, type, m);
		e = talk_wait(t, take_done, &w);
	}
	return e == OK ? w.end : run_lost(e);
}

void
run_beside(const char *name, char *buf, size_t cap)
{
	ssize_t len = readlink("/proc/self/exe", buf, cap - 1);
	char *slash;

	buf[len > 0 ? len : 0] = '\0';
	slash = strrchr(buf, '/');
	if (slash == NULL)
		buf[0] = '\0';
	else if (strlcpy(slash + 1, name, cap - (size_t)(slash + 1 - buf)) >=
	    cap - (size_t)(slash + 1 - buf))
		buf[0] = '\0';
}
