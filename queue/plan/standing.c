/* standing.c - see the header. */
#include "queue/plan/standing.h"

#define MISSES_MAX	3		/* in a row: it is down		*/
#define PAUSE_FIRST_MS	1000
#define PAUSE_MAX_MS	(5 * 60000)	/* one that is back is noticed	*/

bool
standing_may_send(const struct standing *s, int64_t now_ms)
{
	switch (s->state) {
	case STANDING_UP:
		return true;
	case STANDING_DOWN:
		return now_ms >= s->next_try_ms;
	case STANDING_PROBING:
	default:
		return false;
	}
}

void
standing_sent(struct standing *s)
{
	if (s->state == STANDING_DOWN)
		s->state = STANDING_PROBING;
}

void
standing_rise(struct standing *s)
{
	*s = (struct standing){ .state = STANDING_UP };
}

void
standing_fall(struct standing *s, int64_t now_ms, int64_t cap_ms)
{
	if (cap_ms > PAUSE_MAX_MS)
		cap_ms = PAUSE_MAX_MS;
	/* Those that were under way with the first failure say no more. */
	if (s->state == STANDING_DOWN)
		return;
	s->fall_cnt++;
	if (s->state == STANDING_UP) {
		s->logged_ms = now_ms;	/* each of these has its line */
		s->down_ms = now_ms;
	}
	s->pause_ms = s->pause_ms == 0 ? PAUSE_FIRST_MS : s->pause_ms * 2;
	if (s->pause_ms > cap_ms)
		s->pause_ms = cap_ms;
	s->next_try_ms = now_ms + s->pause_ms;
	s->state = STANDING_DOWN;
}

void
standing_miss(struct standing *s, int64_t now_ms, int64_t cap_ms)
{
	if (++s->miss_cnt >= MISSES_MAX || s->state == STANDING_PROBING)
		standing_fall(s, now_ms, cap_ms);
}

void
standing_pass(struct standing *s)
{
	if (s->state == STANDING_PROBING)
		s->state = STANDING_DOWN;
}

void
standing_wait(struct standing *s, int64_t now_ms)
{
	if (s->next_try_ms < now_ms + PAUSE_FIRST_MS)
		s->next_try_ms = now_ms + PAUSE_FIRST_MS;
}

bool
standing_tells(struct standing *s, int64_t now_ms, uint32_t *cnt)
{
	if (s->fall_cnt > STANDING_TELL_FIRST &&
	    now_ms - s->logged_ms < STANDING_TELL_MS) {
		s->unlogged_cnt++;
		return false;
	}
	*cnt = s->unlogged_cnt;
	s->logged_ms = now_ms;
	s->unlogged_cnt = 0;
	return true;
}
