/*
 * judge - of each message, what is whole and what is missing.
 *
 * A message's rows vouch for each other: it says how many deliveries it has,
 * each of these how many recipients, and how long header and body are.
 *
 * Owns	   the arrays of a verdict, until judge_fini()
 * Blocks  never
 */
#ifndef QUEUE_SALVAGE_JUDGE_H
#define QUEUE_SALVAGE_JUDGE_H

#include "queue/salvage/rows.h"

struct judge_rcpt {
	uint32_t	 no, delivery;
	struct span	 address;
	const struct row *row;
	bool		 is_done;	/* the delivery has it no longer */
	bool		 is_good;	/* its delivery is good too	*/
};

struct judge_delivery {
	uint32_t	 no;
	struct record_delivery rec;
	const struct row *row;		/* NULL: made from its due row	*/
	uint32_t	 rcpt_cnt;	/* found			*/
	bool		 is_good;	/* it can be carried out	*/
	bool		 is_doubtful;	/* what tells of it is		*/
	bool		 has_excess;	/* of recipients		*/
	bool		 is_due;	/* table due has its row	*/
};

/* What is wrong, as bits. */
enum judge_fault {
	JUDGE_MESSAGE	= 1,	/* its row is missing or damaged	*/
	JUDGE_TEXT	= 2,	/* some of header or body		*/
	JUDGE_DELIVERY	= 4,	/* some delivery			*/
	JUDGE_RCPT	= 8,	/* some recipient			*/
	JUDGE_DUE	= 16,	/* a row of table due: the queue mends it */
	JUDGE_NEWER	= 32,	/* a row was written by a newer postern	*/
	JUDGE_DOUBTFUL	= 64,	/* nothing of it stands in a tree	*/
	JUDGE_REPORT	= 128,	/* what its sender is to be told	*/
	JUDGE__END	= 256
};

struct verdict {
	struct id	 id;
	bool		 has_message;
	struct record_message message;
	const struct row *row;
	struct judge_rcpt *rcpts;
	size_t		 rcpt_cnt;
	struct judge_delivery *deliveries;
	size_t		 delivery_cnt;
	uint32_t	 report_cnt;	/* its sender is to be told	*/
	uint64_t	 rcpt_missing;	/* as the deliveries count them	*/
	unsigned	 faults;	/* enum judge_fault		*/
};

/*
 * The first message from this id on that anything is known of, be it text that
 * lacks its envelope; loose text (which belongs to none) left out.  False:
 * there is none.
 */
bool	judge_next(const struct rows *, struct id *);

/* ERR_SYS: no memory. */
MUST_CHECK enum err judge_message(const struct rows *, struct id,
	    struct verdict *);
void	judge_fini(struct verdict *);

/*
 * Of the message's rows of table report, the next from *at on that is of today;
 * NULL: no more.  One that cannot be read goes along: the queue tells of it.
 */
const struct row *judge_report(const struct rows *, struct id, size_t *at);

/* Is all of its text there?  Its envelope must have been read. */
bool	judge_is_whole(const struct rows *, const struct verdict *);

/* Has it something to send or to report, with its text? */
bool	judge_can_go(const struct verdict *);

/* Is part of it to be found in a file of its own? */
bool	judge_is_lacking(const struct verdict *);

/* The text of one fault, for people. */
const char *judge_why(enum judge_fault);

/*
 * Chunk of the text, of that length; ptr NULL: it is missing.  A leaf without
 * a tree does not say whether it is of header or body: the length does.
 */
struct span judge_chunk(const struct rows *, enum table, struct id,
	    uint32_t no, size_t len);

#endif
