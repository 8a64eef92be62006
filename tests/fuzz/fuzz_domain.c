/*
 * fuzz_domain.c - a key is a name of ASCII in lower case, within the limits,
 * and its own key.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/domain.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span text = { (const char *)bytes, size };
	char key[DOMAIN_KEY_MAX], again[DOMAIN_KEY_MAX];
	char whole[ADDRESS_KEY_MAX];
	size_t len = domain_key(text, key);
	struct address a;

	/* Who is taken at the door has a key everywhere behind it. */
	if (address_is_domain(text, true) && len == 0)
		abort();
	if (address_parse(text, true, &a) == OK &&
	    address_key(text, whole) == 0)
		abort();
	if (len == 0)
		return 0;
	if (len > DOMAIN_MAX || strlen(key) != len ||
	    domain_key(span_of(key), again) != len ||
	    strcmp(key, again) != 0 || !domain_same(text, span_of(key)))
		abort();
	if (key[0] != '[' && (strpbrk(key, "@/ []<>\r\n") != NULL ||
	    !address_is_domain(span_of(key), false)))
		abort();
	return 0;
}
