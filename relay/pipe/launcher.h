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
 * for each request, and ends.  A task becomes another user, whom the launcher
 * could not kill as itself: so the task says whom, and is ended as him.
 *
 * Files: launcher.c the relay's end, launcher_child.c the process.
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
#define LAUNCHER_NO_EXEC 126		/* exit status: not the program's */
#define LAUNCHER_NOT_RUN (-1)		/* a status: nothing was begun	*/

struct launcher;

struct launcher_calls {
	/* That program has ended; status is wait(2)'s or LAUNCHER_NOT_RUN. */
	void	(*ended)(uint64_t no, int status, void *arg);
	/* The launcher is gone, and with it whatever ran. */
	void	(*gone)(void *arg);
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
};

struct launcher_task {
	/* In the launcher, as whoever started it, before its sandbox: *kept is
	 * a descriptor that all children have, box what it will enter. */
	enum err (*begin)(int *kept, struct sandbox *box);
	/*
	 * In a child; returns its exit status.  SIGTERM wants it to undo what
	 * it has begun; SIGKILL follows when it does not.
	 */
	int	(*run)(const struct launcher_room *);
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
/* Hear of it from now on; calls and arg are borrowed. */
MUST_CHECK enum err launcher_open(struct launcher *, struct ev_loop *,
	    const struct launcher_calls *, void *arg);
/* Closes our end: all that runs is killed. */
void	launcher_close(struct launcher **);

/*
 * Run the program with these words, the first being its name, on the first
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
