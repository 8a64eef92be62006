/*
 * ask - looking something up in a configuration, for tools that start nothing:
 * posternctl and sendmail.
 *
 * They load it as anybody may, without looking at the host: callbacks left
 * NULL are checks left out, so that a user's own sendmail does not stumble
 * over a key it may not read, nor `posternctl user add' over a file of users
 * that is not there yet.
 *
 *	const struct conf_opener opener = {
 *		.read = files_read, .glob = files_glob,	(sys/files.h)
 *	};
 *	const struct conf_host host = { .cwd = "/" };
 *	struct conf_report report = { .line = NULL };	(tell nobody)
 *	struct conf *c = NULL;
 *
 *	if (conf_load(&c, path, &opener, &host, &report) == OK)
 *		socket = ask_socket(c);
 *	conf_free(&c);
 *
 * Owns	   nothing: all spans point into the conf, with a NUL behind them
 * Errors  none: what is not there is an empty span
 */
#ifndef CONF_ASK_H
#define CONF_ASK_H

#include "base/span.h"
#include "conf/conf.h"

/*
 * The first value of an option of an outermost block, its default where
 * nothing was said: ask_text(c, "users", SPAN("staff"), "path").  With an
 * empty name it is the first block of its kind.
 */
struct span	 ask_text(const struct conf *, const char *word,
		    struct span name, const char *option);

/* The name of the n-th block of a kind, from 0. */
struct span	 ask_name(const struct conf *, const char *word, unsigned n);

/* run_dir of the process block; control listens at `control' in it. */
struct span	 ask_run_dir(const struct conf *);

/* The path of the first listener that is a unix socket, for sendmail. */
struct span	 ask_socket(const struct conf *);

/* The directory of the first edge of type drop, for the same. */
struct span	 ask_drop(const struct conf *);

/* The certificate file of the n-th edge that has one, from 0. */
struct span	 ask_certificate(const struct conf *, unsigned n);

#endif
