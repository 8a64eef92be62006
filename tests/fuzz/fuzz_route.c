/*
 * fuzz_route - foreign addresses and patterns: lines, of which those with a
 * "+" in front are patterns of the administrator's, the others are asked for.
 * What is found must agree with a plain walk over the list, and each recipient
 * that has a route is in exactly one delivery.
 * room: queue
 */
#include <stdlib.h>
#include <string.h>

#include "queue/pattern.h"
#include "queue/split.h"

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
	struct split s;
	enum err e;

	if (in->rcpt_cnt == 0)
		return;
	e = split_make(&s, set, in->rcpts, in->rcpt_cnt, SPAN("t"), 1);
	if (e != OK)
		return;
	if (s.delivery_cnt == 0 || s.delivery_cnt > in->rcpt_cnt ||
	    (s.rcpt_delivery == NULL) != (s.delivery_cnt == 1))
		abort();
	for (uint32_t i = 0; s.rcpt_delivery != NULL && i < in->rcpt_cnt; i++)
		if (s.rcpt_delivery[i] >= s.delivery_cnt)
			abort();
	split_free(&s);
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
			if (route_add(r, line, in->pattern_cnt % 2 ?
			    SPAN("mx") : SPAN("box")) != OK ||
			    route_add_rcpt(r, SPAN("box"), line) != OK)
				abort();
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
	    route_add_relay(set.routes, SPAN("mx"), true) != OK ||
	    route_add_relay(set.routes, SPAN("box"), false) != OK)
		abort();
	read_lines(&in, p, set.routes, (struct span){ (const char *)bytes,
	    len });
	if (len % 3 == 0 && route_set_last(set.routes, SPAN("mx")) != OK)
		abort();
	for (uint32_t i = 0; i < in.rcpt_cnt; i++) {
		struct route_reply reply;
		struct route route;

		compare(p, &in, in.rcpts[i]);
		route_judge(set.routes, in.rcpts[i], &route, &reply);
		if (strlen(reply.text) >= sizeof(reply.text))
			abort();
	}
	check_split(&set, &in);
	pattern_free(&p);
	settings_fini(&set);
	return 0;
}
