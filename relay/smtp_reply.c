/*
 * smtp_reply.c - lines end in LF, with or without CR, for we must understand
 * what others must not send; a reply is all lines up to one without "-".
 */
#include <sys/socket.h>

#include <errno.h>
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

static enum err
take_lines(struct smtp_client *c)
{
	size_t at = 0;
	enum err e = OK;

	while (e == OK) {
		struct span left = { c->in + at, c->in_len - at };
		size_t len = span_find(left, '\n');

		if (len > REPLY_LINE_MAX)
			e = ERR_PEER;
		if (len == left.len || e != OK)
			break;
		at += len + 1;
		e = take_line(c, span_head(left, len));
		if (c->fd == -1)
			return OK;	/* hung up: nothing is left */
	}
	if (at > 0)
		memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
	return e;
}

enum err
smtp_reply_read(struct smtp_client *c)
{
	size_t room = sizeof(c->in) - c->in_len;
	ssize_t n = recv(c->fd, c->in + c->in_len, room, MSG_DONTWAIT);

	if (n == 0)
		return ERR_CLOSED;
	if (n == -1) {
		if (errno == EAGAIN || errno == EINTR)
			return OK;
		return errno == ECONNRESET ? ERR_CLOSED : ERR_SYS;
	}
	c->in_len += (size_t)n;
	return take_lines(c);
}
