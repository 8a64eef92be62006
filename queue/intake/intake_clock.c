/*
 * intake_clock.c - since when an edge, and the store, have said nothing of a
 * stream; intake_watch.c judges it.
 */
#include "base/log.h"
#include "queue/intake/intake_inside.h"

#define LOOK_MS		10000	/* between two looks, at most		*/
#define LOOKS		4	/* within the shortest of the times	*/

void
intake_watch(struct intake *in)
{
	const struct settings *set = &in->queue->settings;
	int64_t ms = set->silence_ms;

	if (ms == 0 || (set->session_ms > 0 && set->session_ms < ms))
		ms = set->session_ms;
	if (ms == 0 || in->patience_ms < ms)
		ms = in->patience_ms;
	ms /= LOOKS;
	if (!timer_running(&in->watch))
		timer_set(&in->watch, ms > 0 && ms < LOOK_MS ? ms : LOOK_MS);
}

void
stream_begin_watch(struct stream *s)
{
	const struct settings *set = &s->queue->settings;

	s->begun_ms = s->heard_ms = ev_now_ms(s->queue->loop);
	s->silence_ms = set->silence_ms;
	s->session_ms = set->session_ms;
	intake_watch(s->queue->intake);
}

void
stream_touch(struct stream *s)
{
	s->heard_ms = ev_now_ms(s->queue->loop);
}

void
stream_handed(struct stream *s)
{
	if (s->writing_cnt == 0)
		s->handed_ms = ev_now_ms(s->queue->loop);
}

void
stream_answered(struct stream *s)
{
	struct queue *q = s->queue;

	s->handed_ms = ev_now_ms(q->loop);
	if (!q->is_unanswered)
		return;
	q->is_unanswered = false;
	log_why(LOG_resumed, "the store answers again", 0);
	intake_tell(q->intake);
}
