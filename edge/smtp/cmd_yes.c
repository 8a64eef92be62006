/*
 * cmd_yes.c - what is said when a command is taken.
 */
#include <stdio.h>
#include <stdlib.h>

#include "edge/edge.h"
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

static struct reply
about(unsigned code, const char *dsn, struct span path)
{
	struct reply r = { .code = (uint16_t)code };

	snprintf(r.dsn, sizeof(r.dsn), "%s", dsn);
	snprintf(r.text, sizeof(r.text), "<%.*s> Ok", (int)path.len, path.ptr);
	return r;
}

/* The id, or the next hop's words behind a proxy. */
static struct reply
stored(const struct session *s)
{
	struct reply r = { .code = 250, .dsn = "2.6.0" };
	char id[ID_TEXT_LEN + 1];

	if (s->transaction->reply.text[0] != '\0')
		return s->transaction->reply;
	id_text(s->transaction->stream.id, id);
	snprintf(r.text, sizeof(r.text), "Message queued as %s", id);
	return r;
}

static struct reply
hello(const struct session *s)
{
	struct reply r = { .code = 250 };

	snprintf(r.text, sizeof(r.text), "%s Hello %s", s->edge->set.hostname,
	    s->helo != NULL ? s->helo : s->origin.helo);
	return r;
}

static struct reply
greeting(const struct session *s)
{
	struct reply r = { .code = 220 };

	snprintf(r.text, sizeof(r.text), "%s", s->edge->set.banner);
	return r;
}

struct reply
cmd_yes(const struct session *s, enum point point)
{
	switch (point) {
	case POINT_BANNER:
		return greeting(s);
	case POINT_EHLO:
	case POINT_HELO:
		return hello(s);
	case POINT_STARTTLS:
		return (struct reply){ 220, "2.0.0", "Ready to start TLS",
		    false };
	case POINT_AUTH:
		return (struct reply){ 235, "2.7.0",
		    "Authentication successful", false };
	case POINT_MAIL:
		return about(250, "2.1.0",
		    envelope_sender(&s->transaction->envelope));
	case POINT_RCPT:
		return about(250, "2.1.5",
		    envelope_last(&s->transaction->envelope));
	case POINT_DATA:
		return (struct reply){ 354, "",
		    "Start mail input; end with <CRLF>.<CRLF>", false };
	case POINT_HAVE_DATA:
		return (struct reply){ 250, "2.6.0", "Message accepted",
		    false };
	case POINT_QUEUED:
		return stored(s);
	case POINT_QUIT:
		return (struct reply){ 221, "2.0.0", "Bye", false };
	default:
		return (struct reply){ 250, "2.0.0", "Ok", false };
	}
}

bool
cmd_say_other(struct session *s)
{
	struct reply *r = s->yes;

	if (r == NULL)
		return false;
	s->yes = NULL;
	session_reply(s, r->code, r->dsn, "%s", r->text);
	free(r);
	return true;
}

void
cmd_say_yes(struct session *s, enum point point)
{
	struct reply r;

	if (cmd_say_other(s))
		return;
	r = cmd_yes(s, point);
	session_reply(s, r.code, r.dsn, "%s", r.text);
}
