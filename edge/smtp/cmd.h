/*
 * cmd - the SMTP commands, one file each; session_table.c says when each may
 * come.
 *
 * A handler gets the arguments without blanks at either end, judges them, has
 * stage_run() ask the checks of its stage, and says exactly one reply.  What it
 * returns moves the state, by the table: nobody else does.  PENDING comes from
 * stage_run(): then the reply is said when the answer has come.
 */
#ifndef EDGE_CMD_H
#define EDGE_CMD_H

#include <stdbool.h>

#include "base/span.h"
#include "edge/stage/stage.h"
#include "edge/text/sender_map.h"
#include "lua/points.h"
#include "mail/command.h"

struct session;

typedef enum taken cmd_fn(struct session *, struct span args);

cmd_fn	cmd_ehlo, cmd_helo;		/* cmd_ehlo.c	*/
cmd_fn	cmd_starttls;			/* cmd_starttls.c */
cmd_fn	cmd_auth, cmd_auth_response;	/* cmd_auth.c	*/
cmd_fn	cmd_mail;			/* cmd_mail.c	*/
cmd_fn	cmd_rcpt;			/* cmd_rcpt.c	*/
cmd_fn	cmd_data, cmd_data_early, cmd_data_end;	/* cmd_data.c */
cmd_fn	cmd_bdat, cmd_bdat_early, cmd_bdat_next, cmd_bdat_void, cmd_bdat_end;
					/* cmd_bdat.c	*/
cmd_fn	cmd_rset;			/* cmd_rset.c	*/
cmd_fn	cmd_noop;			/* cmd_noop.c	*/
cmd_fn	cmd_vrfy;			/* cmd_vrfy.c	*/
cmd_fn	cmd_help;			/* cmd_help.c	*/
cmd_fn	cmd_quit;			/* cmd_quit.c	*/
cmd_fn	cmd_absent, cmd_foreign;	/* cmd_absent.c	*/
cmd_fn	cmd_connect, cmd_shake, cmd_shake_first; /* cmd_connect.c: before any */

/* Does EHLO speak of it, now? */
bool	cmd_offers_tls(const struct session *);
bool	cmd_offers_auth(const struct session *);
bool	cmd_offers_utf8(const struct session *);
bool	cmd_offers_8bit(const struct session *);
bool	cmd_offers_dsn(const struct session *);
bool	cmd_offers_binary(const struct session *);
uint64_t cmd_max_size(const struct session *);

#define CMD_ADDRESS_MAX	SENDER_MAP_MAX	/* bytes with NUL	*/

/*
 * Put our own domain behind a bare <postmaster>, and of whom we know behind any
 * bare user; text is for that.  False: it is none that we take.
 */
bool	cmd_complete(struct session *, struct address *,
	    char text[CMD_ADDRESS_MAX]);

/* May its lines end with LF alone? */
bool	cmd_is_lax(const struct session *);

/* cmd_bdat.c: throw away so much input, then say that it came out of
 * sequence. */
void	cmd_throw(struct session *, uint64_t len);

/*
 * cmd_yes.c: what is said when a command is taken, before any function of Lua
 * makes something else of it; and say that.  False: nothing else is to be said.
 */
struct reply cmd_yes(const struct session *, enum point);
void	cmd_say_yes(struct session *, enum point);
bool	cmd_say_other(struct session *);

/* cmd_data.c: what the next hop says of one recipient, behind a proxy. */
void	cmd_say_result(struct session *, const struct reply *);

/* Say what is wrong with an address or a parameter of MAIL or RCPT. */
void	cmd_fault(struct session *, enum command_fault,
	    const char *address_dsn);

#endif
