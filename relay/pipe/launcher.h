/*
 * launcher - the process that runs a program for a relay of type pipe.
 *
 * The relay decodes frames and therefore may start nothing; before it locks
 * itself in it forks this one, which decodes nothing but the relay's requests
 * and can run one program only: that whose file was opened at the start.  It
 * runs as the block's user, in the sandbox of role LAUNCHER, which the program
 * and its children inherit.
 *
 * Each program leads a process group of its own.  The group is killed when its
 * leader has ended, when it is asked for, and when the relay is gone; what
 * left the group on purpose becomes the launcher's child and is collected.
 *
 * In place of a program it can have a task, a part of this one: a child does it
 * for each request, and ends.  Or it has both, and a child that has done the
 * task becomes the program.  A task becomes another user, whom the launcher
 * could not kill as itself: so the task says whom, and is ended as him.
 *
 * What happens before a program runs is told by memory that the children share
 * with the launcher, and that no program has: it is never taken for an end of
 * the program's own.
 *
 * Files: launcher.c the relay's end, launcher_child.c the process,
 * launcher_program.c its children.
 *
 * Owns	   its end of the socket; the process ends with it
 * Blocks  launcher_start() to open the file; the rest never
 * Errors  ERR_SYS; ERR_FULL too many run at once; ERR_CLOSED it is gone
 */
#ifndef RELAY_LAUNCHER_H
#define RELAY_LAUNCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "relay/pipe/pipe_args.h"
#include "sys/ev.h"
#include "sys/sandbox.h"

#define LAUNCHER_RUNS_MAX	256	/* at the same time		*/
#define LAUNCHER_FDS	4		/* that go with each		*/

/*
 * In place of wait(2)'s status, below zero: no program has run, nor a task been
 * done.  But for the first, words are on its standard error.
 */
enum launcher_why {
	LAUNCHER_NOT_RUN = -1,	/* there was no process, or it died early */
	LAUNCHER_NO_EXEC = -2,	/* the program cannot be executed	*/
	LAUNCHER_NO_USER = -3,	/* to become: there is none		*/
	LAUNCHER_ROOT = -4,	/* who may not be become		*/
	LAUNCHER_UNANSWERED = -5, /* he cannot be looked up now		*/
	LAUNCHER_NO_HOME = -6,
	LAUNCHER_BAD_HOME = -7	/* others could write to it		*/
};

struct launcher;

struct launcher_calls {
	/* That program has ended; status is wait(2)'s or LAUNCHER_*. */
	void	(*ended)(uint64_t no, int status, void *arg);
	/* The launcher is gone, and with it whatever ran. */
	void	(*gone)(void *arg);
};

/* The environment of a program, besides PATH. */
struct launcher_env {
	const char	*home, *user, *shell;	/* user: NULL for none	*/
};

/* What a child that does a task finds; the text is its standard input. */
struct launcher_room {
	unsigned	 arg_cnt;
	const char	**args;		/* those of launcher_run()	*/
	int		 kept;		/* what begin() left		*/
	int		 sure;		/* one byte comes by it when the text
					 * is whole, at whose end nothing else
					 * says that			*/
	volatile uint32_t *uid;		/* to be set: whom it becomes	*/
	bool		 only_asks;	/* no program follows this time	*/
	struct launcher_env env;	/* to be set, if one does	*/
};

struct launcher_task {
	/* In the launcher, as whoever started it, before its sandbox: *kept is
	 * a descriptor that all children have, box what it will enter. */
	enum err (*begin)(int *kept, struct sandbox *box);
	/*
	 * In a child; returns its exit status.  SIGTERM wants it to undo what
	 * it has begun; SIGKILL follows when it does not.  Where a program
	 * follows the words are those before the program's own, there is no
	 * `sure', and it returns 0 or LAUNCHER_*.
	 */
	int	(*run)(struct launcher_room *);
};

/*
 * Fork it.  Before the sandbox, single-threaded.  program is an absolute
 * path; box says whom to become, its role is LAUNCHER.
 */
MUST_CHECK enum err launcher_start(struct launcher **out, const char *program,
	    const struct sandbox *box);
/* The same with a task; the role of box is COURIER. */
MUST_CHECK enum err launcher_start_task(struct launcher **out,
	    const struct launcher_task *, const struct sandbox *box);
/* With both, the task in front; the role of box is RUNNER. */
MUST_CHECK enum err launcher_start_as(struct launcher **out,
	    const char *program, const struct launcher_task *,
	    const struct sandbox *box);
/* Hear of it from now on; calls and arg are borrowed. */
MUST_CHECK enum err launcher_open(struct launcher *, struct ev_loop *,
	    const struct launcher_calls *, void *arg);
/* Closes our end: all that runs is killed. */
void	launcher_close(struct launcher **);

/*
 * Run the program with these words, the first behind those of the task being
 * its name, or with the latter alone do the task and run none; on the first
 * three of these descriptors (borrowed) as standard input, output and error.
 * The fourth is the end where that input is written: the launcher holds it, so
 * that a relay that dies is not taken for the end of the text.  no is the
 * caller's, and must not be in use.
 */
MUST_CHECK enum err launcher_run(struct launcher *, uint64_t no,
	    const struct pipe_args *, const int fds[LAUNCHER_FDS]);
/* The text was whole: let go of the fourth.  Once for each run. */
void	launcher_end_text(struct launcher *, uint64_t no);
/* Kill it with all of its group; ended() follows. */
void	launcher_kill(struct launcher *, uint64_t no);

#endif
