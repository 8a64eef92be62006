/* response.c - the keywords of EHLO stand in all lines but the first. */
#include <stdio.h>

#include "edge/smtp/response.h"
#include "mail/reply.h"

static void
note_last(struct response *h, const struct reply *r)
{
	size_t len = r->text.len < sizeof(h->text) - 1 ? r->text.len :
	    sizeof(h->text) - 1;

	h->code = r->code;
	h->status[0] = '\0';
	if (r->has_dsn)
		snprintf(h->status, sizeof(h->status), "%u.%u.%u",
		    r->dsn_class, r->dsn_subject, r->dsn_detail);
	snprintf(h->text, sizeof(h->text), "%u%s%s%s%.*s", r->code,
	    r->has_dsn ? " " : "", h->status, len > 0 ? " " : "", (int)len,
	    r->text.ptr);
}

enum err
response_take(struct span *in, struct response *h)
{
	struct reply r = { .more = true };
	struct ehlo ehlo = { 0 };
	struct span rest = *in, line;
	bool is_first = true;
	size_t n;

	while (r.more) {
		n = span_find(rest, '\n');
		if (n == rest.len)
			return ERR_AGAIN;
		line = span_head(rest, n);
		if (n > 0 && line.ptr[n - 1] == '\r')
			line.len--;
		if (reply_line(line, &r) != OK)
			return ERR_PEER;
		if (!is_first)
			reply_ehlo(r.text, &ehlo);
		is_first = false;
		rest = span_tail(rest, n + 1);
	}
	note_last(h, &r);
	h->has_utf8 |= (ehlo.has & EHLO_SMTPUTF8) != 0;
	h->has_dsn |= (ehlo.has & EHLO_DSN) != 0;
	*in = rest;
	return OK;
}
