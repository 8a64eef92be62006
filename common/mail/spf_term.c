/*
 * spf_term.c - the grammar of RFC 7208 12.
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/ascii.h"
#include "mail/spf_macro.h"
#include "mail/spf_term.h"

static const struct {
	const char	*name;
	enum spf_kind	 kind;
	bool		 needs_spec, may_have_spec, has_bits;
} mechanisms[] = {
	{ "all",	SPF_ALL,	false,	false,	false },
	{ "include",	SPF_INCLUDE,	true,	true,	false },
	{ "a",		SPF_MECH_A,	false,	true,	true },
	{ "mx",		SPF_MECH_MX,	false,	true,	true },
	{ "ptr",	SPF_MECH_PTR,	false,	true,	false },
	{ "ip4",	SPF_IP4,	true,	true,	false },
	{ "ip6",	SPF_IP6,	true,	true,	false },
	{ "exists",	SPF_EXISTS,	true,	true,	false },
};

bool
spf_term_next(struct span *record, struct span *term)
{
	while (record->len > 0 && record->ptr[0] == ' ')
		*record = span_tail(*record, 1);
	if (record->len == 0)
		return false;
	*term = span_head(*record, span_find(*record, ' '));
	*record = span_tail(*record, term->len);
	return true;
}

/* The last label of a name may not look like the end of an address. */
static bool
is_toplabel(struct span s)
{
	bool has_other = false;

	if (s.len == 0 || !ascii_is_alnum(s.ptr[0]) ||
	    !ascii_is_alnum(s.ptr[s.len - 1]))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_is_alnum(s.ptr[i]) && s.ptr[i] != '-')
			return false;
		has_other |= ascii_is_letter(s.ptr[i]) || s.ptr[i] == '-';
	}
	return has_other;
}

/* domain-spec: it ends with a macro or a top label. */
static bool
is_spec(struct span s)
{
	size_t end = s.len, dot;

	if (s.len == 0 || !spf_macro_check(s, false))
		return false;
	if (s.ptr[s.len - 1] == '}') {
		for (dot = s.len; dot > 0 && s.ptr[dot - 1] != '{'; dot--)
			;
		if (dot > 1 && s.ptr[dot - 2] == '%')
			return true;
	}
	if (s.len > 1 && s.ptr[s.len - 2] == '%' && s.ptr[s.len - 1] != '}')
		return false;
	if (s.ptr[end - 1] == '.')
		end--;
	for (dot = end; dot > 0 && s.ptr[dot - 1] != '.'; dot--)
		;
	return dot > 0 && is_toplabel((struct span){ s.ptr + dot, end - dot });
}

/* The digits at the end of *s, and a slash before them, off it. */
static bool
read_bits(struct span *s, const char *slash, unsigned max, unsigned *bits)
{
	size_t len = s->len, cut = strlen(slash);
	unsigned long long n;
	struct span digits;

	while (len > 0 && s->ptr[len - 1] >= '0' && s->ptr[len - 1] <= '9')
		len--;
	if (len == s->len || len < cut ||
	    memcmp(s->ptr + len - cut, slash, cut) != 0)
		return true;			/* there are none */
	digits = span_tail(*s, len);
	if ((digits.len > 1 && digits.ptr[0] == '0') ||
	    !span_number(digits, max, &n))
		return false;
	*bits = (unsigned)n;
	*s = span_head(*s, len - cut);
	return true;
}

static bool
read_ip(struct span spec, struct spf_term *t)
{
	bool is6 = t->kind == SPF_IP6;
	unsigned max = is6 ? 128 : 32;
	char text[64];

	t->bits4 = t->bits6 = max;
	if (!read_bits(&spec, "/", max, is6 ? &t->bits6 : &t->bits4) ||
	    !span_cstr(spec, text, sizeof(text)))
		return false;
	return inet_pton(is6 ? AF_INET6 : AF_INET, text, t->ip) == 1;
}

/* What stands behind the name of a mechanism. */
static bool
read_rest(struct span rest, size_t no, struct spf_term *t)
{
	bool has_colon = rest.len > 0 && rest.ptr[0] == ':';

	t->bits4 = 32;
	t->bits6 = 128;
	if (has_colon && (t->kind == SPF_IP4 || t->kind == SPF_IP6))
		return read_ip(span_tail(rest, 1), t);
	if (mechanisms[no].has_bits &&
	    (!read_bits(&rest, "//", 128, &t->bits6) ||
	    !read_bits(&rest, "/", 32, &t->bits4)))
		return false;
	if (rest.len == 0)
		return !mechanisms[no].needs_spec;
	if (!has_colon || !mechanisms[no].may_have_spec)
		return false;
	t->spec = span_tail(rest, 1);
	return is_spec(t->spec);
}

static bool
read_mechanism(struct span s, struct spf_term *t)
{
	size_t len = 0;

	t->qualifier = '+';
	if (strchr("+-~?", s.ptr[0]) != NULL) {
		t->qualifier = s.ptr[0];
		s = span_tail(s, 1);
	}
	while (len < s.len && s.ptr[len] != ':' && s.ptr[len] != '/')
		len++;
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]);
	    i++)
		if (span_eq_nocase(span_head(s, len),
		    span_of(mechanisms[i].name))) {
			t->kind = mechanisms[i].kind;
			return read_rest(span_tail(s, len), i, t);
		}
	return false;
}

/* The name of a modifier, as long as it is one; 0: it is a mechanism. */
static size_t
modifier_len(struct span s)
{
	size_t len = 0;

	while (len < s.len && (ascii_is_alnum(s.ptr[len]) ||
	    (s.ptr[len] != '\0' && strchr("-_.", s.ptr[len]) != NULL)))
		len++;
	return len > 0 && len < s.len && s.ptr[len] == '=' &&
	    ascii_is_letter(s.ptr[0]) ? len : 0;
}

enum err
spf_term_read(struct span s, struct spf_term *out)
{
	struct spf_term t = { .kind = SPF_OTHER };
	size_t len = modifier_len(s);
	struct span name = span_head(s, len);
	bool is_good;

	if (s.len == 0 || memchr(s.ptr, '\0', s.len) != NULL)
		return ERR_PEER;
	if (len == 0)
		is_good = read_mechanism(s, &t);
	else {
		t.spec = span_tail(s, len + 1);
		t.kind = span_eq_nocase(name, SPAN("redirect")) ?
		    SPF_REDIRECT : span_eq_nocase(name, SPAN("exp")) ?
		    SPF_EXP : SPF_OTHER;
		is_good = t.kind == SPF_OTHER ?
		    spf_macro_check(t.spec, false) : is_spec(t.spec);
	}
	if (!is_good)
		return ERR_PEER;
	*out = t;
	return OK;
}

bool
spf_term_check(struct span record)
{
	unsigned redirects = 0, exps = 0;
	struct spf_term t;
	struct span term;

	while (spf_term_next(&record, &term)) {
		if (spf_term_read(term, &t) != OK)
			return false;
		redirects += t.kind == SPF_REDIRECT;
		exps += t.kind == SPF_EXP;
	}
	return redirects < 2 && exps < 2;
}
