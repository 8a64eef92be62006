/* hop_address.c - see the header. */
#include "mail/address.h"
#include "relay/hop/hop_address.h"

bool
hop_address_is_sound(struct span text)
{
	struct address a;

	return address_parse(text, true, &a) == OK ||
	    span_eq_nocase(text, SPAN("postmaster"));
}
