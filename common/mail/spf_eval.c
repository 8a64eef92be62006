/*
 * spf_eval.c - one term after the other, one look-up at a time.
 *
 * A term that needs the client's validated name first, for %{p} or ptr, is put
 * off: the name is looked for once, and then the term begins anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/spf_inside.h"
#include "mail/spf_macro.h"

bool
spf_is_name(const char *name)
{
	size_t label = 0, len = strlen(name);
	unsigned dots = 0;

	if (len > 0 && name[len - 1] == '.')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (name[i] != '.') {
			if (++label > 63)
				return false;
			continue;
		}
		if (label == 0)
			return false;
		label = 0;
		dots++;
	}
	return label > 0 && dots > 0 && len <= SPF_NAME_MAX;
}

struct spf_frame *
spf_top(struct spf *s)
{
	return &s->frames[s->depth - 1];
}

void
spf_end(struct spf *s, enum spf_result r)
{
	s->result = r;
	s->is_done = true;
	s->wait = SPF_WAIT_NONE;
}

void
spf_want(struct spf *s, enum spf_wait wait, enum spf_type type,
    const char *name)
{
	size_t len;

	s->wait = wait;
	s->type = type;
	if (name != s->name)
		snprintf(s->name, sizeof(s->name), "%s", name);
	len = strlen(s->name);
	if (len > 1 && s->name[len - 1] == '.')
		s->name[len - 1] = '\0';
}

void
spf_want_record(struct spf *s)
{
	spf_want(s, SPF_WAIT_RECORD, SPF_TXT, spf_top(s)->domain);
}

enum spf_type
spf_address_type(const struct spf *s)
{
	return s->facts.is_ipv6 ? SPF_AAAA : SPF_A;
}

bool
spf_is_within(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 ||
	    ((a[bits / 8] ^ b[bits / 8]) & (0xffu << (8 - rest)) & 0xff) == 0;
}

/* Macros. */

static bool
is_below(const char *name, const char *domain)
{
	size_t n = strlen(name), d = strlen(domain);

	if (d > 0 && domain[d - 1] == '.')
		d--;
	if (n == d)
		return strncasecmp(name, domain, d) == 0;
	return n > d && name[n - d - 1] == '.' &&
	    strncasecmp(name + n - d, domain, d) == 0;
}

/* RFC 7208 7.3: the domain itself, else one below it, else any. */
static const char *
validated_name(const struct spf *s, const char *domain)
{
	for (unsigned i = 0; i < s->valid_cnt; i++)
		if (strcasecmp(s->valid[i], domain) == 0)
			return s->valid[i];
	for (unsigned i = 0; i < s->valid_cnt; i++)
		if (is_below(s->valid[i], domain))
			return s->valid[i];
	return s->valid_cnt > 0 ? s->valid[0] : "unknown";
}

enum err
spf_put_macros(struct spf *s, struct span text, bool is_text, char *out,
    size_t cap)
{
	const char *domain = spf_top(s)->domain;
	const char *at = strrchr(s->sender, '@');
	struct spf_macros m = {
		.sender = span_of(s->sender),
		.local = { s->sender, (size_t)(at - s->sender) },
		.origin = span_of(s->origin), .domain = span_of(domain),
		.ip = span_of(s->ip), .client = span_of(s->client),
		.name = span_of(validated_name(s, domain)),
		.helo = span_of(s->helo), .receiver = span_of(s->receiver),
		.is_ipv6 = s->facts.is_ipv6, .now_s = s->facts.now_s,
	};

	return spf_macro_put(text, is_text, &m, out, cap);
}

/* Too long a name loses labels on its left, RFC 7208 7.3. */
static enum err
target_of(struct spf *s, struct span spec, char out[SPF_NAME_MAX + 1])
{
	char text[SPF_RECORD_MAX];
	const char *name = text;
	enum err e;

	if (spec.len == 0)
		name = spf_top(s)->domain;
	else if ((e = spf_put_macros(s, spec, false, text, sizeof(text) - 1)) !=
	    OK)
		return e;
	while (strlen(name) > SPF_NAME_MAX) {
		if ((name = strchr(name, '.')) == NULL)
			return ERR_PEER;
		name++;
	}
	snprintf(out, SPF_NAME_MAX + 1, "%s", name);
	return spf_is_name(out) ? OK : ERR_PEER;
}

/* True: the term has to wait until the name is known. */
bool
spf_must_validate(struct spf *s)
{
	char name[SPF_NAME_MAX + 1];
	const uint8_t *b = s->facts.ip;
	size_t at = 0;

	if (s->is_validated)
		return false;
	if (!s->facts.is_ipv6)
		snprintf(name, sizeof(name), "%u.%u.%u.%u.in-addr.arpa", b[3],
		    b[2], b[1], b[0]);
	else {
		for (int i = 15; i >= 0; i--)
			at += (size_t)snprintf(name + at, sizeof(name) - at,
			    "%x.%x.", b[i] & 0xfu, b[i] >> 4);
		snprintf(name + at, sizeof(name) - at, "ip6.arpa");
	}
	spf_want(s, SPF_WAIT_PTR, SPF_PTR, name);
	return true;
}

/* Terms. */

void
spf_next_term(struct spf *s)
{
	struct spf_frame *f = spf_top(s);
	struct span rest = span_tail(span_of(f->record), f->at), term;

	(void)spf_term_next(&rest, &term);
	f->at = (size_t)(rest.ptr - f->record);
	s->is_counted = false;
	s->wait = SPF_WAIT_NONE;
}

static enum spf_result
result_of(char qualifier)
{
	return qualifier == '-' ? SPF_FAIL : qualifier == '~' ? SPF_SOFTFAIL :
	    qualifier == '?' ? SPF_NEUTRAL : SPF_PASS;
}

static struct span
modifier(const char *record, enum spf_kind kind)
{
	struct span rest = span_of(record), term;
	struct spf_term t;

	while (spf_term_next(&rest, &term))
		if (spf_term_read(term, &t) == OK && t.kind == kind)
			return t.spec;
	return SPAN("");
}

/* A fail may have words of its own. */
static void
explain(struct spf *s)
{
	struct span spec = modifier(spf_top(s)->record, SPF_EXP);
	char name[SPF_NAME_MAX + 1];

	s->result = SPF_FAIL;
	if (spec.len > 0 && spf_macro_needs_name(spec) && spf_must_validate(s))
		return;
	if (spec.len == 0 || target_of(s, spec, name) != OK) {
		spf_end(s, SPF_FAIL);
		return;
	}
	spf_want(s, SPF_WAIT_EXP, SPF_TXT, name);
}

static void
drop_frame(struct spf *s)
{
	free(spf_top(s)->record);
	spf_top(s)->record = NULL;
	s->depth--;
}

/* The topmost record has come to this. */
void
spf_frame_end(struct spf *s, enum spf_result r)
{
	char qualifier = spf_top(s)->qualifier;

	if (r == SPF_TEMPERROR || r == SPF_PERMERROR || s->depth == 1) {
		if (r == SPF_FAIL)
			explain(s);
		else
			spf_end(s, r);
		return;
	}
	drop_frame(s);
	if (r == SPF_PASS) {
		spf_frame_end(s, result_of(qualifier));
		return;
	}
	if (r == SPF_NONE)
		spf_end(s, SPF_PERMERROR);
	else
		spf_next_term(s);
}

void
spf_matched(struct spf *s)
{
	s->wait = SPF_WAIT_NONE;
	s->is_counted = false;
	spf_frame_end(s, result_of(s->term.qualifier));
}

/* One more that asks?  False: it is one too many. */
static bool
may_ask(struct spf *s)
{
	if (!s->is_counted && ++s->lookups > SPF_LOOKUPS_MAX) {
		spf_end(s, SPF_PERMERROR);
		return false;
	}
	s->is_counted = true;
	return true;
}

static void
redirect(struct spf *s, struct span spec)
{
	char name[SPF_NAME_MAX + 1];
	struct spf_frame *f = spf_top(s);

	if (!may_ask(s) ||
	    (spf_macro_needs_name(spec) && spf_must_validate(s)))
		return;
	if (target_of(s, spec, name) != OK) {
		spf_end(s, SPF_PERMERROR);
		return;
	}
	s->is_counted = false;
	free(f->record);
	f->record = NULL;
	f->at = 0;
	f->is_redirected = true;
	snprintf(f->domain, sizeof(f->domain), "%s", name);
	spf_want_record(s);
}

static void
include(struct spf *s, const char *name)
{
	struct spf_frame *f;

	if (s->depth == SPF_FRAMES_MAX) {
		spf_end(s, SPF_PERMERROR);
		return;
	}
	f = &s->frames[s->depth++];
	*f = (struct spf_frame){ .qualifier = s->term.qualifier };
	snprintf(f->domain, sizeof(f->domain), "%s", name);
	s->is_counted = false;
	spf_want_record(s);
}

static void
check_ptr(struct spf *s, const char *name)
{
	for (unsigned i = 0; i < s->valid_cnt; i++)
		if (is_below(s->valid[i], name)) {
			spf_matched(s);
			return;
		}
	spf_next_term(s);
}

/* A mechanism that looks something up. */
static void
ask_term(struct spf *s)
{
	const struct spf_term *t = &s->term;
	char name[SPF_NAME_MAX + 1];

	if (!may_ask(s) || ((t->kind == SPF_MECH_PTR ||
	    spf_macro_needs_name(t->spec)) && spf_must_validate(s)))
		return;
	if (target_of(s, t->spec, name) != OK) {
		if (t->kind == SPF_INCLUDE)
			spf_end(s, SPF_PERMERROR);
		else
			spf_next_term(s);
		return;
	}
	switch (t->kind) {
	case SPF_INCLUDE:
		include(s, name);
		break;
	case SPF_MECH_A:
		spf_want(s, SPF_WAIT_ADDRESS, spf_address_type(s), name);
		break;
	case SPF_MECH_MX:
		spf_want(s, SPF_WAIT_MX, SPF_MX, name);
		break;
	case SPF_MECH_PTR:
		check_ptr(s, name);
		break;
	default:
		spf_want(s, SPF_WAIT_EXISTS, SPF_A, name);
		break;
	}
}

static void
one_term(struct spf *s)
{
	struct spf_frame *f = spf_top(s);
	struct span rest = span_tail(span_of(f->record), f->at), term, spec;
	struct spf_term *t = &s->term;
	bool is6;

	if (!spf_term_next(&rest, &term)) {
		spec = modifier(f->record, SPF_REDIRECT);
		if (spec.len > 0)
			redirect(s, spec);
		else
			spf_frame_end(s, SPF_NEUTRAL);
		return;
	}
	if (spf_term_read(term, t) != OK) {	/* it was checked before */
		spf_end(s, SPF_PERMERROR);
		return;
	}
	is6 = t->kind == SPF_IP6;
	if (t->kind == SPF_ALL)
		spf_matched(s);
	else if (t->kind == SPF_IP4 || is6) {
		if (is6 == s->facts.is_ipv6 && spf_is_within(s->facts.ip, t->ip,
		    is6 ? t->bits6 : t->bits4))
			spf_matched(s);
		else
			spf_next_term(s);
	} else if (t->kind >= SPF_REDIRECT)
		spf_next_term(s);
	else
		ask_term(s);
}

void
spf_go_on(struct spf *s)
{
	while (!s->is_done && s->wait == SPF_WAIT_NONE)
		if (s->result == SPF_FAIL)
			explain(s);		/* its name is known now */
		else
			one_term(s);
}
