/*
 * received.c - every part is judged or cleaned before the line is built, so
 * that building can go wrong for want of room only.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/received.h"

#define WITH_MAX	16	/* bytes, over the longest registered word */

struct text {
	char	*buf;
	size_t	 len, cap;
	bool	 is_full;
};

static void
put(struct text *t, struct span s)
{
	if (t->is_full || s.len > t->cap - t->len) {
		t->is_full = true;
		return;
	}
	if (s.len > 0)
		memcpy(t->buf + t->len, s.ptr, s.len);
	t->len += s.len;
}

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* Any bytes as one word: what cannot stand in a domain becomes "?". */
static void
put_helo(struct text *t, struct span helo)
{
	if (helo.len == 0)
		helo = SPAN("unknown");
	if (address_is_literal(helo)) {
		put(t, helo);
		return;
	}
	helo = span_head(helo, DOMAIN_MAX);
	for (size_t i = 0; i < helo.len; i++)
		put(t, is_name_char(helo.ptr[i]) ?
		    (struct span){ helo.ptr + i, 1 } : SPAN("?"));
}

/* A name as it can stand here, or empty. */
static struct span
clean_name(struct span name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!is_name_char(name.ptr[i]))
			return SPAN("");
	return name.len <= DOMAIN_MAX ? name : SPAN("");
}

/*
 * TCP-info, " (name [192.0.2.1])" or without the name: the address as a
 * literal; empty text for no client at all.
 */
static enum err
client_literal(const struct received *r, char *buf, size_t cap)
{
	char address[INET6_ADDRSTRLEN];
	unsigned char bits[sizeof(struct in6_addr)];
	struct span name = clean_name(r->name);
	const char *family = "";

	buf[0] = '\0';
	if (r->is_local || r->client.len == 0)
		return OK;
	if (!span_cstr(r->client, address, sizeof(address)))
		return ERR_PEER;
	if (inet_pton(AF_INET, address, bits) != 1) {
		if (inet_pton(AF_INET6, address, bits) != 1)
			return ERR_PEER;
		family = "IPv6:";
	}
	snprintf(buf, cap, " (%.*s%s[%s%s])", (int)name.len, name.ptr,
	    name.len > 0 ? " " : "", family, address);
	return OK;
}

/* Our own name, which is put in as it is. */
static bool
is_by(struct span by)
{
	for (size_t i = 0; i < by.len; i++)
		if (!is_name_char(by.ptr[i]))
			return address_is_literal(by);
	return by.len > 0 && by.len <= DOMAIN_MAX;
}

static bool
is_with(struct span with)
{
	for (size_t i = 0; i < with.len; i++)
		if (!is_name_char(with.ptr[i]))
			return false;
	return with.len > 0 && with.len <= WITH_MAX;
}

/* The recipient as it may be named, or empty. */
static enum err
named_rcpt(const struct received *r, struct span *out)
{
	struct address rcpt = { .is_utf8 = false };

	*out = r->for_rcpt;
	if (out->len == 0 || span_eq_nocase(*out, SPAN("postmaster")))
		return OK;
	if (address_parse(*out, true, &rcpt) != OK)
		return ERR_PEER;
	if (rcpt.is_utf8 && !span_begins(r->with, SPAN("UTF8")))
		out->len = 0;
	return OK;
}

/*
 * From whom.  A local one is named by its uid, in a comment: the CFWS before
 * "by" of RFC 5321 4.4 has room for one, and its TCP-info only for addresses.
 */
static void
put_from(struct text *t, const struct received *r, const char *client)
{
	char uid[16];

	if (!r->is_local) {
		put_helo(t, r->helo);
		put(t, span_of(client));
		return;
	}
	snprintf(uid, sizeof(uid), "%u", (unsigned)r->uid);
	put(t, SPAN("localhost (uid "));
	put(t, span_of(uid));
	put(t, SPAN(")"));
}

static void
put_field(struct text *t, const struct received *r, const char *client,
    struct span rcpt)
{
	char id[ID_TEXT_LEN + 1], date[DATE_TEXT_LEN + 1];

	id_text(r->id, id);
	date_text(r->when_ms, date);
	put(t, SPAN("Received: from "));
	put_from(t, r, client);
	put(t, SPAN("\r\n\tby "));
	put(t, r->by);
	put(t, SPAN(" with "));
	put(t, r->with);
	put(t, SPAN(" id "));
	put(t, span_of(id));
	if (rcpt.len > 0) {
		put(t, SPAN("\r\n\tfor <"));
		put(t, rcpt);
		put(t, SPAN(">; "));
	} else
		put(t, SPAN(";\r\n\t"));
	put(t, span_of(date));
	put(t, SPAN("\r\n"));
}

enum err
received_build(const struct received *r, char *buf, size_t cap, size_t *len)
{
	struct text t = { .buf = buf, .cap = cap };
	char client[DOMAIN_MAX + INET6_ADDRSTRLEN + 16];
	struct span rcpt;

	if (client_literal(r, client, sizeof(client)) != OK ||
	    named_rcpt(r, &rcpt) != OK || !is_with(r->with) ||
	    !is_by(r->by))
		return ERR_PEER;
	put_field(&t, r, client, rcpt);
	if (t.is_full)
		return ERR_FULL;
	*len = t.len;
	return OK;
}

struct span
received_with(bool lmtp, bool extended, bool utf8, bool tls, bool auth)
{
	static const char *const words[2][2][4] = {
		{ { "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA" },
		{ "UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA" } },
		{ { "LMTP", "LMTPS", "LMTPA", "LMTPSA" },
		{ "UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA" } },
	};

	if (!extended)
		return SPAN("SMTP");
	return span_of(words[lmtp][utf8][(auth ? 2 : 0) + (tls ? 1 : 0)]);
}

struct span
received_with_http(bool utf8, bool tls, bool auth)
{
	static const char *const words[2][4] = {
		{ "HTTP", "HTTPS", "HTTPA", "HTTPSA" },
		{ "UTF8HTTP", "UTF8HTTPS", "UTF8HTTPA", "UTF8HTTPSA" },
	};

	return span_of(words[utf8][(auth ? 2 : 0) + (tls ? 1 : 0)]);
}
