/*
 * letter - a message that sendmail was given, with its envelope, ready to be
 * handed on: whom from, whom to, the header section as it is sent.
 *
 * Owns	   its text and addresses
 * Blocks  letter_read() on the input
 */
#ifndef CTL_SENDMAIL_LETTER_H
#define CTL_SENDMAIL_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/limits.h"
#include "ctl/sendmail/args.h"
#include "ctl/sendmail/mailbox.h"
#include "ctl/sendmail/text.h"
#include "ctl/sendmail/who.h"

struct letter {
	const struct args *args;		/* borrowed		*/
	struct text	 text;
	struct who	 who;
	char		 sender[MAILBOX_MAX];	/* "" nobody		*/
	char		**rcpts;
	size_t		 rcpt_cnt;
	bool		 is_utf8;		/* some address is	*/
	bool		 has_ended;		/* by a dot		*/
	char		*header;		/* as it is sent, and its end */
	size_t		 header_len;

	FILE		*complaints;		/* lines		*/
	char		*complaint;
	size_t		 complaint_len;
};

/* Each gives an exit status: 0, or one of sysexits(3) with a complaint. */
int	letter_init(struct letter *, const struct args *);
int	letter_read(struct letter *, FILE *in);
/* Whom from and whom to alone, of the command line. */
int	letter_address(struct letter *);
/* Also after either has failed. */
void	letter_fini(struct letter *);

/* Note a complaint, and return the status. */
int	letter_complain(struct letter *, int status, const char *format, ...)
	    __attribute__((format(printf, 3, 4)));
/* All of them, a line each; "" none. */
const char *letter_complaint(struct letter *);

#endif
