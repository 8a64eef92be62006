/* destination.c - see the header; every change of state is made here. */
#include <stddef.h>

#include "queue/destination.h"

#define WINDOW_FIRST	20		/* deliveries; postfix begins at 5 */
#define WINDOW_LEAST	2		/* one poisoned does not stop it */
#define WINDOW_MAX	10000
#define MISSES_MAX	3		/* hosts missed in a row: it is down */
#define PAUSE_FIRST_MS	1000
#define PAUSE_MAX_MS	(5 * 60000)	/* a host that is back is noticed */

void
destination_init(struct destination *d)
{
	d->state = DESTINATION_ALIVE;
	d->window = WINDOW_FIRST;
	TAILQ_INIT(&d->turns);
}

bool
destination_may_send(const struct destination *d, int64_t now_ms)
{
	switch (d->state) {
	case DESTINATION_ALIVE:
		return d->running < d->window;
	case DESTINATION_DOWN:
		return now_ms >= d->next_try_ms;
	case DESTINATION_PROBING:
	default:
		return false;
	}
}

void
destination_sent(struct destination *d)
{
	d->running++;
	if (d->state == DESTINATION_DOWN)
		d->state = DESTINATION_PROBING;
}

static void
go_down(struct destination *d, int64_t now_ms, int64_t cap_ms)
{
	if (cap_ms > PAUSE_MAX_MS)
		cap_ms = PAUSE_MAX_MS;
	/* Those that were under way with the first failure say no more. */
	if (d->state == DESTINATION_DOWN)
		return;
	d->pause_ms = d->pause_ms == 0 ? PAUSE_FIRST_MS : d->pause_ms * 2;
	if (d->pause_ms > cap_ms)
		d->pause_ms = cap_ms;
	d->next_try_ms = now_ms + d->pause_ms;
	d->state = DESTINATION_DOWN;
	d->window = 1;
}

static void
come_up(struct destination *d)
{
	if (d->state != DESTINATION_ALIVE)
		d->window = WINDOW_FIRST;
	else if (d->window < WINDOW_MAX)
		d->window++;
	d->state = DESTINATION_ALIVE;
	d->pause_ms = 0;
	d->miss_cnt = 0;
}

/* It came as far as the text, so it is there. */
static void
stay_up(struct destination *d)
{
	if (d->state != DESTINATION_ALIVE)
		d->window = WINDOW_LEAST;
	else if (d->window > WINDOW_LEAST)
		d->window = d->window / 2;
	if (d->window < WINDOW_LEAST)
		d->window = WINDOW_LEAST;
	d->state = DESTINATION_ALIVE;
	d->pause_ms = 0;
	d->miss_cnt = 0;
}

void
destination_heard(struct destination *d, enum destination_news news,
    int64_t now_ms, int64_t cap_ms)
{
	if (d->running > 0)
		d->running--;
	switch (news) {
	case NEWS_REACHED:
		come_up(d);
		break;
	case NEWS_HOST:
		d->window = d->window > 1 ? d->window / 2 : 1;
		if (++d->miss_cnt >= MISSES_MAX ||
		    d->state == DESTINATION_PROBING)
			go_down(d, now_ms, cap_ms);
		break;
	case NEWS_BROKEN:
		stay_up(d);
		break;
	case NEWS_UNREACHED:
		go_down(d, now_ms, cap_ms);
		break;
	case NEWS_NONE:
		/* The probe told nothing: the next one may go at once. */
		if (d->state == DESTINATION_PROBING)
			d->state = DESTINATION_DOWN;
		break;
	}
}
