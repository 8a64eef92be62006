/*
 * hop_id - under which name a next hop keeps what it took, as its reply to the
 * end of the text says: RFC 5321 has no form for it, but every server says it.
 *
 *	250 2.0.0 Ok: queued as 4XyZ12			Postfix, and many
 *	250 2.6.0 Message queued as UUID		postern
 *	250 OK id=1rAbCd-000123-Xy			Exim
 *	250 2.0.0 3ATBx0 Message accepted for delivery	sendmail, OpenSMTPD
 *	250 2.0.0 <a@b> kF3Jx9abcd Saved		Dovecot's LMTP
 *	250 2.6.0 <id> [InternalId=42, ...] Queued mail	Exchange
 *	250 2.0.0 OK  1700000000 a1-20020a05 - gsmtp	Google
 *
 * Pure.  The result points into the reply; empty: it says none.
 */
#ifndef MAIL_HOP_ID_H
#define MAIL_HOP_ID_H

#include "base/span.h"

#define HOP_ID_MAX	128	/* bytes; what is longer is no id */

struct span	hop_id_find(struct span reply);

#endif
