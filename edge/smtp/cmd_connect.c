/*
 * cmd_connect.c - what comes before any command: the greeting, RFC 5321 3.1,
 * and the handshake that precedes it where TLS begins at once (RFC 8314).
 */
#include <stdio.h>
#include <string.h>

#include "edge/smtp/cmd.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"

#define BANNER_TEXT_MAX	1024	/* more is cut anyway		*/

/* Who has no name is named as in Received, by his address. */
static void
say_banner(struct session *s)
{
	const char *banner = s->edge->set.banner, *at = banner, *end;
	char text[BANNER_TEXT_MAX] = "";
	size_t len = 0;
	int n;

	while ((end = strstr(at, BANNER_NAME)) != NULL &&
	    len < sizeof(text)) {
		n = s->origin.name != NULL ?
		    snprintf(text + len, sizeof(text) - len, "%.*s%s",
		    (int)(end - at), at, s->origin.name) :
		    snprintf(text + len, sizeof(text) - len, "%.*s[%s]",
		    (int)(end - at), at, s->origin.client);
		len += n > 0 ? (size_t)n : 0;
		at = end + sizeof(BANNER_NAME) - 1;
	}
	if (s->edge->set.banner_code != 0)
		session_refuse(s, s->edge->set.banner_code, "", "%s%s", text,
		    at);
	else
		session_reply(s, 220, "", "%s%s", text, at);
}

static enum taken
greet(struct session *s, const struct reply *no)
{
	if (no != NULL) {
		session_say(s, no);
		return REFUSED;
	}
	if (cmd_say_other(s))
		return TAKEN;
	say_banner(s);
	return s->edge->set.banner_code != 0 ? REFUSED : TAKEN;
}

enum taken
cmd_connect(struct session *s, struct span args)
{
	return stage_run(s, AT_CONNECT, greet);
}

/* Nobody hears a reply. */
static enum taken
begin(struct session *s, const struct reply *no)
{
	if (no != NULL)
		session_close(s, true);
	return TAKEN;
}

enum taken
cmd_shake_first(struct session *s, struct span args)
{
	return stage_run(s, AT_STARTTLS, begin);
}

enum taken
cmd_shake(struct session *s, struct span args)
{
	return TAKEN;
}
