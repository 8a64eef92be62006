/*
 * read_mailbox - values that name mailboxes, senders and logins, or domains of
 * them.
 */
#ifndef CONF_READ_MAILBOX_H
#define CONF_READ_MAILBOX_H

#include "conf/read/read.h"

/* As read_value(), for those types. */
bool		 read_mailbox_value(const struct read_place *,
		    const struct option_row *, const struct value *,
		    struct reading *out);

#endif
