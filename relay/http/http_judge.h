/*
 * http_judge - what the answer to a request means for the recipients it was
 * for.  Pure.
 *
 * A valid X-Smtp-Reply decides as an SMTP reply would have, with the words of
 * the next hop; that it stands in an answer of 2xx makes no success of an
 * error, and a success within another answer is a contradiction, and later.
 * Without it the status does: 2xx done, 4xx never, anything else later.  Later
 * too is what a status of 4xx says of the host, the moment or our login, and
 * not of the message: 401, 407, 408, 421, 425, 429.  Redirections are not
 * followed, for the mail would go where the block does not say.
 */
#ifndef RELAY_HTTP_JUDGE_H
#define RELAY_HTTP_JUDGE_H

#include "base/span.h"
#include "http/http_reply.h"
#include "relay/verdict.h"

struct http_answer {
	unsigned	 status;	/* 200 to 599			*/
	struct span	 reason;
	const struct http_reply *reply;	/* NULL: none that is valid	*/
};

/* The verdict's text lies in *words, in *reply, or is a literal. */
struct verdict	 http_judge(const struct http_answer *,
		    struct verdict_text *words);

#endif
