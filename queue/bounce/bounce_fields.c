/*
 * bounce_fields.c - Remote-MTA says who gave the diagnostic code, so it stands
 * only where it was the next hop (2.3.5); what we said ourselves was not said
 * by SMTP, and is of a type of our own (2.3.6).
 */
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/encoded.h"
#include "queue/bounce/bounce_fields.h"
#include "queue/bounce/bounce_safe.h"
#include "queue/bounce/bounce_status.h"

static const char *const actions[REPORT__COUNT] = {
	[REPORT_NONE] = "failed", [REPORT_FAILED] = "failed",
	[REPORT_DELAYED] = "delayed", [REPORT_DELIVERED] = "delivered",
	[REPORT_RELAYED] = "relayed", [REPORT_EXPANDED] = "expanded",
};

static void
put_date(FILE *f, const char *name, int64_t ms)
{
	char date[DATE_TEXT_LEN + 1];

	date_text(ms, date);
	fprintf(f, "%s: %s\r\n", name, date);
}

/* An atom, as the types of RFC 3464 are. */
static bool
is_type(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return s.len > 0 && s.len <= 64;
}

/* Of type utf-8 it is written as the client did: RFC 6533 3. */
static void
put_original(FILE *f, struct span orcpt, bool utf8)
{
	size_t semicolon = span_find(orcpt, ';');
	struct span type = span_head(orcpt, semicolon);
	struct span address = span_tail(orcpt, semicolon + 1);

	if (!is_type(type) || address.len == 0)
		return;
	fprintf(f, "Original-Recipient: %.*s; ", (int)type.len, type.ptr);
	if (!span_eq_nocase(type, SPAN("utf-8")))
		bounce_safe_xtext(f, address, utf8);
	else if (utf8_is_ascii(address))
		bounce_safe_text(f, address, false);
	else
		bounce_safe_utf8_address(f, address, utf8);
	fputs("\r\n", f);
}

static void
put_final(FILE *f, struct span address, bool utf8)
{
	if (address.len == 0) {		/* its record was lost		*/
		fputs("Final-Recipient: x-postern; unknown\r\n", f);
		return;
	}
	fputs("Final-Recipient: ", f);
	if (utf8_is_ascii(address)) {
		fputs("rfc822; ", f);
		bounce_safe_text(f, address, false);
	} else {
		fputs("utf-8; ", f);
		bounce_safe_utf8_address(f, address, utf8);
	}
	fputs("\r\n", f);
}

/* The two sides of "host[address]:port"; "host:port" has but one. */
static struct span
split_hop(struct span hop, struct span *address)
{
	size_t bracket = span_find(hop, '['), colon = hop.len;

	*address = span_tail(hop, bracket + 1);
	*address = span_head(*address, span_find(*address, ']'));
	if (bracket < hop.len)
		return span_head(hop, bracket);
	while (colon > 0 && hop.ptr[colon - 1] != ':')
		colon--;
	return span_head(hop, colon > 0 ? colon - 1 : hop.len);
}

/* A name of the DNS, and no address written with dots. */
static bool
is_name(struct span host)
{
	return address_is_domain(host, false) &&
	    (host.ptr[host.len - 1] < '0' || host.ptr[host.len - 1] > '9');
}

static bool
is_address(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') &&
		    c != ':' && c != '.')
			return false;
	}
	return s.len > 0 && s.len < 64;
}

/* A next hop that has neither name nor address is a socket of this host. */
static void
put_remote(FILE *f, struct span hop)
{
	struct span address, host = split_hop(hop, &address);

	if (address.len == 0)
		address = host;
	if (is_name(host))
		fprintf(f, "Remote-MTA: dns; %.*s\r\n", (int)host.len,
		    host.ptr);
	else if (is_address(address))
		fprintf(f, "Remote-MTA: dns; [%s%.*s]\r\n",
		    span_find(address, ':') < address.len ? "IPv6:" : "",
		    (int)address.len, address.ptr);
}

static void
put_diagnostic(FILE *f, const struct bounce_rcpt *r, bool utf8)
{
	if (r->is_theirs)
		put_remote(f, r->hop);
	if (r->reply.len == 0 && r->code == 0)
		return;
	fprintf(f, "Diagnostic-Code: %s; ", r->is_theirs ? "smtp" :
	    "x-postern");
	if (r->code != 0 && r->is_theirs)
		fprintf(f, "%03u ", r->code % 1000u);
	bounce_safe_text(f, r->reply, utf8);
	fputs("\r\n", f);
}

static void
put_rcpt(FILE *f, const struct bounce_rcpt *r, bool utf8)
{
	fputs("\r\n", f);
	put_original(f, r->orcpt, utf8);
	put_final(f, r->address, utf8);
	fprintf(f, "Action: %s\r\nStatus: %s\r\n", actions[r->action],
	    bounce_status(r).text);
	put_diagnostic(f, r, utf8);
	if (r->tried_ms > 0)
		put_date(f, "Last-Attempt-Date", r->tried_ms);
	if (r->action == REPORT_DELAYED && r->until_ms > 0)
		put_date(f, "Will-Retry-Until", r->until_ms);
}

void
bounce_fields_put(FILE *f, const struct bounce *b, bool utf8)
{
	if (b->envid.len > 0) {
		fputs("Original-Envelope-Id: ", f);
		bounce_safe_xtext(f, b->envid, utf8);
		fputs("\r\n", f);
	}
	fputs("Reporting-MTA: dns; ", f);
	bounce_safe_text(f, b->hostname, false);
	fputs("\r\n", f);
	put_date(f, "Arrival-Date", b->arrived_ms);
	for (uint32_t i = 0; i < b->rcpt_cnt; i++)
		put_rcpt(f, &b->rcpts[i], utf8);
}
