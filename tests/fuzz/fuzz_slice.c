/*
 * fuzz_slice - any bytes as a slice: refused, or safe to be asked anything.
 * The magic is put in front, since no fuzzer should have to guess it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/slice/slice.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
count(struct span text, uint64_t num, void *arg)
{
	unsigned *cnt = arg;

	(*cnt)++;
}

static void
ask(const struct slice *s, unsigned depth)
{
	static const char *const words[] = { "a", "type", "name", "" };
	struct slice inner;

	for (unsigned i = 0; i < 4; i++) {
		unsigned cnt = slice_count(s, words[i]), walked = 0;

		slice_each(s, words[i], count, &walked);
		if (walked != cnt)
			abort();
		for (unsigned k = 0; k <= cnt && k < 9; k++)
			if (slice_text(s, words[i], k).len > 1023)
				abort();
		if (slice_flag(s, words[i]) != (slice_num(s, words[i]) != 0))
			abort();
		cnt = slice_block_count(s, words[i]);
		for (unsigned k = 0; k <= cnt && k < 4 && depth < 6; k++) {
			inner = slice_block(s, words[i], k);
			ask(&inner, depth + 1);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *copy = malloc(len + 4);
	struct slice s, process;

	if (copy == NULL)
		return 0;
	memcpy(copy, "pls1", 4);
	if (len > 0)
		memcpy(copy + 4, bytes, len);
	if (slice_open(&s, (struct span){ copy, len + 4 }) == OK) {
		process = slice_process(&s);
		ask(&s, 0);
		ask(&process, 0);
	}
	free(copy);
	return 0;
}
