/*
 * fuzz_address.c - a mailbox that is taken holds nothing that could break out
 * of a line, and reads the same when it is read again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/address.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(const struct address *a, bool utf8)
{
	struct address again;

	for (size_t i = 0; i < a->whole.len; i++)
		if ((unsigned char)a->whole.ptr[i] < ' ' ||
		    a->whole.ptr[i] == 0x7f ||
		    (!utf8 && (a->whole.ptr[i] & 0x80) != 0))
			abort();
	if (a->kind == ADDRESS_NULL || a->kind == ADDRESS_POSTMASTER ||
	    a->kind == ADDRESS_USER)
		return;
	if (a->whole.len != a->local.len + 1 + a->domain.len ||
	    a->whole.len > PATH_MAX_SMTP ||
	    address_parse(a->whole, utf8, &again) != OK ||
	    !span_eq(again.local, a->local) || again.kind != a->kind ||
	    again.is_utf8 != a->is_utf8)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span text = { (const char *)bytes, len };

	for (int utf8 = 0; utf8 < 2; utf8++) {
		struct span line = text;
		struct address a;

		if (address_parse(text, utf8, &a) == OK)
			check(&a, utf8);
		if (address_path(&line, utf8, &a) == OK) {
			check(&a, utf8);
			if (line.ptr + line.len != text.ptr + text.len)
				abort();
		}
		(void)address_is_domain(text, utf8);
	}
	(void)address_is_literal(text);
	return 0;
}
