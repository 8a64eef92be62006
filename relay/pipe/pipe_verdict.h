/*
 * pipe_verdict - what the end of a program means for its recipient.
 *
 *	exit 0				done
 *	else, its words begin "5.N.N "	never: 550
 *	else, its words begin "4.N.N "	later: 450
 *	else, 64 to 78			as sysexits(3) means it: later 71 and
 *					75, never the others
 *	any other end			later: 450
 *
 * The status alone decides for a local delivery agent:
 *
 *	75, or it cannot be executed	later: 450
 *	death by a signal		later: 450
 *	any other			never: 550
 *
 * Its words are what error_pattern has found on standard output, else on
 * standard error; else what it wrote to the first, else to the second; else
 * "Delivery failed" or what its exit status says.  The enhanced code of that
 * goes in front of words without one.
 */
#ifndef RELAY_PIPE_VERDICT_H
#define RELAY_PIPE_VERDICT_H

#include "relay/verdict.h"
#include "sys/regex.h"

#define PIPE_OUTPUT_MAX	4096	/* bytes we keep of each		*/

/* How the relay's type and block want it judged. */
struct pipe_judge {
	bool		 by_status;	/* 75 is later, all others never */
	const char	*name;		/* the program's, which it puts before
					 * its words, or NULL		*/
	struct regex	*pattern;	/* of error_pattern, or NULL	*/
};

/*
 * status is wait(2)'s, or LAUNCHER_NO_EXEC; *text is made to hold the words,
 * and must live as long as the verdict.
 */
struct verdict	 pipe_verdict(const struct pipe_judge *, int status,
		    struct span output, struct span error,
		    struct verdict_text *text);

#endif
