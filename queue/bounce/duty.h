/*
 * duty - which report a sender is owed about a recipient of his: RFC 3461 5.2,
 * by what NOTIFY said and what became of the recipient.  Pure.
 */
#ifndef QUEUE_DUTY_H
#define QUEUE_DUTY_H

#include <stdbool.h>

#include "bus/messages.h"
#include "queue/store/record.h"

struct duty {
	enum outcome_class class;	/* LATER: it goes on		*/
	unsigned	 flags;		/* RESULT_*, of DONE		*/
	uint8_t		 notify;	/* DSN_* bits; 0: not given	*/
	bool		 has_sender;	/* false: <>, a report itself	*/
	bool		 is_old;	/* older than warn_after	*/
	bool		 is_warned;	/* was told of the delay before	*/
};

/*
 * Only what was asked for; and to <> nothing but failures, which are not sent
 * either, but must not pass without a line.
 */
enum report	 duty_report(const struct duty *);

#endif
