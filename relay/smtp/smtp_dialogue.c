/*
 * smtp_dialogue.c - one row a step: what it says, how long it waits, and who
 * hears the reply.
 */
#include "relay/smtp/slow.h"
#include "relay/smtp/smtp_dialogue.h"
#include "relay/smtp/smtp_greet.h"
#include "relay/smtp/smtp_login.h"
#include "relay/smtp/smtp_mail.h"

#define QUIT_MS		5000	/* patience for the reply to QUIT */

typedef void say_fn(struct smtp_client *);
typedef void hear_fn(struct smtp_client *, const struct verdict *);

#define IS_AHEAD	0x1u	/* said with MAIL when pipelined	*/
#define HAS_3XX		0x2u	/* its replies may be 3xx		*/
#define HAS_421		0x4u	/* it judges a 421 by itself		*/

enum patience {
	PATIENCE_NONE,
	PATIENCE_COMMAND,
	PATIENCE_DATA,
	PATIENCE_DONE,
	PATIENCE_QUIT,
};

static void
say_quit(struct smtp_client *c)
{
	smtp_client_say(c, "QUIT\r\n");
}

static void
hear_nothing(struct smtp_client *c, const struct verdict *v)
{
	smtp_client_close(c);
}

static void
hear_unasked(struct smtp_client *c, const struct verdict *v)
{
	smtp_dialogue_unasked(c);
}

static const struct row {
	const char	*word;
	enum stage	 stage;
	enum patience	 patience;
	unsigned	 flags;
	say_fn		*say;
	hear_fn		*hear;
} rows[SMTP__COUNT] = {
	[SMTP_DIALING]	= { "dialing", STAGE_CONNECT, PATIENCE_NONE, 0,
	    NULL, hear_nothing },
	[SMTP_GREETING]	= { "greeting", STAGE_GREETING, PATIENCE_COMMAND, 0,
	    NULL, smtp_greet_hear_greeting },
	[SMTP_EHLO]	= { "ehlo", STAGE_EHLO, PATIENCE_COMMAND, 0,
	    smtp_greet_say_ehlo, smtp_greet_hear_ehlo },
	[SMTP_HELO]	= { "helo", STAGE_EHLO, PATIENCE_COMMAND, 0,
	    smtp_greet_say_helo, smtp_greet_hear_helo },
	[SMTP_STARTTLS]	= { "starttls", STAGE_EHLO, PATIENCE_COMMAND,
	    HAS_3XX | HAS_421,
	    smtp_greet_say_starttls, smtp_greet_hear_starttls },
	[SMTP_SECURING]	= { "securing", STAGE_EHLO, PATIENCE_COMMAND, 0,
	    smtp_greet_secure, hear_nothing },
	[SMTP_AUTH]	= { "auth", STAGE_EHLO, PATIENCE_COMMAND,
	    HAS_3XX | HAS_421, smtp_login_say, smtp_login_hear },
	[SMTP_IDLE]	= { "idle", STAGE_MAIL, PATIENCE_NONE, HAS_421,
	    NULL, hear_nothing },
	[SMTP_PLAN]	= { "plan", STAGE_MAIL, PATIENCE_DATA, 0,
	    smtp_mail_plan, hear_unasked },
	[SMTP_RSET]	= { "rset", STAGE_MAIL, PATIENCE_COMMAND, 0,
	    smtp_mail_say_rset, smtp_mail_hear_rset },
	[SMTP_MAIL]	= { "mail", STAGE_MAIL, PATIENCE_COMMAND, IS_AHEAD,
	    smtp_mail_say_mail, smtp_mail_hear_mail },
	[SMTP_RCPT]	= { "rcpt", STAGE_RCPT, PATIENCE_COMMAND, IS_AHEAD,
	    smtp_mail_say_rcpt, smtp_mail_hear_rcpt },
	[SMTP_DATA]	= { "data", STAGE_DATA, PATIENCE_COMMAND,
	    IS_AHEAD | HAS_3XX, smtp_mail_say_data, smtp_mail_hear_data },
	[SMTP_TEXT]	= { "text", STAGE_BODY, PATIENCE_DATA, 0,
	    smtp_mail_say_text, smtp_mail_hear_early },
	[SMTP_END]	= { "end", STAGE_BODY, PATIENCE_DONE, 0,
	    NULL, smtp_mail_hear_end },
	[SMTP_QUIT]	= { "quit", STAGE_MAIL, PATIENCE_QUIT, HAS_421,
	    say_quit, hear_nothing },
	[SMTP_CLOSED]	= { "closed", STAGE_CONNECT, PATIENCE_NONE, 0,
	    NULL, hear_nothing },
};

/* As the block says, but at least RFC 5321's where that was too short. */
static int64_t
asked_of(const struct smtp_client *c, int64_t ms)
{
	enum stage stage = rows[c->step].stage;
	int64_t least_ms = c->target->patient & SLOW_BIT(stage) ?
	    slow_wait_ms(stage) : 0;

	return ms > least_ms ? ms : least_ms;
}

/* How long the step lasts at most; 0: for ever. */
static int64_t
patience_ms(const struct smtp_client *c)
{
	switch (rows[c->step].patience) {
	case PATIENCE_COMMAND:
		return asked_of(c, c->target->command_ms);
	case PATIENCE_DATA:
		return asked_of(c, c->target->data_ms);
	case PATIENCE_DONE:
		return c->target->done_ms;
	case PATIENCE_QUIT:
		return QUIT_MS;
	case PATIENCE_NONE:
		break;
	}
	return 0;
}

void
smtp_dialogue_wait(struct smtp_client *c)
{
	c->waits_ms = patience_ms(c);
	if (c->waits_ms > 0)
		timer_set(&c->timer, c->waits_ms);
	else
		timer_stop(&c->timer);
}

bool
smtp_dialogue_waits_on(struct smtp_client *c)
{
	int64_t waited_ms = c->waits_ms;

	c->waits_ms = patience_ms(c);
	if (c->waits_ms <= waited_ms)
		return false;
	timer_set(&c->timer, c->waits_ms - waited_ms);
	return true;
}

void
smtp_dialogue_enter(struct smtp_client *c, enum smtp_step step)
{
	const struct row *r = &rows[step];

	c->step = step;
	if (r->say != NULL &&
	    !(r->flags & IS_AHEAD && smtp_mail_is_pipelined(c)))
		r->say(c);
	if (c->step == step)
		smtp_dialogue_wait(c);
}

/*
 * 421 ends the connection wherever it comes; on one that had been used before
 * and idled, it is the next hop's way of saying that we come too late.
 */
void
smtp_dialogue_reply(struct smtp_client *c, uint16_t code)
{
	const struct row *r = &rows[c->step];
	struct verdict v = verdict_reply(r->stage, code,
	    verdict_span(&c->text));

	if (code == 421 && !(r->flags & HAS_421)) {
		if (!c->was_ready)
			v.scope = SCOPE_DESTINATION;
		smtp_client_fail(c, &v);
		return;
	}
	if (code / 100 == 3 && !(r->flags & HAS_3XX)) {
		smtp_dialogue_protest(c, &v);
		return;
	}
	c->heard = true;
	r->hear(c, &v);
}

void
smtp_dialogue_protest(struct smtp_client *c, const struct verdict *v)
{
	struct verdict w = verdict_own(OWN_wrong_reply, v->stage);

	smtp_client_fail(c, &w);
}

void
smtp_dialogue_unasked(struct smtp_client *c)
{
	struct verdict w = verdict_own(OWN_unasked, rows[c->step].stage);

	smtp_client_fail(c, &w);
}

void
smtp_dialogue_note(struct smtp_client *c, const struct reply *r)
{
	if (c->step == SMTP_EHLO)
		reply_ehlo(r->text, &c->ehlo);
}

enum stage
smtp_dialogue_stage(const struct smtp_client *c)
{
	return rows[c->step].stage;
}

const char *
smtp_dialogue_word(enum smtp_step step)
{
	return rows[step].word;
}
