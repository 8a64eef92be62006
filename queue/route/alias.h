/*
 * alias - the expander of a queue's table of aliases.
 *
 * An address is looked for in this order: itself; without its detail; at a
 * domain of our own the user alone, with his detail and without; and last the
 * whole domain.  A list is what has an owner: `owner-NAME' stands in the table
 * beside NAME.  No file is read, and no text parsed but the address.
 */
#ifndef QUEUE_ALIAS_H
#define QUEUE_ALIAS_H

#include "mail/alias_table.h"
#include "queue/route/expand.h"

struct routes;
struct route_reply;

struct alias_look {
	const struct alias_table *table;	/* borrowed		*/
	const struct routes *routes;	/* which domains are ours	*/
	char		 delimiter;	/* of user+detail; 0: none	*/
};

/* Of struct expander; arg is a struct alias_look. */
enum err	alias_ask(struct expansion *, struct span address, void *arg);

/* What is said to who names one that expand.h has no recipient for; OK: it
 * stands for nobody. */
void		alias_nobody(enum err why, struct route_reply *out);

/* Does it stand for anybody? */
bool		alias_knows(const struct alias_look *, struct span address);

#endif
