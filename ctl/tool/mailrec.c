/*
 * mailrec.c - tags are "name=value" between semicolons, as DKIM has them and
 * the others took over; SPF has words instead.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/tool/mailrec.h"

#define LOOKUPS_MAX	10	/* RFC 7208 4.6.4 */

static bool
is_of_a_host(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool
mailrec_name(struct span rdata, char out[MAILREC_NAME_MAX], size_t *used)
{
	size_t at = 0, len = 0;

	for (;;) {
		unsigned char label = at < rdata.len ?
		    (unsigned char)rdata.ptr[at++] : 64;

		if (label > 63 || rdata.len - at < label || at + label > 255)
			return false;
		if (label == 0)
			break;
		if (len > 0)
			out[len++] = '.';
		for (; label > 0; label--, at++) {
			unsigned char c = (unsigned char)rdata.ptr[at];

			if (is_of_a_host(c))
				out[len++] = (char)c;
			else
				len += (size_t)snprintf(out + len, 5,
				    "\\%03u", c);
		}
	}
	out[len] = '\0';
	*used = at;
	return true;
}

bool
mailrec_text(struct span rdata, char out[MAILREC_TEXT_MAX], size_t *len)
{
	*len = 0;
	while (rdata.len > 0) {
		size_t n = (unsigned char)rdata.ptr[0];

		rdata = span_tail(rdata, 1);
		if (n > rdata.len || *len + n > MAILREC_TEXT_MAX)
			return false;
		if (n > 0)
			memcpy(out + *len, rdata.ptr, n);
		*len += n;
		rdata = span_tail(rdata, n);
	}
	return true;
}

static const char *const versions[MAILREC__COUNT] = {
	[MAILREC_SPF] = "v=spf1", [MAILREC_DKIM] = "v=DKIM1",
	[MAILREC_DMARC] = "v=DMARC1", [MAILREC_STS] = "v=STSv1",
	[MAILREC_TLSRPT] = "v=TLSRPTv1",
};

/* The next tag of a list; false: that was the last. */
static bool
next_tag(struct span *list, struct span *name, struct span *value)
{
	struct span tag;

	do {
		if (list->len == 0)
			return false;
		tag = span_head(*list, span_find(*list, ';'));
		*list = span_tail(*list, tag.len + 1);
		tag = span_trim(tag);
	} while (tag.len == 0);
	*name = span_trim(span_head(tag, span_find(tag, '=')));
	*value = span_trim(span_tail(tag, span_find(tag, '=') + 1));
	return true;
}

static bool
find_tag(struct span text, const char *wanted, struct span *value)
{
	struct span name, v;

	while (next_tag(&text, &name, &v))
		if (span_eq_nocase(name, span_of(wanted))) {
			*value = v;
			return true;
		}
	return false;
}

/* A key need not say its version: what has a public key is one. */
bool
mailrec_is(enum mailrec kind, struct span text)
{
	struct span version = span_of(versions[kind]), rest, value;

	if (kind == MAILREC_DKIM && find_tag(text, "p", &value))
		return true;
	if (!span_begins_nocase(text, version))
		return false;
	rest = span_tail(text, version.len);
	return rest.len == 0 || rest.ptr[0] == ' ' || rest.ptr[0] == ';';
}

static bool
is_lookup(struct span word)
{
	static const char *const words[] = { "include", "a", "mx", "ptr",
	    "exists", "redirect" };
	size_t len = 0;

	while (len < word.len && word.ptr[len] != ':' &&
	    word.ptr[len] != '/' && word.ptr[len] != '=')
		len++;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_eq_nocase(span_head(word, len), span_of(words[i])))
			return true;
	return false;
}

static const char *
spf_wrong(struct span text)
{
	unsigned lookups = 0;
	bool ends = false;

	while (text.len > 0) {
		struct span word = span_head(text, span_find(text, ' '));

		text = span_tail(text, word.len + 1);
		if (span_eq_nocase(word, SPAN("+all")) ||
		    span_eq_nocase(word, SPAN("all")))
			return "it lets everybody send";
		if (word.len > 0 && strchr("+-~?", word.ptr[0]) != NULL)
			word = span_tail(word, 1);
		ends |= span_eq_nocase(word, SPAN("all")) ||
		    span_begins_nocase(word, SPAN("redirect="));
		lookups += is_lookup(word);
	}
	if (lookups > LOOKUPS_MAX)
		return "it takes more than ten lookups, and counts as broken";
	return ends ? NULL : "it says nothing of all others: end it with -all "
	    "or ~all";
}

static const char *
dmarc_wrong(struct span text)
{
	struct span p;

	if (!find_tag(text, "p", &p))
		return "it has no p=";
	if (!span_eq_nocase(p, SPAN("none")) &&
	    !span_eq_nocase(p, SPAN("quarantine")) &&
	    !span_eq_nocase(p, SPAN("reject")))
		return "its p= is neither none, quarantine nor reject";
	return NULL;
}

static const char *
dkim_wrong(struct span text)
{
	struct span p;

	if (!find_tag(text, "p", &p))
		return "it has no p=, the key";
	if (p.len == 0)
		return "the key is taken back: p= is empty";
	return NULL;
}

const char *
mailrec_wrong(enum mailrec kind, struct span text)
{
	struct span value;

	switch (kind) {
	case MAILREC_SPF:
		return spf_wrong(text);
	case MAILREC_DKIM:
		return dkim_wrong(text);
	case MAILREC_DMARC:
		return dmarc_wrong(text);
	case MAILREC_STS:
		return find_tag(text, "id", &value) && value.len > 0 ? NULL :
		    "it has no id=";
	case MAILREC_TLSRPT:
	default:
		return find_tag(text, "rua", &value) && value.len > 0 ? NULL :
		    "it has no rua=, where reports go";
	}
}

const char *
mailrec_tlsa_wrong(struct span rdata)
{
	const unsigned char *b = (const unsigned char *)rdata.ptr;

	if (rdata.len < 4)
		return "it is broken";
	if (b[0] != 2 && b[0] != 3)
		return "its usage is neither 2 nor 3, and mail does not look "
		    "at it";
	if (b[1] > 1 || b[2] > 2)
		return "its selector or matching type is not known";
	if ((b[2] == 1 && rdata.len != 3 + 32) ||
	    (b[2] == 2 && rdata.len != 3 + 64))
		return "its hash is not as long as it should be";
	return NULL;
}
