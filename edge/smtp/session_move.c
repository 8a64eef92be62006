/*
 * session_move.c - the state, which moves as session_table.c says, and ends
 * once.
 */
#include "edge/smtp/session.h"

void
session_close(struct session *s, bool is_hasty)
{
	s->seat.is_hasty = is_hasty;
	s->seat.is_closed = true;
	s->state = ST_CLOSED;
	stage_cancel(s);
}

void
session_about(struct session *s, enum log_key key, struct span path)
{
	s->path_key = key;
	s->path = path;
}

void
session_settle(struct session *s, const struct moves *moves, enum taken taken)
{
	session_about(s, LOG_KEY__COUNT, SPAN(""));	/* the line goes */
	if (s->state == ST_CLOSED) {
		stage_cancel(s);
		return;
	}
	switch (taken) {
	case TAKEN:
		if (moves->taken == ST_CLOSED)
			session_close(s, s->seat.is_hasty);
		s->state = moves->taken;
		return;
	case REFUSED:
		s->state = moves->refused;
		return;
	case PENDING:
		s->waiting.moves = *moves;
		s->state = ST_PENDING;
		return;
	case MORE:
		s->state = ST_AUTH;
		return;
	}
}
