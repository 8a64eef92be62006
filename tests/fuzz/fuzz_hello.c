/*
 * fuzz_hello.c - it says the same whatever the pieces are that it comes in,
 * and its counts stay within what they count.  After a no they mean nothing.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ask/hello.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span s = { (const char *)bytes, size };
	struct hello whole = { .cnt = 0 }, cut = { .cnt = 0 };
	bool is_good = hello_take(&whole, s), is_same = true;

	for (size_t i = 0; is_same && i < size; i++)
		is_same = hello_take(&cut, span_head(span_tail(s, i), 1));
	if (is_same != is_good || (is_good && (whole.cnt != cut.cnt ||
	    whole.message_left != cut.message_left ||
	    whole.record_left != cut.record_left)))
		abort();
	if (cut.record_have >= sizeof(cut.record) ||
	    cut.message_have > sizeof(cut.message) ||
	    (is_good && cut.message_left > HELLO_MAX))
		abort();
	return 0;
}
