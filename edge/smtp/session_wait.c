/*
 * session_wait.c - how the answer of whoever is asked finds its session.  What
 * becomes of it is on_answer()'s, which is session.c's.
 */
#include "edge/smtp/session.h"

bool
session_is_waiting(const struct session *s)
{
	return s->state == ST_PENDING;
}

void
session_wake(struct session *s)
{
	if (s->seat.on_wake != NULL)
		s->seat.on_wake(s->seat.arg);
}

void
session_resume(struct session *s, const struct reply *no)
{
	s->on_answer(s, no);
}

void
session_away(struct session *s)
{
	const struct check *check = s->waiting.check;

	if (check->cancel != NULL)
		check->cancel(s);
	session_resume(s, check->away.code != 0 ? &check->away : NULL);
}

bool
session_waits_for(const struct session *s, const struct check *check)
{
	return s->state == ST_PENDING && s->waiting.check == check;
}
