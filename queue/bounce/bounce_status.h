/*
 * bounce_status - what a reply comes to: a code of RFC 3463 whose class agrees
 * with what became of the recipient, and a reason in plain words.  Pure.
 */
#ifndef QUEUE_BOUNCE_STATUS_H
#define QUEUE_BOUNCE_STATUS_H

#include "mail/notice.h"
#include "queue/bounce/bounce.h"

struct bounce_status {
	unsigned	 class, subject, detail;
	char		 text[12];	/* "5.1.1"			*/
};

/*
 * The enhanced code the reply begins with, or a fit one.  Its class is that of
 * the outcome (delivered 2, delayed 4), and for what failed that of the reply's
 * own code.  action may be REPORT_NONE: nothing is known but the reply.
 */
struct bounce_status	bounce_status(const struct bounce_rcpt *);

/* The reply without the enhanced code in front. */
struct span		bounce_status_words(const struct bounce_rcpt *);

enum notice_reason	bounce_status_reason(const struct bounce_rcpt *);

#endif
