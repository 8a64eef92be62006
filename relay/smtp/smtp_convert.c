/*
 * smtp_convert.c - a text of few pieces is not let go of when it was read, so
 * that it need not be fetched twice.
 *
 * A DKIM signature of what is converted does not hold any more, and one that
 * does not hold counts as none (RFC 6376 6.1): no reason to refuse.
 */
#include "base/log.h"
#include "relay/smtp/smtp_convert.h"

#define BITE	4096	/* bytes of text converted at a time		*/

/* RFC 6531 3.1: SMTPUTF8 is offered beside 8BITMIME, if it is said or not. */
static bool
lacks_8bit(const struct smtp_client *c)
{
	return c->delivery->flags & MAIL_8BIT && !c->is_utf8 &&
	    !(c->ehlo.has & EHLO_8BITMIME) &&
	    c->target->eightbit != SMTP_8BIT_SEND;
}

bool
smtp_convert_lacks_utf8(const struct smtp_client *c)
{
	return c->delivery->flags & MAIL_SMTPUTF8 && !c->is_utf8 &&
	    !c->target->is_lmtp;
}

bool
smtp_convert_is_due(const struct smtp_client *c)
{
	return !c->is_binary && !c->convert.is_planned && (lacks_8bit(c) ||
	    smtp_convert_lacks_utf8(c) || (c->delivery->flags & MAIL_LONG &&
	    c->target->eightbit == SMTP_8BIT_CONVERT));
}

static const char *
reason(const struct mime_plan *p)
{
	if (p->has_8bit && p->has_long)
		return p->is_signed ? "octets over 127 and long lines; "
		    "its DKIM signature is broken by it" :
		    "octets over 127 and long lines";
	if (p->has_8bit)
		return p->is_signed ? "octets over 127; "
		    "its DKIM signature is broken by it" : "octets over 127";
	return p->is_signed ? "long lines; "
	    "its DKIM signature is broken by it" : "long lines";
}

static void
log_converted(const struct smtp_client *c)
{
	const struct delivery *d = c->delivery;
	struct log_line l;

	log_begin(&l, LOG_converted);
	log_id(&l, LOG_KEY_id, d->id);
	log_num(&l, LOG_KEY_delivery, d->delivery);
	log_num(&l, LOG_KEY_attempt, (int64_t)d->attempt);
	log_str(&l, LOG_KEY_hop, c->hop);
	log_text(&l, LOG_KEY_why, reason(&c->convert.plan));
	log_end(&l);
}

static enum err
begin_plan(struct smtp_client *c)
{
	struct smtp_convert *v = &c->convert;

	mime_plan_init(&v->plan, lacks_8bit(c));
	v->plan.is_utf8 = smtp_convert_lacks_utf8(c);
	dot_init(&v->dot);
	v->read = 0;
	v->mime = mime_new(&v->plan, NULL);
	return v->mime != NULL ? OK : ERR_SYS;
}

/* Only text with whole line ends can be converted. */
static enum err
read_piece(struct smtp_convert *v, struct span piece)
{
	struct span rest = piece, run;

	while (dot_next(&v->dot, &rest, &run))
		;
	if (v->dot.bad)
		return ERR_PEER;
	mime_feed(v->mime, piece);
	return OK;
}

static enum err
end_plan(struct smtp_client *c)
{
	struct smtp_convert *v = &c->convert;

	mime_end(v->mime);
	if (v->plan.has_failed)
		return ERR_SYS;
	delivery_rewind(c->delivery);
	v->is_planned = true;
	if (smtp_convert_is_on(c))
		log_converted(c);
	return OK;
}

enum err
smtp_convert_plan(struct smtp_client *c)
{
	struct smtp_convert *v = &c->convert;
	struct delivery *d = c->delivery;
	struct span piece;
	enum err e = v->mime == NULL ? begin_plan(c) : OK;

	while (e == OK && (e = delivery_text(d, v->read, &piece)) == OK) {
		e = read_piece(v, piece);
		if (d->piece_cnt > STREAM_CREDIT)
			delivery_drop(d, 1);
		else
			v->read++;
	}
	if (e == ERR_AGAIN)
		return e;
	if (e == ERR_NONE)
		e = end_plan(c);
	mime_free(&v->mime);
	return e;
}

bool
smtp_convert_is_refused(const struct smtp_client *c)
{
	const struct smtp_convert *v = &c->convert;

	return v->is_planned && (v->plan.is_stuck || (v->plan.has_8bit &&
	    c->target->eightbit != SMTP_8BIT_CONVERT));
}

bool
smtp_convert_is_on(const struct smtp_client *c)
{
	return c->convert.is_planned && !smtp_convert_is_refused(c) &&
	    c->target->eightbit == SMTP_8BIT_CONVERT &&
	    mime_plan_is_due(&c->convert.plan);
}

uint64_t
smtp_convert_size(const struct smtp_client *c)
{
	uint64_t size = delivery_size(c->delivery);

	return smtp_convert_is_on(c) ? size + c->convert.plan.grows : size;
}

void
smtp_convert_begin(struct smtp_client *c)
{
	struct smtp_convert *v = &c->convert;

	mime_free(&v->mime);
	mime_out_clear(&v->out);
	v->in = (struct span){ NULL, 0 };
	v->has_piece = v->is_over = false;
	v->mime = mime_new(&v->plan, &v->out);
}

/* A bite of text, or the end of it. */
static enum err
convert_more(struct smtp_client *c)
{
	struct smtp_convert *v = &c->convert;
	struct span bite;
	enum err e;

	if (v->in.len == 0) {
		if (v->has_piece)
			delivery_drop(c->delivery, 1);
		v->has_piece = false;
		e = delivery_text(c->delivery, 0, &v->in);
		if (e == ERR_NONE && !v->is_over) {
			v->is_over = true;
			mime_end(v->mime);
			return OK;
		}
		if (e != OK)
			return e;
		v->has_piece = true;
	}
	bite = span_head(v->in, BITE);
	v->in = span_tail(v->in, bite.len);
	mime_feed(v->mime, bite);
	return OK;
}

enum err
smtp_convert_page(struct smtp_client *c, struct span *page)
{
	struct smtp_convert *v = &c->convert;
	enum err e = v->mime != NULL ? OK : ERR_SYS;

	mime_out_clear(&v->out);
	while (e == OK && v->out.len == 0)
		e = convert_more(c);
	if (v->out.has_failed)
		return ERR_SYS;
	*page = (struct span){ v->out.ptr, v->out.len };
	return e;
}

void
smtp_convert_forget(struct smtp_client *c)
{
	struct smtp_convert *v = &c->convert;

	mime_free(&v->mime);
	mime_plan_fini(&v->plan);
	mime_out_free(&v->out);
	v->is_planned = false;
}
