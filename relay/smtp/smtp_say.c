/* smtp_say.c - the buffer grows, and stays for the connection's life. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/smtp/smtp_end.h"
#include "relay/smtp/smtp_say.h"

#define OUT_MIN		1024	/* bytes to begin with; most envelopes */

void
smtp_say(struct smtp_client *c, const char *format, ...)
{
	size_t room, cap;
	va_list ap;
	char *grown;
	int len;

	for (;;) {
		room = c->out_cap - c->out_len;
		va_start(ap, format);
		len = vsnprintf(room > 0 ? c->out + c->out_len : NULL, room,
		    format, ap);
		va_end(ap);
		if (len < 0 || (size_t)len < room)
			break;
		cap = (c->out_cap + OUT_MIN) * 2 + (size_t)len;
		if ((grown = realloc(c->out, cap)) == NULL) {
			smtp_end_ours(c, OWN_no_memory);
			return;
		}
		c->out = grown;
		c->out_cap = cap;
	}
	if (len > 0)
		c->out_len += (size_t)len;
}
