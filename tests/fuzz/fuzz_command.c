/*
 * fuzz_command.c - a line from a client: split, and judged as MAIL, RCPT and
 * EHLO would, whatever its verb is.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/command.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_args(struct span args, bool extended, bool utf8)
{
	struct command_mail mail;
	struct command_rcpt rcpt;

	if (command_mail(args, extended, &mail) == FAULT_NONE &&
	    ((mail.sender.is_utf8 && !mail.smtputf8) ||
	    (!extended && (mail.has_size || mail.has_body || mail.smtputf8 ||
	    mail.has_auth))))
		abort();
	if (command_rcpt(args, extended, utf8, &rcpt) == FAULT_NONE &&
	    (rcpt.rcpt.whole.len == 0 || (rcpt.rcpt.is_utf8 && !utf8)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span line = { (const char *)bytes, len };
	struct command c;
	uint64_t size;
	bool is_last;

	if (command_parse(line, &c) == OK) {
		if (c.verb.len == 0 || span_find(c.args, '\r') < c.args.len ||
		    span_find(c.args, '\n') < c.args.len)
			abort();
		line = c.args;
	}
	for (int i = 0; i < 4; i++)
		check_args(line, i & 1, i & 2);
	(void)command_ehlo_name(line);
	if (command_bdat(line, &size, &is_last) == OK && (size > INT64_MAX ||
	    line.len == 0 || line.ptr[0] < '0' || line.ptr[0] > '9' ||
	    (is_last && line.len < 6)))
		abort();
	return 0;
}
