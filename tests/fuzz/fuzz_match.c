/*
 * fuzz_match.c - a pattern and a text of anybody's: whatever they are, it ends
 * within its steps and says places that are within the text.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lua/match.h"

#define STEPS	20000u

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span all = { (const char *)bytes, size };
	size_t cut = span_find(all, '\n'), end;
	uint64_t steps = STEPS;
	struct match m = { .pattern = span_head(all, cut),
	    .text = span_tail(all, cut + 1), .steps = &steps };

	for (size_t at = 0; at <= m.text.len; at++) {
		switch (match_at(&m, at, &end)) {
		case MATCH_YES:
			if (end < at || end > m.text.len)
				abort();
			break;
		case MATCH_WRONG:
			if (m.wrong == NULL || m.wrong[0] == '\0')
				abort();
			return 0;
		case MATCH_SPENT:
			return 0;
		case MATCH_NO:
			continue;
		}
		for (unsigned i = 0; i < m.cnt; i++)
			if (m.parts[i].is == PART_DONE &&
			    m.parts[i].at + m.parts[i].len > m.text.len)
				abort();
	}
	return 0;
}
