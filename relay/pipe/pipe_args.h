/*
 * pipe_args - the words a program is started with: those of options `args' or
 * `extra_args', with what is between braces filled in for one recipient.
 *
 *	{sender} {recipient} {message_id} {client_ip} {client_host}
 *	{client_ehlo} {client_protocol} {client_auth}
 *
 * What is not known is empty.  There is no shell: a value stays within its
 * word, whatever is in it.  But a word that begins with a macro must not turn
 * out to be an option: a value with a "-" in front is refused there.
 *
 * Errors  ERR_FULL the words are too long; ERR_PEER a value cannot stand where
 *	   it is wanted
 */
#ifndef RELAY_PIPE_ARGS_H
#define RELAY_PIPE_ARGS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"

#define PIPE_ARGS_BYTES	16384	/* of all words, each with its NUL	*/

struct pipe_facts {
	struct span	 sender, recipient, message_id, client_ip, client_host,
			 client_ehlo, client_protocol, client_auth;
};

struct pipe_args {
	unsigned	 cnt;
	unsigned	 name_cnt;	/* of them in front: names that the
					 * user to run it as may have	*/
	size_t		 len;
	char		 bytes[PIPE_ARGS_BYTES]; /* each word and its NUL */
};

/* Add one word to *out, which begins zeroed. */
MUST_CHECK enum err	pipe_args_add(struct pipe_args *out, struct span word,
			    const struct pipe_facts *);

/* Is there a {recipient} in the word, so that each needs a run of his own? */
bool		pipe_args_is_for_one(struct span word);

/* Add a value as a word of its own, behind an option that takes it. */
MUST_CHECK enum err	pipe_args_add_value(struct pipe_args *out,
			    struct span value);

/*
 * The value of the first Message-ID field of a header section, or of as much
 * as there is of it, without blanks around it; empty when there is none.
 */
struct span	 pipe_args_message_id(struct span header);

#endif
