/*
 * smtp_reply.c - lines end in LF, with or without CR, for we must understand
 * what others must not send; a reply is all lines up to one without "-".
 */
#include <string.h>

#include "mail/reply.h"
#include "relay/smtp_dialogue.h"
#include "relay/smtp_reply.h"

/* One line.  All lines of a reply bear one code (RFC 5321 4.2.1). */
static enum err
take_line(struct smtp_client *c, struct span line)
{
	struct reply r;
	uint16_t code;

	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (reply_line(line, &r) != OK)
		return ERR_PEER;
	if (c->line_cnt == 0)
		c->text.len = 0;
	else if (r.code != c->line_code)
		return ERR_PEER;
	else if (r.code == 250)
		smtp_dialogue_note(c, &r);
	if (c->line_cnt++ == SMTP_CLIENT_LINES)
		return ERR_PEER;
	code = c->line_code = r.code;
	verdict_add(&c->text, &r);
	if (r.more)
		return OK;
	c->line_cnt = 0;
	smtp_dialogue_reply(c, code);
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

		if (len > REPLY_LINE_MAX)
			e = ERR_PEER;
		if (len == left.len || e != OK)
			break;
		c->in_pos += len + 1;
		e = take_line(c, span_head(left, len));
		if (!smtp_wire_is_open(&c->wire))
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
	return smtp_wire_is_open(&c->wire) && c->step != SMTP_SECURING &&
	    smtp_wire_has_more(&c->wire);
}

enum err
smtp_reply_read(struct smtp_client *c)
{
	enum err e;
	size_t n;

	do {
		e = smtp_wire_get(&c->wire, c->in + c->in_len,
		    sizeof(c->in) - c->in_len, &n);
		if (e == ERR_AGAIN)
			return OK;
		if (e != OK)
			return e;
		c->in_len += n;
		e = take_lines(c);
	} while (e == OK && may_read_on(c));
	return e;
}
