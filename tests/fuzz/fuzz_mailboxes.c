/* fuzz_mailboxes.c - addresses lie in the field, in their order, and end. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "mail/mailboxes.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span body = { (const char *)bytes, len }, address;
	const char *end = body.ptr;
	size_t at = 0, before = 0;

	while (mailboxes_next(body, &at, &address)) {
		if (address.len == 0 || address.ptr < end ||
		    address.ptr + address.len > body.ptr + len ||
		    at <= before || at > len)
			abort();
		end = address.ptr + address.len;
		before = at;
	}
	return 0;
}
