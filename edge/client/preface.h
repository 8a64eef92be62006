/*
 * preface - connections of proxies, of which it is not known yet whose they
 * are: each begins with a header of the PROXY protocol.
 *
 * A proxy that does not say it within PREFACE_MS, or says nonsense, is closed
 * without a word: nobody is there who could read one.
 *
 * Owns	   the connections, until they are handed on
 * Blocks  never
 */
#ifndef EDGE_PREFACE_H
#define EDGE_PREFACE_H

#include <sys/queue.h>

#include "base/err.h"
#include "edge/client/client_address.h"
#include "sys/ev.h"

#define PREFACE_MS	10000	/* for a header				*/
#define PREFACE_MAX	1000	/* that wait at once; more are closed	*/

struct preface;

/* Whose it is; fd is yours. */
typedef void preface_fn(int fd, const struct client_address *, void *arg);

struct prefaces {
	struct ev_loop	*loop;
	LIST_HEAD(, preface) all;
	unsigned	 cnt;
	preface_fn	*fn;
	void		*arg;
};

void	preface_init(struct prefaces *, struct ev_loop *, preface_fn *,
	    void *arg);
/* Close all. */
void	preface_fini(struct prefaces *);

/* A connection from this proxy: fd is taken, whatever the result. */
MUST_CHECK enum err preface_take(struct prefaces *, int fd,
	    const struct client_address *proxy);

#endif
