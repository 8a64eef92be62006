/* address_say.c - a local part may hold an "@", a domain does not. */
#include <string.h>

#include "base/utf8.h"
#include "mail/domain.h"
#include "mail/address_say.h"

/* The octets of the local part and its "@". */
static size_t
local_len(struct span address)
{
	while (address.len > 0 && address.ptr[address.len - 1] != '@')
		address.len--;
	return address.len;
}

struct span
address_say(struct span address, bool utf8, char *buf)
{
	size_t at = local_len(address), len;
	char key[DOMAIN_KEY_MAX];

	if (utf8 || utf8_is_ascii(address) || at > PATH_MAX_SMTP ||
	    (len = domain_key(span_tail(address, at), key)) == 0)
		return address;
	if (at > 0)
		memcpy(buf, address.ptr, at);
	memcpy(buf + at, key, len);
	return (struct span){ buf, at + len };
}
