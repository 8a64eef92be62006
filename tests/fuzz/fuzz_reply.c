/* fuzz_reply.c - a line of a reply, and the same as a keyword of EHLO. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/reply.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span line = { (const char *)bytes, len };
	struct ehlo ehlo = { .has = 0 };
	struct reply r;

	reply_ehlo(line, &ehlo);
	if (ehlo.size != 0 && (ehlo.has & EHLO_SIZE) == 0)
		abort();
	if ((ehlo.auth != 0 && (ehlo.has & EHLO_AUTH) == 0) ||
	    (ehlo.auth & ~(EHLO_AUTH_PLAIN | EHLO_AUTH_LOGIN)) != 0)
		abort();
	if (reply_line(line, &r) != OK)
		return 0;
	if (r.code < 200 || r.code > 599)
		abort();
	if (r.has_dsn && (r.dsn_class != r.code / 100 || r.dsn_subject > 999 ||
	    r.dsn_detail > 999))
		abort();
	if (r.text.len > 0 && r.text.ptr + r.text.len > line.ptr + line.len)
		abort();
	reply_ehlo(r.text, &ehlo);
	return 0;
}
