/* fuzz_http_reply.c - X-Smtp-Reply: what is read can be written, and says the
 * same when it is read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_reply.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span value = { (const char *)bytes, len };
	char buf[HTTP_REPLY_MAX];
	struct http_reply r, again;
	size_t put;

	if (!http_reply_read(value, &r))
		return 0;
	if (r.code < 200 || r.code > 559 || r.text_len > sizeof(r.text) ||
	    r.command_len > sizeof(r.command))
		abort();
	for (size_t i = 0; i < r.text_len; i++)
		if ((unsigned char)r.text[i] < 0x20 || r.text[i] == 0x7f)
			abort();
	if (!http_reply_write(r.code, (struct span){ r.text, r.text_len },
	    (struct span){ r.command, r.command_len }, buf, sizeof(buf),
	    &put) || !http_reply_read((struct span){ buf, put }, &again))
		abort();
	if (again.code != r.code || again.text_len != r.text_len ||
	    again.command_len != r.command_len ||
	    memcmp(again.text, r.text, r.text_len) != 0 ||
	    memcmp(again.command, r.command, r.command_len) != 0)
		abort();
	return 0;
}
