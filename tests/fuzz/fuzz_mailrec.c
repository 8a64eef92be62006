/*
 * fuzz_mailrec.c - records of DNS: a name that is read is within its bounds and
 * no longer than what it came out of, and any text can be judged.
 * room: ctl/tool
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/tool/mailrec.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span rdata = { (const char *)bytes, size };
	char name[MAILREC_NAME_MAX], text[MAILREC_TEXT_MAX];
	size_t used, len;

	if (mailrec_name(rdata, name, &used) &&
	    (used > size || used > 255 || strlen(name) > 4 * used))
		abort();
	(void)mailrec_tlsa_wrong(rdata);
	if (mailrec_text(rdata, text, &len) && len >= size && size > 0)
		abort();
	for (enum mailrec kind = 0; kind < MAILREC__COUNT; kind++)
		if (mailrec_is(kind, rdata))
			(void)mailrec_wrong(kind, rdata);
	return 0;
}
