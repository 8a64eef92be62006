/*
 * cmd_help.c - HELP, RFC 5321 4.1.1.8: the commands that can be said here.
 */
#include <string.h>

#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"

/* What is no word for this client, now. */
static bool
is_offered(const struct session *s, const char *verb)
{
	if (strcmp(verb, "STARTTLS") == 0)
		return cmd_offers_tls(s);
	return strcmp(verb, "AUTH") != 0 || cmd_offers_auth(s);
}

enum taken
cmd_help(struct session *s, struct span args)
{
	char words[REPLY_TEXT_MAX] = "";
	const char *verb;
	size_t at = 0;

	while ((verb = s->next_verb(s, &at)) != NULL) {
		if (!is_offered(s, verb))
			continue;
		if (words[0] != '\0')
			strlcat(words, " ", sizeof(words));
		strlcat(words, verb, sizeof(words));
	}
	session_reply(s, 214, "2.0.0", "%s", words);
	return TAKEN;
}
