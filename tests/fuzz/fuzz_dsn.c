/*
 * fuzz_dsn.c - a value of each parameter of RFC 3461: what is taken decodes to
 * something that can be printed, is the same when written again, and becomes
 * ASCII only by becoming longer.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/dsn.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_decoded(struct span xtext)
{
	char text[DSN_ORCPT_MAX];
	size_t len = dsn_decode(xtext, text);

	if (len > xtext.len)
		abort();
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] == 0x7f ||
		    ((unsigned char)text[i] < ' ' && text[i] != '\t'))
			abort();
}

static void
check_orcpt(struct span value)
{
	char text[DSN_ORCPT_MAX];
	struct span ascii;

	if (!dsn_is_orcpt(value, true)) {
		if (dsn_is_orcpt(value, false))
			abort();
		return;
	}
	check_decoded(value);
	ascii = dsn_orcpt_ascii(value, text);
	if (ascii.len > 0 && !dsn_is_orcpt(ascii, false))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span value = { (const char *)bytes, len };
	char text[DSN_NOTIFY_TEXT], coded[3 * DSN_ENVID_MAX];
	char plain[3 * DSN_ENVID_MAX];
	uint8_t notify = 0, back = 0, ret = 0;
	size_t n;

	if (dsn_read_notify(value, &notify) && (!dsn_is_notify(notify) ||
	    !dsn_read_notify(dsn_notify_text(notify, text), &back) ||
	    back != notify))
		abort();
	if (dsn_read_ret(value, &ret) && ret >= DSN_RET__COUNT)
		abort();
	if (dsn_is_envid(value))
		check_decoded(value);
	check_orcpt(value);
	n = dsn_encode(value, coded, sizeof(coded));
	if (n > 0 && (dsn_decode((struct span){ coded, n }, plain) != len ||
	    memcmp(plain, bytes, len) != 0))
		abort();
	return 0;
}
