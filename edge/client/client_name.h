/*
 * client_name - what the DNS calls a client: a name of the PTR records of its
 * address, if that address is among those of the name; who owns an address
 * alone can call it anything.
 *
 * Of several names the first that is confirmed is taken.  A client that is this
 * host, ::1 or 127.0.0.1, is "localhost" without a question.
 *
 * Owns	   its questions, until it has told
 * Blocks  never
 */
#ifndef EDGE_CLIENT_NAME_H
#define EDGE_CLIENT_NAME_H

#include "edge/client/client_address.h"

#define CLIENT_NAMES_MAX	4	/* names of one address that are tried;
					 * one host has no more by intent */

struct client_name;
struct resolve;

/* name is borrowed; NULL: it has none, or nobody knows now. */
typedef void client_name_fn(const char *name, void *arg);

/* "localhost", or NULL: it has to be asked for. */
const char *client_name_own(const struct client_address *);

/*
 * Ask.  fn is called once, never before this returns, and it is over then.
 * NULL: nobody can be asked, and fn is not called.
 */
struct client_name *client_name_ask(struct resolve *,
	    const struct client_address *, client_name_fn *, void *arg);

/* The answer is not wanted.  *n becomes NULL; NULL is allowed. */
void	client_name_cancel(struct client_name **n);

#endif
