/*
 * smtp_reply.c - lines end in LF, with or without CR, for we must understand
 * what others must not send; a reply is all lines up to one without "-", and
 * the code of the last one decides.  Of a longer line than REPLY_LINE_MAX the
 * rest is passed over.  How many lines may come is the clock's to say, which
 * they do not wind.
 *
 * While nothing that we said last has gone out, nothing that comes can be the
 * reply to it.
 */
#include <string.h>

#include "mail/reply.h"
#include "relay/smtp/smtp_end.h"
#include "relay/smtp/smtp_reply.h"
#include "relay/smtp/smtp_step.h"

/* 421 may come at any time, RFC 5321 3.8. */
static bool
is_unasked(const struct smtp_client *c, const struct reply *r)
{
	return c->out_len > 0 && c->out_pos == 0 && r->code != 421;
}

/*
 * 421 ends the connection wherever it comes; on one that had been used before
 * and idled, it is the next hop's way of saying that we come too late.
 */
static void
take_reply(struct smtp_client *c, uint16_t code)
{
	const struct smtp_row *r = &c->above->rows[c->step];
	struct verdict v = verdict_reply(r->stage, code,
	    verdict_span(&c->text));

	if (code == 421 && !(r->flags & SMTP_ROW_421)) {
		if (!c->was_ready)
			v.scope = SCOPE_DESTINATION;
		smtp_end_fail(c, &v);
		return;
	}
	if (code / 100 == 3 && !(r->flags & SMTP_ROW_3XX)) {
		smtp_end_protest(c, &v);
		return;
	}
	c->has_reply = true;
	r->hear(c, &v);
}

/*
 * One line.  The lines of a reply bear one code (RFC 5321 4.2.1); where they
 * do not, the words of another one are forgotten.
 */
static enum err
take_line(struct smtp_client *c, struct span line)
{
	struct reply r;

	if (reply_line(span_head(line, REPLY_LINE_MAX), &r) != OK)
		return ERR_PEER;
	if (!c->in_reply || r.code != c->line_code)
		c->text.len = 0;
	else if (r.code == 250 && c->step == SMTP_EHLO)
		reply_ehlo(r.text, &c->ehlo);
	c->line_code = r.code;
	c->in_reply = r.more;
	verdict_add(&c->text, &r);
	if (r.more)
		return OK;
	if (is_unasked(c, &r))
		smtp_end_unasked(c);
	else
		take_reply(c, r.code);
	return OK;
}

/*
 * Up to SMTP_SECURING: what follows is not for us to read.  in_pos stands
 * behind a line before it is acted on.
 */
static enum err
take_lines(struct smtp_client *c)
{
	enum err e = OK;

	while (e == OK && c->step != SMTP_SECURING) {
		struct span left = { c->in + c->in_pos, c->in_len - c->in_pos };
		size_t len = span_find(left, '\n');

		if (len == left.len) {
			if (len > REPLY_LINE_MAX)
				c->in_len = c->in_pos + REPLY_LINE_MAX;
			break;
		}
		c->in_pos += len + 1;
		e = take_line(c, span_head(left, len));
		if (!channel_is_open(&c->channel))
			return OK;	/* hung up: nothing is left */
	}
	if (c->in_pos > 0)
		memmove(c->in, c->in + c->in_pos, c->in_len - c->in_pos);
	c->in_len -= c->in_pos;
	c->in_pos = 0;
	return e;
}

static bool
may_read_on(const struct smtp_client *c)
{
	return channel_is_open(&c->channel) && c->step != SMTP_SECURING &&
	    channel_has_more(&c->channel);
}

enum err
smtp_reply_read(struct smtp_client *c)
{
	enum err e;
	size_t n;

	do {
		e = channel_read(&c->channel, c->in + c->in_len,
		    sizeof(c->in) - c->in_len, &n);
		if (e == ERR_AGAIN)
			return OK;
		if (e == ERR_NONE || e == ERR_PEER)	/* or it broke TLS */
			return ERR_CLOSED;
		if (e != OK)
			return e;
		c->in_len += n;
		e = take_lines(c);
	} while (e == OK && may_read_on(c));
	return e;
}
