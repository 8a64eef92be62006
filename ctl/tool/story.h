/*
 * story - what happened to a message, as posternctl trace prints it.
 *
 * A row is printed as it comes: nothing of it is kept.
 */
#ifndef CTL_TOOL_STORY_H
#define CTL_TOOL_STORY_H

#include <stdio.h>

#include "base/span.h"
#include "bus/messages.h"
#include "ctl/tool/listed.h"

/* The message that follows; "queue main". */
void	story_show_head(FILE *, struct id, struct span queue);
void	story_show(FILE *, const struct msg_story_row *);
/* One line of JSON. */
void	story_show_json(FILE *, const struct msg_story_row *,
	    struct span queue);
/* What of it still waits, and for what. */
void	story_show_waits(FILE *, const struct listed_message *,
	    int64_t now_ms);

#endif
