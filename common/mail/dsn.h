/*
 * dsn - what a sender asks of delivery reports: the parameters RET and ENVID of
 * MAIL, NOTIFY and ORCPT of RCPT (RFC 3461 4), with the addresses of RFC 6533 3
 * in ORCPT.  Pure.
 *
 * RET and NOTIFY are carried and kept as numbers, of which 0 is "not given";
 * ENVID and ORCPT as the client wrote them, because the next hop must get the
 * very same value (RFC 3461 5.2.1).  They are decoded for a report only.
 */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* NOTIFY, bits; DSN_NEVER stands alone.  The numbers are on disk. */
#define DSN_NEVER	0x01u
#define DSN_SUCCESS	0x02u
#define DSN_FAILURE	0x04u
#define DSN_DELAY	0x08u

/* RET; the numbers are on disk. */
enum dsn_ret {
	DSN_RET_NONE,		/* not given	*/
	DSN_RET_FULL,
	DSN_RET_HDRS,
	DSN_RET__COUNT
};

/* Bytes of a value: RFC 3461 4.2, 4.4.  A client that says more is refused. */
#define DSN_ENVID_MAX	100
#define DSN_ORCPT_MAX	500
#define DSN_NOTIFY_TEXT	32	/* bytes for any NOTIFY, with its NUL	*/

/* Read a value.  False: it is none, and *out is as it was. */
bool	dsn_read_notify(struct span value, uint8_t *out);
bool	dsn_read_ret(struct span value, uint8_t *out);

/* Could dsn_read_notify() have read this, or was nothing given? */
bool	dsn_is_notify(uint8_t notify);

/*
 * Is this a value of ENVID: xtext that stands for printable ASCII and blanks?
 * Of ORCPT: "type;" and the same?  In ORCPT an address of type utf-8 has
 * \x{HEXPOINT} for what is not plain, and, with utf8 (SMTPUTF8 was said),
 * characters over U+007F as they are.
 */
bool	dsn_is_envid(struct span value);
bool	dsn_is_orcpt(struct span value, bool utf8);

/*
 * Does this NOTIFY want a report of this kind, DSN_SUCCESS, DSN_FAILURE or
 * DSN_DELAY?  Where none was given: failure and delay (RFC 3461 4.1).
 */
bool	dsn_wants(uint8_t notify, unsigned kind);

/* The value of NOTIFY, into buf of DSN_NOTIFY_TEXT bytes; for 0 it is empty. */
struct span dsn_notify_text(uint8_t notify, char *buf);

/*
 * Undo xtext: into buf, which has xtext.len bytes.  What is no xtext stays as
 * it is.  Returns the bytes written.
 */
size_t	dsn_decode(struct span xtext, char *buf);

/* The same the other way, into cap bytes; 0 when it does not fit. */
size_t	dsn_encode(struct span text, char *buf, size_t cap);

/*
 * An ORCPT for a next hop without SMTPUTF8: utf-8-addr-xtext.  Into buf of
 * DSN_ORCPT_MAX bytes; the empty span when it does not fit.
 */
struct span dsn_orcpt_ascii(struct span orcpt, char *buf);

#endif
