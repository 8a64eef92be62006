/*
 * select - which messages a command is about: the SELECTION of posternctl(8).
 *
 * Pure.  All conditions must hold.  Those on recipients and deliveries (--to,
 * --relay, --status, --code, --reply) must hold for one and the same recipient;
 * the message is then meant as a whole.
 *
 * Owns	   nothing: spans point into the command line
 */
#ifndef CTL_TOOL_SELECT_H
#define CTL_TOOL_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "ctl/tool/listed.h"

#define SELECT_IDS_MAX	1024
#define SELECT_ID_MIN	4	/* characters of the beginning of an id	*/

enum select_key {
	SELECT_FROM, SELECT_TO, SELECT_LOGIN, SELECT_QUEUE, SELECT_RELAY,
	SELECT_STATUS, SELECT_CODE, SELECT_REPLY, SELECT_OLDER, SELECT_NEWER,
	SELECT_SIZE, SELECT_LIMIT, SELECT_ALL, SELECT__COUNT
};

struct select {
	unsigned	 given;		/* bits 1 << select_key		*/
	struct span	 text[SELECT__COUNT];	/* as given		*/
	uint64_t	 older_ms, newer_ms;	/* age			*/
	uint64_t	 size_over, size_under;	/* bytes; 0 not asked	*/
	uint64_t	 limit;			/* messages		*/
	unsigned	 id_cnt;
	struct span	 ids[SELECT_IDS_MAX];	/* whole, or beginnings	*/
	uint32_t	 id_hits[SELECT_IDS_MAX];
};

/* Note an option's value.  NULL, or what is wrong with it. */
const char	*select_option(struct select *, enum select_key,
		    struct span value);
/* Note an id or the beginning of one, once.  NULL, or what is wrong. */
const char	*select_id(struct select *, struct span);

/* Was anything said but --queue and --limit? */
bool		 select_is_said(const struct select *);

/*
 * Is this one meant?  now_ms is the wall clock.  The limit is the caller's to
 * see to; id_hits of the ids that fit are raised when all the rest fits.
 */
bool		 select_match(struct select *, const struct listed_message *,
		    int64_t now_ms);

/* Does this recipient meet the conditions on recipients and deliveries? */
bool		 select_match_rcpt(const struct select *,
		    const struct listed_message *, const struct listed_rcpt *);

#endif
