/*
 * talk - posternctl's end of the socket of postern-control.
 *
 *	talk_open(&t, path)
 *	talk_send(t, MSG_status_ask, &ask)	once or several times
 *	talk_wait(t, fn, arg)			fn sees the answers
 *
 * Owns	   the connection, and a loop for it alone
 * Blocks  talk_open() up to TALK_CONNECT_MS; talk_wait() until fn has what it
 *	   wants, at most TALK_PATIENCE_MS (or what was set)
 *	   without a word
 * Errors  ERR_NONE nobody listens there; ERR_AGAIN no answer in time;
 *	   ERR_CLOSED the connection ended; ERR_PEER control is of another
 *	   version; ERR_SYS errno
 */
#ifndef CTL_TOOL_TALK_H
#define CTL_TOOL_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "bus/messages.h"

#define TALK_CONNECT_MS		5000
#define TALK_PATIENCE_MS	120000

struct talk;

/* One answer, borrowed for the call.  Is it the last one waited for? */
typedef bool talk_fn(unsigned type, const union msg *, void *arg);

/* *out is yours. */
MUST_CHECK enum err	talk_open(struct talk **out, const char *path);
void			talk_close(struct talk **);

/* Connect anew, after ERR_CLOSED. */
MUST_CHECK enum err	talk_again(struct talk *);

/* Is control of another build than we are, which speaks the same version? */
bool			talk_is_strange(const struct talk *);

/* Wait so long for a word from here on; TALK_PATIENCE_MS to begin with. */
void			talk_set_patience(struct talk *, int64_t ms);

/* Say a message, a struct msg_NAME. */
void			talk_send(struct talk *, unsigned type, const void *m);

/* Hear answers until fn is content. */
MUST_CHECK enum err	talk_wait(struct talk *, talk_fn *, void *arg);

#endif
