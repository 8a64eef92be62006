/*
 * notice - the words a report is told in: a text with sections and
 * placeholders, of a language of its own.  Pure.
 *
 *	[failed] [delayed] [delivered]	the text, for a report of that kind; its
 *					first line is "Subject: ..."
 *	[recipient]			how one recipient is told of
 *	[reasons]			"unknown: There is no such address."
 *
 * Lines before the first section, and lines that begin with "#", are comments.
 * What a placeholder stands for is foreign: whoever fills it in makes it safe.
 */
#ifndef MAIL_NOTICE_H
#define MAIL_NOTICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

#define NOTICE_MAX	16384	/* bytes of a whole text		*/
#define NOTICE_LINE_MAX	500	/* bytes of a line of it		*/

/* NOTICE_PART(name): a section that is text. */
#define NOTICE_PARTS							\
	NOTICE_PART(failed)						\
	NOTICE_PART(delayed)						\
	NOTICE_PART(delivered)						\
	NOTICE_PART(recipient)

/* NOTICE_FIELD(name, in_recipient): a placeholder, and where it may stand. */
#define NOTICE_FIELDS							\
	NOTICE_FIELD(hostname, false)	/* of this server	*/	\
	NOTICE_FIELD(sender, false)	/* who is told		*/	\
	NOTICE_FIELD(subject, false)	/* of the message	*/	\
	NOTICE_FIELD(date, false)	/* of the message	*/	\
	NOTICE_FIELD(recipients, false)	/* all of this section	*/	\
	NOTICE_FIELD(until, false)	/* how long it is tried	*/	\
	NOTICE_FIELD(returned, false)	/* what is returned	*/	\
	NOTICE_FIELD(recipient, true)	/* the address		*/	\
	NOTICE_FIELD(reason, true)	/* of [reasons]		*/	\
	NOTICE_FIELD(hop, true)		/* who said it		*/	\
	NOTICE_FIELD(reply, true)	/* said by the hop	*/	\
	NOTICE_FIELD(detail, true)	/* said by ourselves	*/

/* NOTICE_REASON(name): a row of [reasons]. */
#define NOTICE_REASONS							\
	NOTICE_REASON(unknown)		/* no such mailbox	*/	\
	NOTICE_REASON(disabled)		/* it takes nothing	*/	\
	NOTICE_REASON(full)		/* the mailbox is full	*/	\
	NOTICE_REASON(big)		/* too big		*/	\
	NOTICE_REASON(domain)		/* no such domain	*/	\
	NOTICE_REASON(unreachable)	/* no connection	*/	\
	NOTICE_REASON(busy)		/* it has no room now	*/	\
	NOTICE_REASON(loop)		/* mail in a circle	*/	\
	NOTICE_REASON(content)		/* a form it cannot take */	\
	NOTICE_REASON(refused)		/* spam, or a rule	*/	\
	NOTICE_REASON(secure)		/* TLS, login		*/	\
	NOTICE_REASON(late)		/* tried for too long	*/	\
	NOTICE_REASON(lost)		/* our record is damaged */	\
	NOTICE_REASON(later)		/* it failed for now	*/	\
	NOTICE_REASON(delivered)	/* it arrived		*/	\
	NOTICE_REASON(relayed)		/* handed on, no more known */	\
	NOTICE_REASON(other)		/* refused for good	*/	\
	NOTICE_REASON(header)		/* {returned}: the header */	\
	NOTICE_REASON(whole)		/* {returned}: all of it */

enum notice_part {
#define NOTICE_PART(name)	NOTICE_##name,
	NOTICE_PARTS
#undef NOTICE_PART
	NOTICE_PART__COUNT
};

enum notice_field {
#define NOTICE_FIELD(name, in_recipient)	NOTICE_FIELD_##name,
	NOTICE_FIELDS
#undef NOTICE_FIELD
	NOTICE_FIELD__COUNT
};

enum notice_reason {
#define NOTICE_REASON(name)	NOTICE_REASON_##name,
	NOTICE_REASONS
#undef NOTICE_REASON
	NOTICE_REASON__COUNT
};

/* Spans of the text it was read from. */
struct notice {
	struct span	 parts[NOTICE_PART__COUNT];
	struct span	 subjects[NOTICE_PART__COUNT];
	struct span	 reasons[NOTICE_REASON__COUNT];
};

/* What is wrong with a text, and where. */
struct notice_error {
	char		 why[128];
	unsigned	 line, column;	/* from 1			*/
	struct span	 text;		/* the line			*/
};

/*
 * Read a text.  A section or reason it has not is taken from the house's own,
 * which is English.  ERR_PEER: *error says what, where.
 */
MUST_CHECK enum err notice_read(struct notice *out, struct span text,
	    struct notice_error *error);

/* The house's own. */
void	notice_default(struct notice *out);

/*
 * The next run of text, or placeholder, at the front of *text, which is cut.
 * False at its end.  A run does not go over the end of its line; "{{" is a
 * brace, a run of its own.
 */
struct notice_run {
	struct span	 text;		/* when it is no placeholder	*/
	bool		 is_field;
	enum notice_field field;
};
bool	notice_next(struct span *text, struct notice_run *out);

#endif
