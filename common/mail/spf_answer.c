/*
 * spf_answer.c - what an answer means for the term that wanted it.
 */
#include <stdlib.h>
#include <string.h>

#include "mail/spf_inside.h"
#include "mail/spf_macro.h"

/* Is the client among these, as far as the bits of the term go? */
static bool
has_client(const struct spf *s, const struct spf_answer *a, unsigned bits4,
    unsigned bits6)
{
	size_t len = s->facts.is_ipv6 ? 16 : 4;

	for (unsigned i = 0; i < a->cnt; i++)
		if (a->records[i].len == len && spf_is_within(s->facts.ip,
		    (const uint8_t *)a->records[i].ptr,
		    s->facts.is_ipv6 ? bits6 : bits4))
			return true;
	return false;
}

/* RFC 7208 4.5: the one record that is of version 1. */
static void
take_record(struct spf *s, const struct spf_answer *a)
{
	struct spf_frame *f = spf_top(s);
	const struct span *found = NULL;
	struct span text;

	s->wait = SPF_WAIT_NONE;
	if (a->found == SPF_UNKNOWN) {
		spf_end(s, SPF_TEMPERROR);
		return;
	}
	for (unsigned i = 0; i < a->cnt; i++) {
		text = a->records[i];
		if (!span_begins_nocase(text, SPAN("v=spf1")) ||
		    (text.len > 6 && text.ptr[6] != ' '))
			continue;
		if (found != NULL) {
			spf_end(s, SPF_PERMERROR);
			return;
		}
		found = &a->records[i];
	}
	if (found == NULL) {
		if (f->is_redirected)
			spf_end(s, SPF_PERMERROR);
		else
			spf_frame_end(s, SPF_NONE);
		return;
	}
	text = span_tail(*found, 6);
	if (text.len >= SPF_RECORD_MAX || !spf_term_check(text))
		spf_end(s, SPF_PERMERROR);
	else if ((f->record = strndup(text.ptr, text.len)) == NULL)
		spf_end(s, SPF_TEMPERROR);
}

/* False: it has ended. */
static bool
count_void(struct spf *s, const struct spf_answer *a)
{
	if (a->found != SPF_NOTHING || ++s->voids <= SPF_VOIDS_MAX)
		return true;
	spf_end(s, SPF_PERMERROR);
	return false;
}

static void
keep_names(struct spf *s, const struct spf_answer *a)
{
	s->name_cnt = s->name_at = 0;
	for (unsigned i = 0; i < a->cnt && s->name_cnt < SPF_NAMES_MAX; i++)
		if (span_cstr(a->records[i], s->names[s->name_cnt],
		    sizeof(s->names[0])))
			s->name_cnt++;
}

static void
next_mx(struct spf *s)
{
	if (s->name_at < s->name_cnt)
		spf_want(s, SPF_WAIT_MX_ADDRESS, spf_address_type(s),
		    s->names[s->name_at++]);
	else
		spf_next_term(s);
}

static void
take_mx(struct spf *s, const struct spf_answer *a)
{
	if (a->cnt > SPF_NAMES_MAX)
		spf_end(s, SPF_PERMERROR);
	else {
		keep_names(s, a);
		next_mx(s);
	}
}

static void
next_ptr(struct spf *s)
{
	if (s->name_at < s->name_cnt) {
		spf_want(s, SPF_WAIT_PTR_ADDRESS, spf_address_type(s),
		    s->names[s->name_at++]);
		return;
	}
	s->is_validated = true;
	s->wait = SPF_WAIT_NONE;	/* the term begins anew */
}

static void
take_ptr_address(struct spf *s, const struct spf_answer *a)
{
	if (has_client(s, a, 32, 128))
		memcpy(s->valid[s->valid_cnt++], s->names[s->name_at - 1],
		    sizeof(s->valid[0]));
	next_ptr(s);
}

static bool
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < ' ' || s.ptr[i] > '~')
			return false;
	return true;
}

/* What is wrong with it costs the explanation alone, RFC 7208 6.2. */
static void
take_exp(struct spf *s, const struct spf_answer *a)
{
	if (s->exp == NULL) {
		if (a->cnt != 1 || !is_ascii(a->records[0]) ||
		    (s->exp = strndup(a->records[0].ptr,
		    a->records[0].len)) == NULL) {
			spf_end(s, SPF_FAIL);
			return;
		}
	}
	if (spf_macro_needs_name(span_of(s->exp)) && !s->is_validated &&
	    spf_must_validate(s))
		return;
	if (spf_put_macros(s, span_of(s->exp), true, s->explanation,
	    sizeof(s->explanation) - 1) == ERR_PEER)
		s->explanation[0] = '\0';
	spf_end(s, SPF_FAIL);
}

static void
take_address(struct spf *s, const struct spf_answer *a)
{
	bool has = has_client(s, a, s->term.bits4, s->term.bits6);

	if (has)
		spf_matched(s);
	else if (s->wait == SPF_WAIT_MX_ADDRESS)
		next_mx(s);
	else
		spf_next_term(s);
}

/* Of a mechanism: a failure is one of all, and too many voids are. */
static void
take_of_term(struct spf *s, const struct spf_answer *a)
{
	if (a->found == SPF_UNKNOWN) {
		spf_end(s, SPF_TEMPERROR);
		return;
	}
	if (!count_void(s, a))
		return;
	if (s->wait == SPF_WAIT_MX)
		take_mx(s, a);
	else if (s->wait != SPF_WAIT_EXISTS)
		take_address(s, a);
	else if (a->found == SPF_FOUND)
		spf_matched(s);
	else
		spf_next_term(s);
}

void
spf_tell(struct spf *s, const struct spf_answer *a)
{
	switch (s->wait) {
	case SPF_WAIT_NONE:
		return;
	case SPF_WAIT_RECORD:
		take_record(s, a);
		break;
	case SPF_WAIT_PTR:
		keep_names(s, a);
		next_ptr(s);
		break;
	case SPF_WAIT_PTR_ADDRESS:
		take_ptr_address(s, a);
		break;
	case SPF_WAIT_EXP:
		take_exp(s, a);
		break;
	default:
		take_of_term(s, a);
		break;
	}
	if (!s->is_done && s->exp != NULL && s->wait == SPF_WAIT_NONE)
		take_exp(s, a);
	spf_go_on(s);
}
