/*
 * pipe_run - one program under way: the text goes in, its words come out, and
 * when it has ended, ended() is called with them.
 *
 * Owns	   its descriptors; the delivery is borrowed, its on_text used
 * Blocks  never
 * Errors  ERR_SYS, ERR_FULL: it was not started, and may be tried again
 */
#ifndef RELAY_PIPE_RUN_H
#define RELAY_PIPE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/delivery.h"
#include "relay/pipe/launcher.h"
#include "relay/pipe/pipe_verdict.h"
#include "sys/ev.h"

struct pipe_run;

enum pipe_end {
	PIPE_ENDED,		/* by itself: status counts		*/
	PIPE_TIMED_OUT,		/* killed				*/
	PIPE_TEXT_LOST,		/* killed, its text will not come	*/
};

/* The run is over and may be begun again; its words are valid until then. */
typedef void pipe_run_fn(struct pipe_run *, enum pipe_end, int status,
    void *arg);

struct pipe_words {
	int		 fd;		/* -1: closed			*/
	struct ev	 ev;
	struct pipe_run	*run;
	size_t		 len;
	char		 bytes[PIPE_OUTPUT_MAX];
};

struct pipe_run {
	struct ev_loop	*loop;
	struct launcher	*launcher;
	pipe_run_fn	*ended;
	void		*arg;
	bool		 keeps_crlf;	/* else lines end in LF		*/

	bool		 is_busy;
	uint64_t	 no;
	struct delivery	*delivery;
	int		 in;		/* -1: closed			*/
	struct ev	 in_ev;
	size_t		 pos;		/* in the piece being written	*/
	bool		 has_cr;	/* the last byte before it, held back */
	bool		 is_dead;	/* the program			*/
	int		 status;
	enum pipe_end	 end;
	struct pipe_words out, err;
	struct timer	 timer;
};

/* In place; all borrowed. */
void	pipe_run_init(struct pipe_run *, struct ev_loop *, struct launcher *,
	    bool keeps_crlf, pipe_run_fn *, void *arg);

/* no: a number for the launcher, never used before. */
MUST_CHECK enum err pipe_run_begin(struct pipe_run *, uint64_t no,
	    struct delivery *, const struct pipe_args *, int64_t timeout_ms);

/* The launcher says that it has ended. */
void	pipe_run_died(struct pipe_run *, int status);

#endif
