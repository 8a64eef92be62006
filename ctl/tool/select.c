/*
 * select.c - addresses are compared without regard to letter case, local part
 * included: this is for finding mail, not for delivering it.  A domain is found
 * however it is written.
 */
#include <string.h>

#include "ctl/tool/select.h"
#include "mail/account.h"
#include "mail/domain.h"
#include "mail/reply.h"

#define HAS(s, key)	(((s)->given & (1u << (key))) != 0)

/* "10M" or "30s": digits and one letter, times its weight. */
struct unit {
	char		 letter;
	uint64_t	 weight;
};

static const struct unit sizes[] = {
	{ 'K', 1ull << 10 }, { 'M', 1ull << 20 }, { 'G', 1ull << 30 },
	{ 'k', 1ull << 10 }, { 'm', 1ull << 20 }, { 'g', 1ull << 30 },
	{ '\0', 1 },
};
static const struct unit times[] = {
	{ 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 },
	{ 'w', 604800000 }, { '\0', 1000 },
};

static bool
read_amount(struct span s, const struct unit *units, uint64_t *out)
{
	unsigned long long n;
	char letter = '\0';

	if (s.len > 0 && (s.ptr[s.len - 1] < '0' || s.ptr[s.len - 1] > '9'))
		letter = s.ptr[--s.len];
	while (units->letter != letter && units->letter != '\0')
		units++;
	if (units->letter != letter ||
	    !span_number(s, UINT64_MAX / units->weight / 2, &n))
		return false;
	*out = n * units->weight;
	return true;
}

static const char *
read_size(struct select *s, struct span value)
{
	char sign = value.len > 0 ? value.ptr[0] : '\0';
	uint64_t *at = sign == '-' ? &s->size_under : &s->size_over;

	if ((sign != '+' && sign != '-') ||
	    !read_amount(span_tail(value, 1), sizes, at) || *at == 0)
		return "a size is +10M (over) or -64K (under)";
	return NULL;
}

static bool
is_status(struct span s)
{
	return span_eq(s, SPAN("held")) || span_eq(s, SPAN("deferred")) ||
	    span_eq(s, SPAN("active")) || span_eq(s, SPAN("new")) ||
	    span_eq(s, SPAN("suspended"));
}

static const char *
read_limit(struct select *s, struct span value)
{
	unsigned long long n;

	if (!span_number(value, UINT32_MAX, &n) || n == 0)
		return "a limit is a number from 1";
	s->limit = n;
	return NULL;
}

const char *
select_option(struct select *s, enum select_key key, struct span value)
{
	const char *age = "an age is 30s, 5m, 2h, 4d or 1w", *wrong = NULL;

	if (key == SELECT_STATUS && !is_status(value))
		wrong = "a status is held, deferred, active, new or "
		    "suspended";
	else if (key == SELECT_OLDER)
		wrong = read_amount(value, times, &s->older_ms) ? NULL : age;
	else if (key == SELECT_NEWER)
		wrong = read_amount(value, times, &s->newer_ms) ? NULL : age;
	else if (key == SELECT_SIZE)
		wrong = read_size(s, value);
	else if (key == SELECT_LIMIT)
		wrong = read_limit(s, value);
	else if (value.len == 0 && key != SELECT_FROM && key != SELECT_ALL)
		wrong = "it may not be empty";
	if (wrong == NULL) {
		s->given |= 1u << key;
		s->text[key] = value;
	}
	return wrong;
}

const char *
select_id(struct select *s, struct span text)
{
	if (text.len < SELECT_ID_MIN || text.len > ID_TEXT_LEN)
		return "an id has 4 to 36 characters";
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '\0' ||
		    strchr("0123456789abcdefABCDEF-", text.ptr[i]) == NULL)
			return "an id is made of 0-9, a-f and \"-\"";
	for (unsigned i = 0; i < s->id_cnt; i++)
		if (span_eq_nocase(s->ids[i], text))
			return NULL;	/* said once more */
	if (s->id_cnt == SELECT_IDS_MAX)
		return "that many ids cannot be given at once";
	s->ids[s->id_cnt++] = text;
	return NULL;
}

bool
select_is_said(const struct select *s)
{
	unsigned little = 1u << SELECT_QUEUE | 1u << SELECT_LIMIT;

	return s->id_cnt > 0 || (s->given & ~little) != 0;
}

/* Where the domain begins; 0: there is none. */
static size_t
find_domain(struct span address)
{
	size_t at = address.len;

	while (at > 0 && address.ptr[at - 1] != '@')
		at--;
	return at;
}

/* "ann@here.example", "@here.example", and "<>" or nothing for nobody. */
static bool
address_fits(struct span pattern, struct span address)
{
	size_t at = find_domain(pattern), from = find_domain(address);

	if (span_eq(pattern, SPAN("<>")))
		pattern.len = 0;
	if (at == 0 || from == 0)
		return span_eq_nocase(pattern, address);
	return (at == 1 || span_eq_nocase(span_head(pattern, at),
	    span_head(address, from))) &&
	    domain_same(span_tail(pattern, at), span_tail(address, from));
}

/* "*" stands for any run of characters. */
static bool
glob_fits(struct span pattern, struct span text)
{
	struct span back = { NULL, 0 }, from = text;

	while (text.len > 0) {
		if (pattern.len > 0 && pattern.ptr[0] == '*') {
			pattern = back = span_tail(pattern, 1);
			from = text;
		} else if (pattern.len > 0 &&
		    pattern.ptr[0] == text.ptr[0]) {
			pattern = span_tail(pattern, 1);
			text = span_tail(text, 1);
		} else if (back.ptr != NULL) {
			pattern = back;
			text = from = span_tail(from, 1);
		} else
			return false;
	}
	while (pattern.len > 0 && pattern.ptr[0] == '*')
		pattern = span_tail(pattern, 1);
	return pattern.len == 0;
}

/* The reply's own code, or the enhanced one in front of its text. */
static bool
code_fits(struct span pattern, const struct listed_rcpt *r)
{
	struct reply reply = { .code = r->code };
	char digits[4] = { (char)('0' + r->code / 100 % 10),
	    (char)('0' + r->code / 10 % 10), (char)('0' + r->code % 10) };
	struct span code = r->reply;

	if (r->code == 0)
		return false;
	if (glob_fits(pattern, span_of(digits)))
		return true;
	if (span_begins(code, span_of(digits)))
		code = span_trim(span_tail(code, 3));
	if (!reply_dsn(code, &reply))
		return false;
	code = span_head(code, span_find(code, ' '));
	return glob_fits(pattern, code);
}

static bool
holds(struct span text, struct span part)
{
	for (size_t i = 0; i + part.len <= text.len; i++)
		if (span_begins_nocase(span_tail(text, i), part))
			return true;
	return false;
}

/* "suspended" is said of those that are new or deferred besides. */
static bool
status_fits(struct span status, const struct listed_delivery *d)
{
	return span_eq(status, span_of(listed_state(d))) ||
	    (listed_is_suspended(d) && span_eq(status, SPAN("suspended")));
}

bool
select_match_rcpt(const struct select *s, const struct listed_message *m,
    const struct listed_rcpt *r)
{
	const struct listed_delivery *d = listed_delivery_of(m, r);

	if (HAS(s, SELECT_TO) &&
	    !address_fits(s->text[SELECT_TO], r->address))
		return false;
	if (HAS(s, SELECT_CODE) && !code_fits(s->text[SELECT_CODE], r))
		return false;
	if (HAS(s, SELECT_REPLY) &&
	    !holds(r->reply, s->text[SELECT_REPLY]))
		return false;
	if (HAS(s, SELECT_RELAY) && (d == NULL ||
	    !span_eq(d->relay, s->text[SELECT_RELAY])))
		return false;
	return !HAS(s, SELECT_STATUS) || (d != NULL &&
	    status_fits(s->text[SELECT_STATUS], d));
}

static bool
any_rcpt_fits(const struct select *s, const struct listed_message *m)
{
	if (!HAS(s, SELECT_TO) && !HAS(s, SELECT_CODE) &&
	    !HAS(s, SELECT_REPLY) && !HAS(s, SELECT_RELAY) &&
	    !HAS(s, SELECT_STATUS))
		return true;
	for (size_t i = 0; i < m->rcpt_len; i++)
		if (select_match_rcpt(s, m, &m->rcpts[i]))
			return true;
	return false;
}

static bool
message_fits(const struct select *s, const struct listed_message *m,
    int64_t now_ms)
{
	uint64_t now = now_ms < 0 ? 0 : (uint64_t)now_ms;
	uint64_t age_ms = now > m->arrived_ms ? now - m->arrived_ms : 0;

	if (HAS(s, SELECT_QUEUE) &&
	    !span_eq(s->text[SELECT_QUEUE], m->queue))
		return false;
	if (HAS(s, SELECT_FROM) &&
	    !address_fits(s->text[SELECT_FROM], m->sender))
		return false;
	if (HAS(s, SELECT_LOGIN) &&
	    !account_is_same(s->text[SELECT_LOGIN], m->tenant))
		return false;
	if (HAS(s, SELECT_OLDER) && age_ms < s->older_ms)
		return false;
	if (HAS(s, SELECT_NEWER) && age_ms >= s->newer_ms)
		return false;
	if (s->size_over > 0 && m->size <= s->size_over)
		return false;
	return s->size_under == 0 || m->size < s->size_under;
}

static bool
id_fits(struct select *s, const struct listed_message *m)
{
	char text[ID_TEXT_LEN + 1];
	bool fits = s->id_cnt == 0;

	id_text(m->id, text);
	for (unsigned i = 0; i < s->id_cnt; i++)
		if (span_begins_nocase(span_of(text), s->ids[i])) {
			s->id_hits[i]++;
			fits = true;
		}
	return fits;
}

bool
select_match(struct select *s, const struct listed_message *m,
    int64_t now_ms)
{
	return message_fits(s, m, now_ms) && any_rcpt_fits(s, m) &&
	    id_fits(s, m);
}
