/*
 * fuzz_spf - SPF: an evaluation in a world whose every answer is a piece of the
 * input.  It must end, within the limits of RFC 7208 4.6.4.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "mail/spf.h"

#define TURNS_MAX	300	/* 11 terms, each with 11 look-ups, and names */

/* The next piece: up to a newline. */
static struct span
piece(struct span *in)
{
	struct span one = span_head(*in, span_find(*in, '\n'));

	*in = span_tail(*in, one.len + 1);
	return one;
}

static struct spf_answer
answer(struct span *in, enum spf_type type, struct span records[3])
{
	struct spf_answer a = { SPF_NOTHING, records, 0 };
	struct span one = piece(in);

	if (one.len == 0)
		return a;
	if (one.ptr[0] == '!') {
		a.found = SPF_UNKNOWN;
		return a;
	}
	a.found = SPF_FOUND;
	a.cnt = type == SPF_TXT ? 1 : 3;
	for (unsigned i = 0; i < a.cnt; i++)
		records[i] = type == SPF_A ? span_head(one, 4) :
		    type == SPF_AAAA ? span_head(one, 16) : one;
	return a;
}

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size }, records[3];
	struct spf_facts f = { .ip = { 97, 97, 97, 97 },
	    .receiver = SPAN("mx.example") };
	struct spf_answer a;
	enum spf_type type;
	const char *name;
	unsigned turns = 0;
	struct spf *s = NULL;

	f.is_ipv6 = size % 2 == 1;
	f.sender = piece(&in);
	f.helo = piece(&in);
	if (spf_begin(&s, &f) != OK)
		return 0;
	while (spf_wants(s, &type, &name)) {
		if (++turns > TURNS_MAX)
			abort();
		a = answer(&in, type, records);
		spf_tell(s, &a);
	}
	if (spf_result(s) >= SPF__COUNT)
		abort();
	spf_free(&s);
	return 0;
}
