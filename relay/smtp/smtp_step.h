/*
 * smtp_step - the step a connection is at: what the next reply answers, and how
 * long it is waited for.  What each says and who hears its reply stands in the
 * table of smtp_dialogue.c.
 */
#ifndef RELAY_SMTP_STEP_H
#define RELAY_SMTP_STEP_H

#include <stdbool.h>

#include "relay/smtp/smtp_inside.h"

#define SMTP_ROW_AHEAD	0x1u	/* said with MAIL when pipelined	*/
#define SMTP_ROW_3XX	0x2u	/* its replies may be 3xx		*/
#define SMTP_ROW_421	0x4u	/* it judges a 421 by itself		*/

enum smtp_patience {
	SMTP_PATIENCE_NONE,
	SMTP_PATIENCE_COMMAND,
	SMTP_PATIENCE_DATA,
	SMTP_PATIENCE_DONE,
	SMTP_PATIENCE_QUIT,
};

struct smtp_row {
	enum stage	 stage;
	enum smtp_patience patience;
	unsigned	 flags;		/* SMTP_ROW_*	*/
	void		(*say)(struct smtp_client *);
	/* The verdict on a whole reply. */
	void		(*hear)(struct smtp_client *, const struct verdict *);
};

/* Go to a step: its command is said unless it went out with an earlier one. */
void		 smtp_step_enter(struct smtp_client *, enum smtp_step);

/* Set the clock for the step anew: it has come forward. */
void		 smtp_step_wait(struct smtp_client *);
/* The clock has run down.  True: a longer wait is due, and goes on. */
bool		 smtp_step_waits_on(struct smtp_client *);

/* All is granted: free for deliveries. */
void		 smtp_step_ready(struct smtp_client *);

/* Are the commands of a transaction said all at once? */
bool		 smtp_step_is_pipelined(const struct smtp_client *);

enum stage	 smtp_step_stage(const struct smtp_client *);

#endif
