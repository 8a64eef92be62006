/*
 * cmd_connect.c - what comes before any command: the greeting, RFC 5321 3.1,
 * and the handshake that precedes it where TLS begins at once (RFC 8314).
 */
#include "edge/smtp/cmd.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"

static enum taken
greet(struct session *s, const struct reply *no)
{
	if (no != NULL) {
		session_say(s, no);
		return REFUSED;
	}
	session_reply(s, 220, "", "%s", s->edge->set.banner);
	return TAKEN;
}

enum taken
cmd_connect(struct session *s, struct span args)
{
	return stage_run(s, AT_CONNECT, greet);
}

enum taken
cmd_shake(struct session *s, struct span args)
{
	return TAKEN;
}
