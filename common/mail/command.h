/*
 * command - what an SMTP client's lines say: RFC 5321 4.1.1, SIZE (RFC 1870),
 * 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954), DSN (RFC 3461),
 * CHUNKING and BINARYMIME (RFC 3030).
 * Syntax only: the order of the dialogue and every limit of the configuration
 * are the edge's.
 *
 * Results point into the line.
 */
#ifndef MAIL_COMMAND_H
#define MAIL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "mail/address.h"

struct command {
	struct span	 verb;		/* letters, as given: compare without
					 * case				   */
	struct span	 args;		/* no blanks at either end; may be
					 * empty			   */
};

/*
 * Split a line, its CRLF removed, into verb and arguments.  Blanks at the end
 * do not count.  ERR_PEER (500): no verb, something else than letters in it,
 * or a control other than TAB anywhere.  8-bit bytes in the arguments pass.
 */
MUST_CHECK enum err command_parse(struct span line, struct command *out);

enum command_fault {
	FAULT_NONE,
	FAULT_SYNTAX,	/* 501 5.5.4				*/
	FAULT_ADDRESS,	/* 501 5.1.7 in MAIL, 5.1.3 in RCPT	*/
	FAULT_UTF8,	/* 553 5.6.7 needs SMTPUTF8		*/
	FAULT_PARAM,	/* 555 5.5.4 unknown parameter		*/
	FAULT_BINARY,	/* 501 5.5.4 BODY=BINARYMIME not offered: the
			 * edge's to find			*/
	FAULT_RET,	/* 501 5.5.4 neither FULL nor HDRS	*/
	FAULT_ENVID,	/* 501 5.5.4 no xtext, or too long	*/
	FAULT_NOTIFY,	/* 501 5.5.4 no list of NOTIFY		*/
	FAULT_ORCPT	/* 501 5.5.4 no address type and xtext, or too long */
};

struct command_mail {
	struct address	 sender;	/* any kind but ADDRESS_POSTMASTER;
					 * whether ADDRESS_USER is fine is the
					 * edge's to say		   */
	uint64_t	 size;		/* bytes as declared; a number over
					 * 2^64 - 1 reads as that	   */
	bool		 has_size;
	bool		 has_body;	/* BODY= was given		   */
	bool		 is_8bit;	/* BODY=8BITMIME		   */
	bool		 is_binary;	/* BODY=BINARYMIME		   */
	bool		 smtputf8;
	bool		 has_auth;	/* AUTH= was given; its value is
					 * judged and not kept, for we take
					 * nobody's word for it (RFC 4954 5) */
	uint8_t		 ret;		/* enum dsn_ret			   */
	struct span	 envid;		/* as given; empty: it was not	   */
};

struct command_rcpt {
	struct address	 rcpt;		/* any kind but ADDRESS_NULL, as
					 * above			   */
	uint8_t		 notify;	/* DSN_* bits; 0: not given	   */
	struct span	 orcpt;		/* as given; empty: it was not	   */
	bool		 orcpt_utf8;	/* it holds 8-bit bytes		   */
};

/*
 * Judge the arguments of MAIL ("FROM:<a@b> SIZE=1") and RCPT ("TO:<a@b>").
 * One blank after the colon and an address without brackets are taken too.
 * extended: EHLO was said; without it every parameter is FAULT_PARAM.  utf8:
 * this transaction's MAIL said SMTPUTF8.  The first fault found is told; *out
 * holds something only on FAULT_NONE.
 */
MUST_CHECK enum command_fault command_mail(struct span args, bool extended,
    struct command_mail *out);
MUST_CHECK enum command_fault command_rcpt(struct span args, bool extended,
    bool utf8, struct command_rcpt *out);

/* The path of MAIL or RCPT as it was said, right or wrong, without brackets and
 * at most PATH_MAX_SMTP bytes of it: for a log. */
struct span	command_path_said(struct span args);

/* Judge the arguments of BDAT, "10" or "10 LAST".  ERR_PEER: they are none, or
 * no number of octets that fits in 63 bits. */
MUST_CHECK enum err command_bdat(struct span args, uint64_t *size,
    bool *is_last);

/*
 * May a client call itself so in EHLO or HELO?  Any one word of printable
 * ASCII, 1 to DOMAIN_MAX bytes: real clients say MAC addresses, URLs and the
 * names of their owners, and what they say here is believed by nobody.
 */
bool	command_ehlo_name(struct span args);

#endif
