/*
 * tool - a posternctl that is connected, and what it may ask.
 *
 * It has a minute from one word to the next, and five to wait for an answer.
 * A tool that does not read is passed on no more: its questions are answered
 * with "busy" until it has read, and its link ends when that does not help.
 */
#ifndef CTL_CONTROL_TOOL_H
#define CTL_CONTROL_TOOL_H

#include "ctl/control/control.h"
#include "ctl/control/rights.h"

#define TOOL_IDLE_MS	60000	/* nothing asked			*/
#define TOOL_WAIT_MS	300000	/* an answer that does not come		*/
#define TOOL_UNSENT_MAX	(1u << 20)	/* bytes it has not read, then: busy */
#define TOOL_QUEUE_MAX	(16u << 20)	/* bytes, then its link ends	*/
#define TOOL_UNWANTED_MAX 8	/* being told so, at a time		*/
#define TOOL_UNWANTED_MS 2000	/* to read that in			*/

struct tool {
	LIST_ENTRY(tool) entry;
	struct control	*control;
	struct link	*link;
	enum right	 right;		/* what it may ask		*/
	char		 who[RIGHTS_WHO_MAX];	/* empty: it says itself */
	bool		 is_unwanted;	/* was told so, is not listened to */
	LIST_HEAD(, ask) queries;	/* questions under way		*/
	unsigned	 ask_cnt;
	int64_t		 heard_ms;	/* when it last said something	*/
	struct timer	 idle;
};

/* Take a connection as a tool's; fd is taken. */
void	tool_open(struct control *, int fd, enum right);

/* Tell a connection that it is not wanted, and end it; fd is taken. */
void	tool_turn_away(struct control *, int fd, enum tool_status,
	    const char *why);

/* A question of its was answered. */
void	tool_served(struct tool *);

/* The end of all; of those that wait for nothing. */
void	tool_close_all(struct control *);
void	tool_end_idle(struct control *);

#endif
