/*
 * show - how things are printed for people, and a message as JSON.
 *
 * Controls, marks that turn text around and bytes that are no UTF-8 are shown
 * as \xNN: nothing that came by mail changes how a terminal shows the rest.
 */
#ifndef CTL_TOOL_SHOW_H
#define CTL_TOOL_SHOW_H

#include <stdint.h>
#include <stdio.h>

#include "base/span.h"
#include "ctl/tool/listed.h"

#define SHOW_MAX	32	/* bytes an amount takes, with its NUL	*/

/* "512B", "4.1K", "10M"; "12d 4h", "5m", "30s". */
const char	*show_size(uint64_t bytes, char buf[SHOW_MAX]);
const char	*show_age(uint64_t ms, char buf[SHOW_MAX]);
/* "2026-11-21T07:00:00Z" */
const char	*show_time(uint64_t wall_ms, char buf[SHOW_MAX]);

/* The text, made safe for a terminal. */
void		 show_text(FILE *, struct span);
/* A sender: "<>" when it is empty. */
void		 show_sender(FILE *, struct span);

/* The steps of a trace, on a line of their own; nothing when there is none. */
void		 show_trace(FILE *, struct span trace);

/* A message as one line of JSON, and for people in few or in many lines. */
void		 show_message_json(FILE *, const struct listed_message *);
void		 show_message(FILE *, const struct listed_message *,
		    int64_t now_ms);
/* Its recipients alone, a line or two each. */
void		 show_message_rcpts(FILE *, const struct listed_message *,
		    int64_t now_ms);
void		 show_message_whole(FILE *, const struct listed_message *,
		    int64_t now_ms);

#endif
