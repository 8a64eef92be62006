/*
 * verdict - what a reply, or the lack of one, means for a recipient: done,
 * later or never, and whom it is about (RFC 5321 4.2.1, 3.8 and 4.5.4).
 *
 * A verdict's text is what the queue keeps and a bounce shows: the enhanced
 * code, if there is one, and the words behind it, without controls.
 */
#ifndef RELAY_VERDICT_H
#define RELAY_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/span.h"
#include "bus/messages.h"
#include "mail/reply.h"

struct verdict {
	enum outcome_class class;
	enum outcome_scope scope;
	enum stage	 stage;
	uint16_t	 code;		/* three digits			*/
	struct span	 text;		/* borrowed; REPLY_TEXT_MAX at most */
	uint8_t		 flags;		/* RESULT_*			*/
	bool		 is_late;	/* no reply came in our wait at the
					 * stage: a longer one may help	*/
	struct span	 tls;		/* of the connection it came by, as in
					 * the log; borrowed; empty: none */
};

/*
 * Judge a complete reply of the next hop.  2xx is done, 4xx later, 5xx never;
 * but what stands in the way of any message (the greeting, EHLO, 421 at any
 * place, 530 of RFC 3207 and 4954) is later and about the host or the
 * destination, and a code that does not belong at this stage is later and about
 * the host.
 */
struct verdict	 verdict_reply(enum stage, uint16_t code, struct span text);

/* Replies of our own, by the names of own.def. */
enum own {
#define OWN(name, class, scope, code, text, why) OWN_##name,
#include "relay/own.def"
#undef OWN
	OWN__COUNT
};

/* One of ours.  Done is final: it did not go to another server. */
struct verdict	 verdict_own(enum own, enum stage);
/* The same about this file or address; the words are put into buf. */
struct verdict	 verdict_own_of(enum own, enum stage, const char *which,
		    char *buf, size_t cap);

/* The text of a reply, gathered line by line. */
struct verdict_text {
	size_t	 len;
	char	 bytes[REPLY_TEXT_MAX];
};

/*
 * Add a line behind what is there, which is nothing when len is 0.  Controls
 * become "?", what does not fit is cut.
 */
void		 verdict_add(struct verdict_text *, const struct reply *);
struct span	 verdict_span(const struct verdict_text *);

#endif
