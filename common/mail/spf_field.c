/*
 * spf_field.c - values are quoted strings, so that nothing in them means
 * anything; what is no printable ASCII becomes "?".
 */
#include <stdio.h>

#include "base/limits.h"
#include "mail/spf_field.h"

#define QUOTED_MAX	(2 * DOMAIN_MAX + 3)

static void
quote(char out[QUOTED_MAX], struct span s)
{
	size_t len = 0;

	s = span_head(s, DOMAIN_MAX);
	out[len++] = '"';
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '"' || c == '\\')
			out[len++] = '\\';
		out[len++] = c >= ' ' && c <= '~' ? c : '?';
	}
	out[len++] = '"';
	out[len] = '\0';
}

size_t
spf_field_build(const struct spf_field *f, char out[SPF_FIELD_MAX])
{
	char sender[QUOTED_MAX], helo[QUOTED_MAX];
	int len;

	quote(sender, f->sender);
	quote(helo, f->helo);
	len = snprintf(out, SPF_FIELD_MAX, "Received-SPF: %s\r\n"
	    "\treceiver=%.*s; identity=%s; client-ip=%.*s;\r\n"
	    "\tenvelope-from=%s;\r\n\thelo=%s;\r\n", spf_word(f->result),
	    (int)span_head(f->receiver, DOMAIN_MAX).len, f->receiver.ptr,
	    f->sender.len > 0 ? "mailfrom" : "helo",
	    (int)span_head(f->client, 64).len, f->client.ptr, sender, helo);
	return len > 0 ? (size_t)len : 0;
}
