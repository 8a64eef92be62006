/*
 * pipe_verdict - what the end of a program means for its recipient.
 *
 *	exit 0				done
 *	else, its words begin "5.N.N "	never: 550
 *	any other end			later: 450
 *
 * Its words are what it wrote to standard output, else to standard error, else
 * "Delivery failed".
 */
#ifndef RELAY_PIPE_VERDICT_H
#define RELAY_PIPE_VERDICT_H

#include "relay/verdict.h"

#define PIPE_OUTPUT_MAX	4096	/* bytes we keep of each		*/

/*
 * status is wait(2)'s; *text is made to hold the words, and must live as long
 * as the verdict.
 */
struct verdict	 pipe_verdict(int status, struct span output,
		    struct span error, struct verdict_text *text);

#endif
