/*
 * carry_inside - what carry.c (the life of one file on its way, its text) and
 * carry_dialogue.c (what is said of it, and what comes of the replies) share.
 */
#ifndef EDGE_DROP_CARRY_INSIDE_H
#define EDGE_DROP_CARRY_INSIDE_H

#include "edge/client/grow.h"
#include "edge/drop/carry.h"
#include "edge/drop/notice.h"
#include "edge/smtp/response.h"
#include "mail/dot.h"
#include "sys/ev.h"

#define CARRY_WHY_MAX	600

enum step {
	STEP_GREETING, STEP_HELLO, STEP_MAIL, STEP_RCPT, STEP_DATA, STEP_TEXT,
	STEP_END, STEP_RESET
};

struct carry {
	struct edge	*edge;
	struct seat	*seat;
	struct later	 turn;
	struct timer	 again;		/* for the notice alone		*/
	carry_end_fn	*on_end;
	void		*arg;
	struct carry_file file;

	enum step	 step;		/* whose reply comes next	*/
	struct grow	 unread;	/* not fed yet			*/
	struct response	 response;	/* the reply			*/
	struct span	 rcpts, rcpt;	/* not asked about; the last one */
	unsigned	 taken_cnt;	/* recipients, in this transaction */
	unsigned	 kept_cnt;	/* and those with a 250 at the end */
	uint64_t	 at;		/* bytes of the text taken	*/
	struct dot	 dot;
	struct notice	 notice;	/* who was refused, and why	*/
	bool		 is_notice;	/* that goes, and not the file	*/
	unsigned	 notice_tries;

	bool		 is_over;
	enum carry_end	 end;
	char		 why[CARRY_WHY_MAX];
};

/* It ends so, unless it has ended; why may be NULL. */
void		carry_over(struct carry *, enum carry_end, const char *why);
/* Read one reply and do what comes of it; false when none was whole. */
bool		carry_hear(struct carry *);
/* All of it is refused for good: its sender is told next. */
void		carry_refuse_all(struct carry *);
/* The response is a no for good, of what answered "not now" too long. */
void		carry_turn_into_never(struct carry *, const char *answer);
bool		carry_is_too_old(const struct carry *);
/* Bytes of what is sent, the file's text or the notice. */
uint64_t	carry_text_len(const struct carry *);

#endif
