/*
 * bounce_status.c - subject and detail are the reply's, the class is ours to
 * say: a 550 with "4.2.2" in its text has failed, and so has its status.
 */
#include <stdio.h>
#include <string.h>

#include "queue/bounce/bounce_status.h"

/* At most three digits from *at on; false when there are none. */
static bool
take_number(struct span s, size_t *at, unsigned *out)
{
	size_t from = *at;

	*out = 0;
	while (*at < s.len && *at - from < 3 && s.ptr[*at] >= '0' &&
	    s.ptr[*at] <= '9')
		*out = *out * 10 + (unsigned)(s.ptr[(*at)++] - '0');
	return *at > from;
}

/* class "." subject "." detail at the front: its length, or 0. RFC 3463 2. */
static size_t
take_code(struct span s, struct bounce_status *out)
{
	size_t at = 0;

	if (!take_number(s, &at, &out->class) || at != 1 ||
	    (out->class != 2 && out->class != 4 && out->class != 5))
		return 0;
	if (at >= s.len || s.ptr[at++] != '.' ||
	    !take_number(s, &at, &out->subject))
		return 0;
	if (at >= s.len || s.ptr[at++] != '.' ||
	    !take_number(s, &at, &out->detail))
		return 0;
	return at < s.len && s.ptr[at] != ' ' ? 0 : at;
}

static unsigned
class_of(const struct bounce_rcpt *r, unsigned sent)
{
	unsigned code = r->code / 100u;

	switch (r->action) {
	case REPORT_DELIVERED:
	case REPORT_RELAYED:
	case REPORT_EXPANDED:
		return 2;
	case REPORT_DELAYED:
		return 4;
	case REPORT_FAILED:
		if (code == 4 || code == 5)
			return code;
		return r->is_late || (code == 0 && sent == 4) ? 4 : 5;
	default:
		if (code == 2 || code == 4 || code == 5)
			return code;
		return sent != 0 ? sent : 4;
	}
}

struct bounce_status
bounce_status(const struct bounce_rcpt *r)
{
	struct bounce_status s = { .class = 0 };

	if (take_code(r->reply, &s) == 0) {
		s = (struct bounce_status){ .class = 0 };
		if (r->is_late) {		/* RFC 3463 3.5		*/
			s.subject = 4;
			s.detail = 7;
		}
	}
	s.class = class_of(r, s.class);
	snprintf(s.text, sizeof(s.text), "%u.%u.%u", s.class % 10,
	    s.subject % 1000, s.detail % 1000);
	return s;
}

struct span
bounce_status_words(const struct bounce_rcpt *r)
{
	struct bounce_status s;

	return span_trim(span_tail(r->reply, take_code(r->reply, &s)));
}

/* The first row that fits; detail ANY is the rest of its subject. */
#define ANY	1000u

static const struct row {
	unsigned	 subject, detail;
	enum notice_reason reason;
} rows[] = {
	{ 1, 2, NOTICE_REASON_domain }, { 1, 6, NOTICE_REASON_disabled },
	{ 1, 8, NOTICE_REASON_refused }, { 1, 7, NOTICE_REASON_refused },
	{ 1, 10, NOTICE_REASON_disabled }, { 1, ANY, NOTICE_REASON_unknown },
	{ 2, 2, NOTICE_REASON_full }, { 2, 3, NOTICE_REASON_big },
	{ 2, ANY, NOTICE_REASON_disabled },
	{ 3, 4, NOTICE_REASON_big }, { 3, ANY, NOTICE_REASON_busy },
	{ 4, 4, NOTICE_REASON_domain }, { 4, 5, NOTICE_REASON_busy },
	{ 4, 6, NOTICE_REASON_loop }, { 4, 7, NOTICE_REASON_late },
	{ 4, ANY, NOTICE_REASON_unreachable },
	{ 6, ANY, NOTICE_REASON_content },
	{ 7, 4, NOTICE_REASON_secure }, { 7, 5, NOTICE_REASON_secure },
	{ 7, 8, NOTICE_REASON_secure }, { 7, 9, NOTICE_REASON_secure },
	{ 7, 10, NOTICE_REASON_secure }, { 7, 11, NOTICE_REASON_secure },
	{ 7, ANY, NOTICE_REASON_refused },
};

/* What hosts without enhanced codes say, in small letters. */
static const struct saying {
	const char	*words;
	enum notice_reason reason;
} sayings[] = {
	{ "spam", NOTICE_REASON_refused }, { "blacklist",
	    NOTICE_REASON_refused }, { "blocklist", NOTICE_REASON_refused },
	{ "quota", NOTICE_REASON_full }, { "mailbox full",
	    NOTICE_REASON_full }, { "mailbox is full", NOTICE_REASON_full },
	{ "too large", NOTICE_REASON_big }, { "too big", NOTICE_REASON_big },
	{ "user unknown", NOTICE_REASON_unknown },
	{ "unknown user", NOTICE_REASON_unknown },
	{ "no such", NOTICE_REASON_unknown },
	{ "not exist", NOTICE_REASON_unknown },
	{ "disabled", NOTICE_REASON_disabled },
};

static bool
says(struct span text, const char *words)
{
	struct span w = span_of(words);

	for (size_t i = 0; i + w.len <= text.len; i++)
		if (span_begins_nocase(span_tail(text, i), w))
			return true;
	return false;
}

static enum notice_reason
why_failed(const struct bounce_rcpt *r)
{
	struct bounce_status s = bounce_status(r);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].subject == s.subject &&
		    (rows[i].detail == s.detail || rows[i].detail == ANY))
			return rows[i].reason;
	for (size_t i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++)
		if (says(r->reply, sayings[i].words))
			return sayings[i].reason;
	return r->action == REPORT_DELAYED ? NOTICE_REASON_later :
	    NOTICE_REASON_other;
}

enum notice_reason
bounce_status_reason(const struct bounce_rcpt *r)
{
	if (r->is_lost)
		return NOTICE_REASON_lost;
	switch (r->action) {
	case REPORT_DELIVERED:
		return NOTICE_REASON_delivered;
	case REPORT_RELAYED:
	case REPORT_EXPANDED:
		return NOTICE_REASON_relayed;
	default:
		return why_failed(r);
	}
}
