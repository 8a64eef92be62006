/*
 * cmd - the SMTP commands, one file each; session_table.c says when each may
 * come.
 *
 * A handler gets the arguments without blanks at either end, says exactly one
 * reply, and returns whether the command was taken: only then the state moves
 * to what the table says.  One that has to ask the queue or the vault moves the
 * state itself to where that is waited for, returns false, and the reply is
 * said with the answer.
 */
#ifndef EDGE_CMD_H
#define EDGE_CMD_H

#include <stdbool.h>

#include "base/span.h"
#include "mail/command.h"

struct fault;
struct session;

typedef bool cmd_fn(struct session *, struct span args);

cmd_fn	cmd_ehlo, cmd_helo;		/* cmd_ehlo.c	*/
cmd_fn	cmd_starttls;			/* cmd_starttls.c */
cmd_fn	cmd_auth;			/* cmd_auth.c	*/
cmd_fn	cmd_mail;			/* cmd_mail.c	*/
cmd_fn	cmd_rcpt;			/* cmd_rcpt.c	*/
cmd_fn	cmd_data, cmd_data_early;	/* cmd_data.c	*/
cmd_fn	cmd_rset;			/* cmd_rset.c	*/
cmd_fn	cmd_noop;			/* cmd_noop.c	*/
cmd_fn	cmd_vrfy;			/* cmd_vrfy.c	*/
cmd_fn	cmd_help;			/* cmd_help.c	*/
cmd_fn	cmd_quit;			/* cmd_quit.c	*/
cmd_fn	cmd_absent, cmd_foreign;	/* cmd_absent.c	*/

/* Is the queue there, and does it take new mail?  Says the reply if not. */
bool	cmd_queue_is_there(struct session *);
bool	cmd_queue_has_room(struct session *);

/* Does EHLO speak of it, now? */
bool	cmd_offers_tls(const struct session *);
bool	cmd_offers_auth(const struct session *);
bool	cmd_offers_utf8(const struct session *);

/* The queue's answer about the recipient in ST_ASK: NULL is yes. */
void	cmd_rcpt_judged(struct session *, const struct fault *);

/* Say what is wrong with an address or a parameter of MAIL or RCPT. */
void	cmd_fault(struct session *, enum command_fault,
	    const char *address_dsn);

#endif
