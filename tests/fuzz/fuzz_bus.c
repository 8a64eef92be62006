/*
 * fuzz_bus - frames' fields as a hostile peer may write them: the first two
 * bytes choose the message, the rest are its fields.  What is accepted must
 * encode to the very same bytes, and print.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "bus/messages.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(const uint8_t *fields, size_t len, unsigned type)
{
	static uint8_t again[FRAME_MAX];
	struct wire_out w = { again, 0, sizeof(again), false };
	char line[512];
	union msg m;

	if (msg_get(fields, len, type, &m) != OK)
		return;
	msg_put(&w, type, &m);
	if (w.bad || w.len != len ||
	    (len > 0 && memcmp(again, fields, len) != 0))
		abort();
	msg_print(line, sizeof(line), type, &m);
	if (memchr(line, '\n', strlen(line)) != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	unsigned chosen;

	if (len < 2)
		return 0;
	chosen = bytes[0] | (unsigned)bytes[1] << 8;
	check(bytes + 2, len - 2, chosen % (MSG__COUNT + 1));
	/* Short inputs are worth trying as every message. */
	if (len < 40)
		for (unsigned type = 0; type < MSG__COUNT; type++)
			check(bytes + 2, len - 2, type);
	return 0;
}
