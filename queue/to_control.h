/*
 * to_control - what the queue says to control.  Packs, and decides nothing; to
 * a link that is gone (NULL) it says nothing.
 */
#ifndef QUEUE_TO_CONTROL_H
#define QUEUE_TO_CONTROL_H

#include "bus/link.h"
#include "queue/control/waits.h"
#include "queue/store/store.h"
#include "queue/store/store_damage.h"
#include "queue/store/store_list.h"
#include "queue/store/store_story.h"

void	to_control_status(struct link *, const struct msg_queue_status *);
void	to_control_route(struct link *, const struct msg_route_answer *);
void	to_control_alias(struct link *, const struct msg_alias_row *);
void	to_control_alias_end(struct link *, const struct msg_alias_end *);
void	to_control_edited(struct link *, uint64_t request, enum tool_status);
void	to_control_suspend_done(struct link *, uint64_t request,
	    enum tool_status);

/* Rows of the kind that the name says, and the end of them. */
void	to_control_message(struct link *, uint64_t request,
	    const struct store_row *);
void	to_control_delivery(struct link *, uint64_t request,
	    const struct store_row *, enum listed,
	    const struct waits_for *, uint64_t until_ms);
void	to_control_rcpt(struct link *, uint64_t request,
	    const struct store_row *);
void	to_control_aside(struct link *, uint64_t request,
	    const struct store_note *);
void	to_control_asides(struct link *, uint64_t request, struct span last,
	    enum tool_status);
void	to_control_suspended(struct link *, uint64_t request,
	    const struct suspension *, bool is_strange);
void	to_control_suspended_end(struct link *, uint64_t request,
	    enum tool_status);
void	to_control_listed(struct link *, uint64_t request, struct id last,
	    enum tool_status);

/* What was found by a word, and what happened to a message. */
void	to_control_found(struct link *, uint64_t request, struct id);
void	to_control_found_end(struct link *, uint64_t request,
	    const struct store_index_key *last, enum tool_status);
void	to_control_event(struct link *, uint64_t request, struct id,
	    const struct store_event *);
void	to_control_story_end(struct link *, uint64_t request,
	    const struct store_index_key *last, enum tool_status);
/* A piece of text, in rows, and how that ends. */
void	to_control_text(struct link *, uint64_t request, struct span,
	    enum tool_status);

#endif
