/*
 * mime_part - for mime.c alone: a part while it is read, and what is planned
 * for it.
 */
#ifndef MAIL_MIME_PART_H
#define MAIL_MIME_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/mime.h"
#include "mail/mime_code.h"
#include "mail/mime_type.h"

/* What is to be done to a part: one octet of the plan. */
#define ACT_QP		0x01u	/* code it so				*/
#define ACT_BASE64	0x02u
#define ACT_MEND	0x04u	/* as it is coded already		*/
#define ACT_7BIT	0x08u	/* what is below is 7-bit from now on	*/
#define ACT_8BIT	0x10u	/* its body had 8 bits, ...		*/
#define ACT_UTF8	0x20u	/* ... and was UTF-8			*/
#define ACT_LEAVE	0x40u	/* there is no making it better		*/

enum mime_where {
	MIME_IN_HEADER,
	MIME_IN_BODY,		/* or before the first boundary, or behind
				 * the last				*/
	MIME_IN_FIELDS		/* a body of fields			*/
};

struct mime_part {
	unsigned	 no;		/* in the plan			*/
	enum mime_where	 where;
	struct mime_type type;
	enum mime_coding coding;
	bool		 is_message;	/* with the fields of one	*/
	bool		 is_sealed;	/* header and body, or ...	*/
	bool		 seals;		/* ... the body alone		*/
	bool		 has_type, has_coding, has_version;
	bool		 has_part;	/* a boundary was there		*/

	/* Of its body, while it is planned. */
	bool		 has_8bit, has_long, not_utf8;
	bool		 changes;	/* its header or body was 8-bit	*/
	unsigned	 utf8_left;	/* octets of a character	*/
	uint64_t	 len, coded_cnt;

	struct mime_code code;		/* while it is written		*/
};

void	mime_part_begin(struct mime_part *, const struct mime_part *above,
	    unsigned no);

/* One more chunk of its body. */
void	mime_part_count(struct mime_part *, struct span, bool is_8bit,
	    bool is_long);
/* Its end: what to do to it.  The plan learns what was found. */
void	mime_part_decide(struct mime_part *, struct mime_plan *);

#endif
