/*
 * room: ctl/tool
 * fuzz_main_cf.c - a value is bounded, whatever leads to itself; words of a
 * list have no blanks around them.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/tool/import/main_cf.h"
#include "mail/blank.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
look_at_words(const char *value)
{
	struct span rest = span_of(value), word;
	size_t left = rest.len + 1;

	while (main_cf_word(&rest, &word)) {
		if (rest.len >= left)
			abort();
		left = rest.len;
		if (word.len > 0 && (blank_is(word.ptr[0]) ||
		    blank_is(word.ptr[word.len - 1])))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct main_cf all = TAILQ_HEAD_INITIALIZER(all);
	struct main_cf_row *r;

	if (main_cf_read(&all, (struct span){ (const char *)bytes, size }) !=
	    OK)
		abort();
	TAILQ_FOREACH(r, &all, entry) {
		char *value = main_cf_get(&all, r->name);

		if (value == NULL || strlen(value) >= MAIN_CF_VALUE_MAX)
			abort();
		look_at_words(value);
		free(value);
	}
	main_cf_free(&all);
	return 0;
}
