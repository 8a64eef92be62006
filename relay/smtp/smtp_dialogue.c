/*
 * smtp_dialogue.c - one row a step: of what stage it is, how long it waits,
 * what it says, and who hears the reply.
 */
#include "relay/smtp/smtp_dialogue.h"
#include "relay/smtp/smtp_end.h"
#include "relay/smtp/smtp_greet.h"
#include "relay/smtp/smtp_login.h"
#include "relay/smtp/smtp_mail.h"
#include "relay/smtp/smtp_pass.h"
#include "relay/smtp/smtp_say.h"

static void
say_quit(struct smtp_client *c)
{
	smtp_say(c, "QUIT\r\n");
}

static void
hear_nothing(struct smtp_client *c, const struct verdict *v)
{
	smtp_end_close(c);
}

static void
hear_unasked(struct smtp_client *c, const struct verdict *v)
{
	smtp_end_unasked(c);
}

const struct smtp_row smtp_dialogue[SMTP__COUNT] = {
	[SMTP_DIALING]	= { STAGE_CONNECT, SMTP_PATIENCE_NONE, 0,
	    NULL, hear_nothing },
	[SMTP_GREETING]	= { STAGE_GREETING, SMTP_PATIENCE_COMMAND, 0,
	    NULL, smtp_greet_hear_greeting },
	[SMTP_EHLO]	= { STAGE_EHLO, SMTP_PATIENCE_COMMAND, 0,
	    smtp_greet_say_ehlo, smtp_greet_hear_ehlo },
	[SMTP_HELO]	= { STAGE_EHLO, SMTP_PATIENCE_COMMAND, 0,
	    smtp_greet_say_helo, smtp_greet_hear_helo },
	[SMTP_STARTTLS]	= { STAGE_EHLO, SMTP_PATIENCE_COMMAND,
	    SMTP_ROW_3XX | SMTP_ROW_421,
	    smtp_greet_say_starttls, smtp_greet_hear_starttls },
	[SMTP_SECURING]	= { STAGE_EHLO, SMTP_PATIENCE_COMMAND, 0,
	    smtp_greet_secure, hear_nothing },
	[SMTP_AUTH]	= { STAGE_EHLO, SMTP_PATIENCE_COMMAND,
	    SMTP_ROW_3XX | SMTP_ROW_421, smtp_login_say, smtp_login_hear },
	[SMTP_IDLE]	= { STAGE_MAIL, SMTP_PATIENCE_NONE, SMTP_ROW_421,
	    NULL, hear_nothing },
	[SMTP_PLAN]	= { STAGE_MAIL, SMTP_PATIENCE_DATA, 0,
	    smtp_mail_plan, hear_unasked },
	[SMTP_RSET]	= { STAGE_MAIL, SMTP_PATIENCE_COMMAND, 0,
	    smtp_mail_say_rset, smtp_mail_hear_rset },
	[SMTP_MAIL]	= { STAGE_MAIL, SMTP_PATIENCE_COMMAND, SMTP_ROW_AHEAD,
	    smtp_mail_say_mail, smtp_mail_hear_mail },
	[SMTP_RCPT]	= { STAGE_RCPT, SMTP_PATIENCE_COMMAND, SMTP_ROW_AHEAD,
	    smtp_mail_say_rcpt, smtp_mail_hear_rcpt },
	[SMTP_PASS]	= { STAGE_RCPT, SMTP_PATIENCE_NONE, 0,
	    NULL, hear_unasked },
	[SMTP_DATA]	= { STAGE_DATA, SMTP_PATIENCE_COMMAND,
	    SMTP_ROW_AHEAD | SMTP_ROW_3XX,
	    smtp_mail_say_data, smtp_mail_hear_data },
	[SMTP_TEXT]	= { STAGE_BODY, SMTP_PATIENCE_DATA, 0,
	    smtp_mail_say_text, smtp_mail_hear_early },
	[SMTP_CHUNK]	= { STAGE_BODY, SMTP_PATIENCE_DATA, 0,
	    NULL, smtp_pass_hear_chunk },
	[SMTP_END]	= { STAGE_BODY, SMTP_PATIENCE_DONE, 0,
	    NULL, smtp_mail_hear_end },
	[SMTP_QUIT]	= { STAGE_MAIL, SMTP_PATIENCE_QUIT, SMTP_ROW_421,
	    say_quit, hear_nothing },
	[SMTP_CLOSED]	= { STAGE_CONNECT, SMTP_PATIENCE_NONE, 0,
	    NULL, hear_nothing },
};
