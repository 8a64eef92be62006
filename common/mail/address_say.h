/*
 * address_say - an address in a command of a transaction, with SMTPUTF8 or
 * without.  Pure.
 *
 * Without it (RFC 6531 3.2) a domain of U-labels is written as its A-labels,
 * which are the same name (RFC 5890 2.3.2.1); a local part beyond ASCII has no
 * other form, and cannot be written.
 */
#ifndef MAIL_ADDRESS_SAY_H
#define MAIL_ADDRESS_SAY_H

#include <stdbool.h>

#include "base/span.h"
#include "mail/address.h"

/*
 * As it is written: with SMTPUTF8 as it stands, else in ASCII, in buf of
 * ADDRESS_KEY_MAX bytes; but for the local part of one that
 * address_needs_utf8(), which is left for the other side to refuse.
 */
struct span	address_say(struct span address, bool utf8, char *buf);

#endif
