/*
 * cmd_noop.c - NOOP, RFC 5321 4.1.1.9; what stands behind it means nothing.
 */
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"

enum taken
cmd_noop(struct session *s, struct span args)
{
	session_reply(s, 250, "2.0.0", "Ok");
	return TAKEN;
}
