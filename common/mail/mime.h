/*
 * mime - a message's text for a next hop that does not take it as it is: 8
 * bits where 8BITMIME is not offered (RFC 6152), fields in UTF-8 where SMTPUTF8
 * is not (RFC 6532), and lines over TEXT_LINE_SURE octets.
 *
 * The text is read twice: once to see what each part needs, for that stands in
 * front of what is in it, and once to write it.
 *
 *	mime_plan_init(&plan, to_7bit);
 *	m = mime_new(&plan, NULL);		first; then, unless
 *	while (text)				plan.has_8bit and plan.has_long
 *		mime_feed(m, text);		are false or plan.is_stuck,
 *	mime_end(m);				the same with an out
 *
 * Parts that need it become quoted-printable or base64, whichever is shorter;
 * parts that claim to be that already are mended; fields are as mime_field.h
 * says.  All else of the text stays as it is, and so does all that is signed or
 * encrypted: 8 bits in it, or in what may not be coded, make a plan stuck; long
 * lines in it are left.  With is_utf8 so does an address that has no form in
 * ASCII, for a reply to it would be lost.
 *
 * Owns	   what it holds of a line and a field, some 120 KiB
 * Errors  plan.has_failed, out.has_failed: memory was short
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "mail/mime_out.h"

#define MIME_PARTS_MAX	10000	/* of a text; one with more is left as it is */
#define MIME_DEPTH_MAX	50	/* of parts within parts; deeper is opaque */

struct mime_plan {
	bool		 to_7bit;	/* else long lines alone matter	*/
	bool		 is_utf8;	/* set it: fields were allowed UTF-8
					 * by SMTPUTF8, and are no more	*/
	bool		 is_stuck;	/* 8 bits stand where they must stay */
	bool		 has_8bit;	/* what can be converted, ...	*/
	bool		 has_long;	/* ... and needs to be		*/
	bool		 leaves_long;	/* lines that must stay as they are */
	bool		 is_signed;	/* a DKIM-Signature is there	*/
	bool		 has_failed;
	uint64_t	 grows;		/* octets, about		*/
	uint8_t		*acts;		/* a part's each, as they begin	*/
	unsigned	 cnt, cap;
};

struct mime;

void	mime_plan_init(struct mime_plan *, bool to_7bit);
/* Is there something to convert, and may it be? */
bool	mime_plan_is_due(const struct mime_plan *);
void	mime_plan_fini(struct mime_plan *);

/* Plans when out is NULL, else writes there.  NULL when out of memory. */
struct mime	*mime_new(struct mime_plan *, struct mime_out *);
/*
 * What is written for a bite of n octets is at most 16 n and what was held:
 * a field.
 */
void	mime_feed(struct mime *, struct span);
void	mime_end(struct mime *);
void	mime_free(struct mime **);

#endif
