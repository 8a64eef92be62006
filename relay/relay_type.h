/*
 * relay_type - what a relay of one `type' must be able to do.  conf/kinds.def
 * says which row is for which types.
 *
 * Owns	   a delivery from take() until it calls delivery_finish()
 */
#ifndef RELAY_RELAY_TYPE_H
#define RELAY_RELAY_TYPE_H

#include <stdbool.h>

#include "ask/keys.h"
#include "ask/resolve.h"
#include "base/err.h"
#include "base/span.h"
#include "bus/boot.h"
#include "conf/slice/slice.h"
#include "relay/attempts.h"
#include "relay/delivery.h"
#include "sys/ev.h"
#include "sys/roles.h"

struct relay_type_env {			/* borrowed for the process's life */
	struct ev_loop	*loop;
	struct resolve	*resolve;	/* NULL for roles that ask nobody */
	struct keys	*keys;		/* likewise; for what TLS signs	*/
	struct boot	*boot;		/* for its files, marks, endpoints;
					 * NULL in tests		*/
	struct slice	 block;		/* relay NAME { }		*/
	struct span	 hostname;
	const char	*root;		/* our directory, "" if none	*/
	/* What can() tells has changed; NULL: nobody asks. */
	void		(*changed)(void *arg);
	void		*changed_arg;
};

struct relay_type {
	/*
	 * Before the sandbox: read what is secret, start what could not be
	 * started later.  What it leaves in *out is there for open().  NULL:
	 * nothing to do.
	 */
	enum err	(*prepare)(void **out, const struct relay_type_env *);
	/* In the sandbox; may start threads.  Says why when it fails. */
	enum err	(*open)(void **out, const struct relay_type_env *);
	/* Deliveries a queue may have with us at the same time. */
	uint32_t	(*slots)(const void *);
	/* All recipients are there. */
	void		(*take)(void *, struct delivery *);
	/* Begin nothing more; finish soon what has not begun. */
	void		(*drain)(void *);
	/* Is anything left that should end by itself? */
	bool		(*is_busy)(const void *);
	/* Is he a user of ours?  to_queue_user() tells, when it can.  NULL:
	 * nobody is asked. */
	void		(*user)(void *, struct attempts_queue *, uint64_t no,
			    struct span rcpt);
	/* What its only next hop can.  NULL: there are many, or none. */
	void		(*can)(const void *, struct msg_relay_can *out);
	/* take() is given text of any octets (BODY=BINARYMIME) too. */
	bool		 takes_binary;
};

/* The row of a type for this role, with its `user'; or NULL. */
const struct relay_type	*relay_type_find(struct span word, struct span user,
			    enum role);

/* The rows, each in the file of its name; several types may share one. */
#define KIND(word, role, reach, facts, slots, check, by)		\
	extern const struct relay_type relay_type_##by;
#include "conf/kinds.def"

#endif
