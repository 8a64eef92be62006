/*
 * task.c - from a request to an exit status, in one process of its own.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay/local/become.h"
#include "relay/local/box.h"
#include "relay/local/forward.h"
#include "relay/local/task.h"
#include "sys/clock.h"

#define MAIL_GROUP	"mail"
#define HELD_MAX	(1u << 20)	/* bytes read before a lock is taken */
#define LOOK_MS		500	/* between two looks for a signal	*/
#define ASKED_MS	4000	/* for the name of one that is only asked
				 * about: a client waits		*/

static struct task_rules rules;
static gid_t	 mail_gid;		/* 0: this host has no such group */

static const struct launcher_room *room;
static volatile sig_atomic_t is_ended;
static bool	 is_whole;	/* the text				*/

void
task_init(const struct task_rules *r)
{
	rules = *r;
}

/* In the launcher. */

static enum err
begin(int *kept, struct sandbox *box)
{
	const struct group *gr = getgrnam(MAIL_GROUP);

	mail_gid = gr != NULL ? gr->gr_gid : 0;
	return become_begin(kept, box);
}

/* In a child. */

static void
end_soon(int signo)
{
	is_ended = 1;
}

static void
take_signals(void)
{
	struct sigaction ends = { .sa_handler = end_soon };
	struct sigaction none = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGTERM, &ends, NULL);
	(void)sigaction(SIGPIPE, &none, NULL);
	(void)sigaction(SIGXFSZ, &none, NULL);
}

/*
 * The launcher's end, before it has said that the text is whole, is the end: a
 * byte is there to be read then, or was.
 */
static bool
wait_on(int ms)
{
	struct pollfd p = { .fd = is_whole ? -1 : room->sure,
	    .events = POLLIN };
	int64_t until_ms = clock_mono_ms() + ms, left_ms = ms;

	while (!is_ended && left_ms > 0) {
		if (poll(&p, 1, (int)left_ms) == 1) {
			if ((p.revents & POLLIN) == 0)
				return false;
			p.fd = -1;
		}
		left_ms = until_ms - clock_mono_ms();
	}
	return !is_ended;
}

static int
complain(enum task_end end, const char *what)
{
	char line[1200];
	int len = snprintf(line, sizeof(line), "%s: %s", what,
	    strerror(errno));

	(void)!write(STDERR_FILENO, line, (size_t)len);
	return end;
}

/* What an error of the mailbox means. */
static int
fail(const struct box *b)
{
	switch (errno) {
	case EDQUOT:
		return complain(TASK_QUOTA, b->name);
	case ENOSPC:
		return complain(TASK_FULL, b->name);
	case EFBIG:
		return complain(TASK_TOO_LARGE, b->name);
	default:
		return complain(TASK_FAILED, b->name);
	}
}

static int
look_up(struct who *w, int patience_ms)
{
	enum err e = become_find(room->kept, room->args + TASK_ARG_NAMES,
	    room->arg_cnt - TASK_ARG_NAMES, rules.minimum_uid, patience_ms,
	    w);

	if (e == ERR_SYS)
		return complain(TASK_UNANSWERED, "the user cannot be looked "
		    "up");
	close(room->kept);
	return e == ERR_NONE ? TASK_NO_USER : e != OK ? TASK_ROOT :
	    TASK_DONE;
}

/* A signal just before a read would not end that: so it is looked for too. */
static bool
wait_for_text(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	while (!is_ended && poll(&p, 1, LOOK_MS) != 1)
		continue;
	return !is_ended;
}

/* As much as there is, and fits.  False: it will not come. */
static bool
fill(char *buf, size_t cap, size_t *len)
{
	ssize_t got = 1;

	for (*len = 0; *len < cap && got > 0; *len += (size_t)got)
		do
			got = wait_for_text() ? read(STDIN_FILENO, buf + *len,
			    cap - *len) : -1;
		while (got == -1 && errno == EINTR && !is_ended);
	return got >= 0 && !is_ended;
}

/* An end alone is also what a death of others looks like. */
static bool
was_all(void)
{
	char c;

	is_whole = read(room->sure, &c, 1) == 1;
	return is_whole && !is_ended;
}

static int
copy(struct box *b, char *buf, size_t len)
{
	bool is_last = len < HELD_MAX;

	if (is_last && !was_all())
		return TASK_NO_TEXT;
	if (box_open(b, (int)(rules.timeout_ms / 2), wait_on) != OK)
		return b->is_locked ? TASK_LOCKED : is_ended ? TASK_NO_TEXT :
		    fail(b);
	if (box_envelope(b, span_of(room->args[TASK_ARG_SENDER]),
	    span_of(room->args[TASK_ARG_RCPT])) != OK)
		goto failed;
	while (box_text(b, (struct span){ buf, len }) == OK) {
		if (!is_last && !fill(buf, HELD_MAX, &len))
			goto lost;
		if (is_last || len == 0) {
			if (!is_last && !was_all())
				goto lost;
			return box_commit(b) == OK ? TASK_DONE : fail(b);
		}
	}
failed:
	box_abort(b);
	return fail(b);
lost:
	box_abort(b);
	return TASK_NO_TEXT;
}

/* Is there such a user, and whom does he forward to? */
static int
tell_of(const struct who *who)
{
	char names[FORWARD_OUT_MAX], line[FORWARD_WHY_MAX];
	const char *why;
	size_t len, cnt = 0;

	if (!rules.forwards)
		return TASK_DONE;
	if (become_user(who, who->gid, room->uid) != OK)
		return complain(TASK_FAILED, "the user cannot be become");
	if (forward_read(who, names, &len, &why) != OK || is_ended)
		return complain(TASK_FAILED, ".forward");
	if (why != NULL)
		cnt = (size_t)snprintf(line, sizeof(line), "#%s: %s\n",
		    who->name, why);
	return write(STDOUT_FILENO, line, cnt) == (ssize_t)cnt &&
	    write(STDOUT_FILENO, names, len) == (ssize_t)len ? TASK_DONE :
	    TASK_FAILED;
}

static int
deliver(struct launcher_room *r)
{
	static struct box box;
	struct who who;
	char *buf;
	size_t len;
	bool asks;
	int end;

	room = r;
	take_signals();
	if (r->arg_cnt <= TASK_ARG_NAMES)
		return TASK_NO_USER;
	asks = strcmp(r->args[TASK_ARG_SENDER], TASK_ASK) == 0;
	if ((end = look_up(&who, asks ? ASKED_MS :
	    (int)(rules.timeout_ms / 2))) != TASK_DONE)
		return end;
	if (asks)
		return tell_of(&who);
	if (!box_name(&box, rules.path, rules.hostname, &who)) {
		errno = ENAMETOOLONG;
		return complain(TASK_FAILED, who.name);
	}
	if (become_user(&who, box.wants_group && mail_gid != 0 ? mail_gid :
	    who.gid, room->uid) != OK)
		return complain(TASK_FAILED, "the user cannot be become");
	if (!box_reach(&box))
		return complain(box.is_home ? TASK_NO_HOME : TASK_FAILED,
		    box.name);
	if ((buf = malloc(HELD_MAX)) == NULL)
		return complain(TASK_FAILED, "memory");
	if (!fill(buf, HELD_MAX, &len))
		return TASK_NO_TEXT;
	if ((end = copy(&box, buf, len)) == TASK_DONE)
		(void)!write(STDOUT_FILENO, box_where(&box),
		    strlen(box_where(&box)));
	return end;
}

const struct launcher_task task_deliver = {
	.begin = begin, .run = deliver,
};
