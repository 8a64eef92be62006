/*
 * smtp_client.c - the life of a connection, as its owner sees it.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/smtp/smtp_client.h"
#include "relay/smtp/smtp_connect.h"
#include "relay/smtp/smtp_convert.h"
#include "relay/smtp/smtp_dialogue.h"
#include "relay/smtp/smtp_end.h"
#include "relay/smtp/smtp_mail.h"
#include "relay/smtp/smtp_step.h"
#include "relay/smtp/smtp_turn.h"

/* While the vault is asked. */
static void
on_signed(void *arg)
{
	smtp_turn_take(arg, 0);
}

static const struct smtp_above above = {
	smtp_dialogue, smtp_connect_again, on_signed
};

struct smtp_client *
smtp_client_new(struct ev_loop *loop, struct resolve *resolve,
    const struct smtp_client_target *target,
    const struct hop_calls *calls, void *arg)
{
	struct smtp_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->loop = loop;
	c->target = target;
	c->calls = calls;
	c->above = &above;
	c->arg = arg;
	c->channel.fd = -1;
	c->step = SMTP_DIALING;
	timer_init(&c->timer, loop, smtp_turn_on_time, c);
	smtp_end_init(c);
	smtp_connect_init(c, resolve);
	return c;
}

void
smtp_client_free(struct smtp_client **cp)
{
	struct smtp_client *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	reach_fini(&c->reach);
	smtp_end_hang_up(c);
	later_stop(&c->end);
	smtp_convert_forget(c);
	free(c->batch);
	if (c->out != NULL)
		explicit_bzero(c->out, c->out_cap);
	free(c->out);
	free(c);
}

void
smtp_client_start(struct smtp_client *c)
{
	smtp_connect_start(c);
}

void
smtp_client_start_on(struct smtp_client *c, int fd, struct span hop)
{
	smtp_connect_on(c, fd, hop);
}

bool
smtp_client_is_free(const struct smtp_client *c)
{
	return c->step == SMTP_IDLE;
}

bool
smtp_client_was_used(const struct smtp_client *c)
{
	return c->mail_cnt > 0;
}

struct place *
smtp_client_place(struct smtp_client *c)
{
	return reach_place(&c->reach);
}

void
smtp_client_close(struct smtp_client *c)
{
	smtp_end_close(c);
}

bool
smtp_client_is_alive(struct smtp_client *c)
{
	char byte;
	size_t n;

	if (c->step != SMTP_IDLE)
		return false;
	if (c->in_len == 0 &&
	    channel_read(&c->channel, &byte, 1, &n) == ERR_AGAIN)
		return true;
	smtp_end_close(c);
	return false;
}

void
smtp_client_deliver(struct smtp_client *c, struct delivery *d)
{
	bool was_in_turn = c->in_turn;

	c->delivery = d;
	c->has_reply = false;
	c->was_granted = false;
	c->refused_code = 0;
	d->on_text = smtp_turn_on_piece;
	d->on_text_arg = c;
	smtp_convert_forget(c);
	delivery_rewind(d);		/* it may have been read elsewhere */
	delivery_prefetch(d);
	c->in_turn = true;
	smtp_mail_begin(c);
	c->in_turn = was_in_turn;
	if (!c->in_turn && c->step != SMTP_IDLE)
		smtp_turn_take(c, 0);
}

void
smtp_client_quit(struct smtp_client *c)
{
	if (c->step != SMTP_IDLE) {
		smtp_end_close(c);
		return;
	}
	smtp_step_enter(c, SMTP_QUIT);
	if (!c->in_turn)
		smtp_turn_take(c, 0);
}
