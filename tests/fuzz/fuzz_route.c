/*
 * fuzz_route - foreign addresses and patterns: lines, of which those with a
 * "+" in front are patterns of the administrator's, the others are asked for.
 * What is found must agree with a plain walk over the list, and each recipient
 * that has a route is in exactly one delivery.
 * room: queue
 */
#include <stdlib.h>
#include <string.h>

#include "mail/pattern.h"
#include "queue/route/split.h"

#define LINES_MAX	64

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct lines {
	struct span	 patterns[LINES_MAX], rcpts[LINES_MAX];
	uint32_t	 pattern_cnt, rcpt_cnt;
};

static bool
is_quoted(struct span s)
{
	return s.len > 0 && s.ptr[0] == '"';
}

/* The rule of pattern.h, once more and simply; false: too odd for that. */
static bool
fits(struct span pattern, const struct address *a, bool *odd)
{
	size_t at = pattern.len;

	/* A last dot is no part of a domain; "@.example" is another thing. */
	*odd |= at > 2 && pattern.ptr[at - 1] == '.';
	while (at > 0 && pattern.ptr[at - 1] != '@')
		at--;
	if (at == 1 && pattern.len > 1 && pattern.ptr[1] == '.') {
		struct span tail = span_tail(pattern, 1);

		return a->kind == ADDRESS_DOMAIN && a->domain.len > tail.len &&
		    span_eq_nocase(span_tail(a->domain, a->domain.len -
		    tail.len), tail);
	}
	if (!span_eq_nocase(span_tail(pattern, at), a->domain))
		return false;
	if (at == 1)
		return true;
	*odd |= is_quoted(pattern) || is_quoted(a->local);
	return span_eq_nocase(span_head(pattern, at - 1), a->local);
}

static void
compare(const struct patterns *p, const struct lines *in, struct span rcpt)
{
	struct address a;
	uint32_t no = UINT32_MAX, want = UINT32_MAX, i;
	bool odd = false;

	if (address_parse(rcpt, true, &a) != OK)
		return;
	for (i = in->pattern_cnt; i > 0; i--)
		if (fits(in->patterns[i - 1], &a, &odd))
			want = i - 1;
	if (!pattern_find(p, &a, &no))
		no = UINT32_MAX;
	if (!odd && no != want)
		abort();
}

static void
check_split(const struct settings *set, const struct lines *in)
{
	struct route_ask who = { .is_bounce = in->pattern_cnt % 3 == 0 };
	uint32_t discarded_cnt = 0;
	struct split s;

	if (in->rcpt_cnt == 0 || split_make(&s, set, &who, in->rcpts,
	    NULL, in->rcpt_cnt, SPAN("t"), 1) != OK)
		return;
	if (s.delivery_cnt > in->rcpt_cnt ||
	    (s.delivery_cnt == 0) != (s.discarded_cnt == in->rcpt_cnt))
		abort();
	for (uint32_t i = 0; s.rcpt_delivery != NULL && i < in->rcpt_cnt; i++)
		if (s.rcpt_delivery[i] == SPLIT_NOBODY)
			discarded_cnt++;
		else if (s.rcpt_delivery[i] >= s.delivery_cnt)
			abort();
	if (discarded_cnt != s.discarded_cnt)
		abort();
	split_free(&s);
}

static void
add_rule(struct routes *r, struct span pattern, uint32_t cnt)
{
	enum err e = route_add(r, (enum route_by)(cnt % 2),
	    pattern, (enum route_does)(cnt % ROUTE_DOES__COUNT),
	    cnt % ROUTE_DOES__COUNT == ROUTE_DOES_REFUSE ?
	    SPAN("5.1.6 It has moved") : cnt % 2 ? SPAN("mx") : SPAN("box"));

	if (e != OK || route_add_rcpt(r, SPAN("box"), pattern) != OK)
		abort();
	if (pattern.len <= PATTERN_LOGIN_MAX && route_add(r, ROUTE_BY_LOGIN,
	    pattern, ROUTE_DOES_DISCARD, SPAN("")) != OK)
		abort();
}

static void
read_lines(struct lines *in, struct patterns *p, struct routes *r,
    struct span text)
{
	while (text.len > 0) {
		struct span line = span_head(text, span_find(text, '\n'));

		text = span_tail(text, line.len + 1);
		if (line.len > 0 && line.ptr[0] == '+') {
			line = span_tail(line, 1);
			if (in->pattern_cnt == LINES_MAX ||
			    pattern_add(p, line, in->pattern_cnt) != OK)
				continue;
			in->patterns[in->pattern_cnt++] = line;
			add_rule(r, line, in->pattern_cnt);
		} else if (in->rcpt_cnt < LINES_MAX) {
			in->rcpts[in->rcpt_cnt++] = line;
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct lines in = { .pattern_cnt = 0 };
	struct settings set = { .splits_domains = len % 2 };
	struct patterns *p;

	if (pattern_new(&p) != OK || route_new(&set.routes) != OK ||
	    route_add_relay(set.routes, SPAN("mx"), ROUTE_MX) != OK ||
	    route_add_relay(set.routes, SPAN("box"), ROUTE_LOCAL) != OK)
		abort();
	read_lines(&in, p, set.routes, (struct span){ (const char *)bytes,
	    len });
	if (len % 3 == 0 && route_set_last(set.routes, SPAN("mx")) != OK)
		abort();
	for (uint32_t i = 0; i < in.rcpt_cnt; i++) {
		struct route_ask ask = { .rcpt = in.rcpts[i],
		    .sender = in.rcpts[in.rcpt_cnt - 1 - i],
		    .login = in.rcpts[i], .is_bounce = len % 4 == 0 };
		struct route_reply reply;
		struct route route;

		compare(p, &in, in.rcpts[i]);
		(void)route_judge(set.routes, &ask, &route, &reply);
		if (strlen(reply.text) >= sizeof(reply.text))
			abort();
	}
	check_split(&set, &in);
	pattern_free(&p);
	settings_fini(&set);
	return 0;
}
