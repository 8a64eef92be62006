/* smtp_end.c - from what went wrong to gone(). */
#include "base/log.h"
#include "relay/smtp/smtp_end.h"
#include "relay/smtp/smtp_step.h"

void
smtp_end_hang_up(struct smtp_client *c)
{
	ev_fini(&c->ev);
	timer_stop(&c->timer);
	if (channel_is_open(&c->channel))
		reach_closed();
	channel_close(&c->channel);
	c->in_len = c->in_pos = c->out_len = c->out_pos = 0;
	c->iov_cnt = c->iov_pos = 0;
	c->in_reply = false;
}

void
smtp_end_close(struct smtp_client *c)
{
	if (c->step == SMTP_CLOSED)
		return;
	smtp_end_hang_up(c);
	reach_stop(&c->reach);
	c->step = SMTP_CLOSED;
	later_call(&c->end);
}

static void
on_end(struct later *l, void *arg)
{
	struct smtp_client *c = arg;
	struct delivery *d = c->delivery;

	c->delivery = NULL;
	if (d != NULL) {
		d->on_text = NULL;
		c->calls->back(d, c->arg);
	}
	c->calls->gone(c->has_why ? &c->why : NULL, c->hop, c->arg);
}

void
smtp_end_init(struct smtp_client *c)
{
	later_init(&c->end, c->loop, on_end, c);
}

static void
log_failure(const struct smtp_client *c, const struct verdict *v)
{
	struct log_line l;

	if (!log_wants(LOG_DEBUG))
		return;
	log_begin(&l, LOG_disconnected);
	log_str(&l, LOG_KEY_hop, c->hop);
	log_text(&l, LOG_KEY_stage, stage_name(v->stage));
	log_num(&l, LOG_KEY_code, v->code);
	log_str(&l, LOG_KEY_reply, v->text);
	log_end(&l);
}

void
smtp_end_fail(struct smtp_client *c, const struct verdict *v)
{
	struct delivery *d = c->delivery;
	struct verdict w = *v;

	if (c->step == SMTP_CLOSED)
		return;
	log_failure(c, v);
	w.tls = span_of(c->tls_words);
	if (d != NULL && (c->has_reply || c->mail_cnt == 0 || d->is_orphan)) {
		c->delivery = NULL;
		delivery_end(d, &w, c->hop);
	}
	if (!c->was_ready && !c->is_hopeless && reach_has_more(&c->reach)) {
		smtp_end_hang_up(c);
		c->step = SMTP_DIALING;
		c->is_clear = false;
		reach_next(&c->reach);
		return;
	}
	if (!c->was_ready) {
		c->why = *v;
		c->has_why = true;
	}
	smtp_end_close(c);
}

void
smtp_end_ours(struct smtp_client *c, enum own own)
{
	struct verdict v = verdict_own(own, smtp_step_stage(c));

	smtp_end_fail(c, &v);
}

void
smtp_end_protest(struct smtp_client *c, const struct verdict *v)
{
	struct verdict w = verdict_own(OWN_wrong_reply, v->stage);

	smtp_end_fail(c, &w);
}

void
smtp_end_unasked(struct smtp_client *c)
{
	smtp_end_ours(c, OWN_unasked);
}
