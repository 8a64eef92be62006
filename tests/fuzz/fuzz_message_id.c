/*
 * fuzz_message_id.c - the names a message has: out of a header section, out of
 * what a person typed, out of a next hop's reply.  What is found is clean, is
 * of what was given, and cleaning it again changes nothing.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "mail/command.h"
#include "mail/hop_id.h"
#include "mail/message_id.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(struct span s, struct span in, size_t most)
{
	if (s.len > most || (s.len > 0 && (s.ptr < in.ptr ||
	    s.ptr + s.len > in.ptr + in.len)))
		abort();
}

static void
check_clean(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7f)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span in = { (const char *)bytes, len };
	struct span found = message_id_find(in);
	struct span typed = message_id_clean(in);
	struct span hop = hop_id_find(in);

	check(found, in, MESSAGE_ID_KEPT);
	check(typed, in, MESSAGE_ID_KEPT);
	check(hop, in, HOP_ID_MAX);
	check(command_path_said(in), in, len);
	check_clean(found);
	check_clean(typed);
	check_clean(hop);
	if (span_find(typed, '<') == typed.len &&
	    !span_eq(message_id_clean(typed), typed))
		abort();
	return 0;
}
