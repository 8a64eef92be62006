/* smtp_step.c - from one step to the next, and the clock of each. */
#include "relay/hop/slow.h"
#include "relay/smtp/smtp_step.h"

#define QUIT_MS		5000	/* patience for the reply to QUIT */

static const struct smtp_row *
row_of(const struct smtp_client *c)
{
	return &c->above->rows[c->step];
}

/* As the block says, but at least RFC 5321's where that was too short. */
static int64_t
asked_of(const struct smtp_client *c, int64_t ms)
{
	enum stage stage = row_of(c)->stage;
	int64_t least_ms = c->target->patient & SLOW_BIT(stage) ?
	    slow_wait_ms(stage) : 0;

	return ms > least_ms ? ms : least_ms;
}

/* How long the step lasts at most; 0: for ever. */
static int64_t
patience_ms(const struct smtp_client *c)
{
	switch (row_of(c)->patience) {
	case SMTP_PATIENCE_COMMAND:
		return asked_of(c, c->target->command_ms);
	case SMTP_PATIENCE_DATA:
		return asked_of(c, c->target->data_ms);
	case SMTP_PATIENCE_DONE:
		return c->target->done_ms;
	case SMTP_PATIENCE_QUIT:
		return QUIT_MS;
	case SMTP_PATIENCE_NONE:
		break;
	}
	return 0;
}

void
smtp_step_wait(struct smtp_client *c)
{
	c->waits_ms = patience_ms(c);
	if (c->waits_ms > 0)
		timer_set(&c->timer, c->waits_ms);
	else
		timer_stop(&c->timer);
}

bool
smtp_step_waits_on(struct smtp_client *c)
{
	int64_t waited_ms = c->waits_ms;

	c->waits_ms = patience_ms(c);
	if (c->waits_ms <= waited_ms)
		return false;
	timer_set(&c->timer, c->waits_ms - waited_ms);
	return true;
}

void
smtp_step_enter(struct smtp_client *c, enum smtp_step step)
{
	const struct smtp_row *r = &c->above->rows[step];

	c->step = step;
	if (r->say != NULL &&
	    !(r->flags & SMTP_ROW_AHEAD && smtp_step_is_pipelined(c)))
		r->say(c);
	if (c->step == step)
		smtp_step_wait(c);
}

void
smtp_step_ready(struct smtp_client *c)
{
	c->was_ready = true;
	if (c->target->offers != NULL)
		c->target->offers(c->target, &c->ehlo);
	smtp_step_enter(c, SMTP_IDLE);
}

bool
smtp_step_is_pipelined(const struct smtp_client *c)
{
	return (c->ehlo.has & EHLO_PIPELINING) != 0 &&
	    !(c->delivery != NULL && c->delivery->is_passing);
}

enum stage
smtp_step_stage(const struct smtp_client *c)
{
	return row_of(c)->stage;
}
