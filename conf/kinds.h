/*
 * kinds - the rows of kinds.def as tables: what each type of edge, queue and
 * relay is to the check, the plan, the queue and the relay itself.
 */
#ifndef CONF_KINDS_H
#define CONF_KINDS_H

#include <stdbool.h>

#include "base/span.h"
#include "sys/roles.h"

enum kind_reach { KIND_TO_ALL, KIND_TO_HOP, KIND_TO_HERE };

/* What holds for a type, as bits. */
#define KIND_LEAVES	0x1u	/* what it hands on leaves the house	*/
#define KIND_ASKS_DNS	0x2u	/* next hops have names			*/
#define KIND_ONE_HOP	0x4u	/* there is one next hop, and what that
				 * can do is known before a mail comes	*/
#define KIND_HAS_DIR	0x8u	/* its `path' begins with a directory that
				 * is its own				*/
#define KIND_TAKES_BOUNCES 0x10u /* it takes mail to whoever sent some	*/
#define KIND_HAS_USERS	0x20u	/* its recipients are users of this host */
#define KIND_PASSES	0x40u	/* it can hand on a mail that is still coming,
				 * recipients one by one		*/
#define KIND_EACH	0x80u	/* its next hop answers for each recipient at
				 * the end of the text			*/
#define KIND_TAKES_BINARY 0x100u /* it takes text of any octets, if its next
				 * hop does				*/
#define KIND_AS_RECIPIENT 0x200u /* its program may run as its recipient, by
				 * KIND_RECIPIENT in place of a user	*/

#define KIND_RECIPIENT	"recipient"

/* The same for a type of edge. */
#define EDGE_KIND_NEVER_25 0x1u	/* nobody may take it for SMTP: no listener
				 * of it is on port 25			*/

/* The same for a type of queue. */
#define QUEUE_KIND_KEEPS 0x1u	/* what it has taken outlives it	*/
#define QUEUE_KIND_PASSES 0x2u	/* it keeps nothing at all: a mail is with its
				 * next hop, or was not taken		*/

struct edge_kind_row {
	const char	*word;
	enum role	 role;
	unsigned	 port;		/* where its clients look for it */
	unsigned	 facts;		/* EDGE_KIND_*			*/
};

struct kind_row {
	const char	*word;
	enum role	 role;
	enum kind_reach	 reach;
	unsigned	 facts;		/* KIND_*			*/
	unsigned	 slots;		/* of a process; 0: SLOTS_EACH for each
					 * connection or program	*/
};

/* All words of relays, a blank before each. */
extern const char kinds_words[];

/* The row of a type; NULL when there is none. */
const struct kind_row	*kinds_find(struct span word);
/* The process it becomes with this `user', which may be empty. */
enum role		 kinds_role(const struct kind_row *, struct span user);
/* Does this hold for the type?  Not where there is no such type. */
bool			 kinds_has(struct span word, unsigned fact);

/* The same for the types of edges. */
extern const char kinds_edge_words[];
const struct edge_kind_row *kinds_find_edge(struct span word);
bool			 kinds_edge_has(struct span word, unsigned fact);

/* The same for the types of queues. */
struct queue_kind {
	const char	*word;
	enum role	 role;
	unsigned	 facts;		/* QUEUE_KIND_*			*/
};

extern const char kinds_queue_words[];
const struct queue_kind	*kinds_find_queue(struct span word);
bool			 kinds_queue_has(struct span word, unsigned fact);

#endif
