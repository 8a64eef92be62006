/* destination.c - see the header; every change of the window is made here. */
#include <stddef.h>
#include <string.h>

#include "queue/plan/destination.h"
#include "queue/plan/host.h"

#define WINDOW_FIRST	2		/* deliveries, also the least	*/
#define WINDOW_OWN	20		/* of a relay itself: its options say
					 * what it may have, and whom for */
#define WINDOW_MAX	10000
#define PROVEN_MS	(10 * 60000)	/* an answer is worth so long	*/
#define PATIENCE_MS	1000		/* after the first give-up	*/
#define PATIENCE_GROWS	8		/* times, with each that follows */
#define PATIENCE_MAX_MS	(5 * 60000)

/* A domain is somebody's we do not know yet; a relay is its own destination. */
static unsigned
first_window(const struct destination *d)
{
	return strcmp(d->relay, d->name) == 0 ? WINDOW_OWN : WINDOW_FIRST;
}

void
destination_init(struct destination *d)
{
	d->window = first_window(d);
	TAILQ_INIT(&d->tenants);
}

bool
destination_may_send(const struct destination *d, int64_t now_ms)
{
	return d->running < d->window &&
	    standing_may_send(&d->standing, now_ms);
}

void
destination_sent(struct destination *d)
{
	d->running++;
	standing_sent(&d->standing);
}

static void
halve(struct destination *d)
{
	d->window /= 2;
	if (d->window < WINDOW_FIRST)
		d->window = WINDOW_FIRST;
}

/* It, and its host, are there. */
static void
rise(struct destination *d, struct standing *host, int64_t now_ms)
{
	standing_rise(&d->standing);
	if (host != NULL)
		standing_rise(host);
	d->answered_ms = now_ms;
	d->patience_ms = 0;
}

void
destination_answered(struct destination *d, struct standing *host,
    enum destination_news news, int64_t now_ms, int64_t cap_ms)
{
	struct standing *whose = host != NULL ? host : &d->standing;

	if (d->running > 0)
		d->running--;
	switch (news) {
	case NEWS_REACHED:
		rise(d, host, now_ms);
		if (d->window < WINDOW_MAX)
			d->window++;
		return;
	case NEWS_BROKEN:
		rise(d, host, now_ms);
		halve(d);
		return;
	case NEWS_HOST:
		halve(d);
		standing_miss(whose, now_ms, cap_ms);
		break;
	case NEWS_UNREACHED:
		d->window = first_window(d);
		d->answered_ms = 0;
		standing_fall(whose, now_ms, cap_ms);
		break;
	case NEWS_NONE:
		standing_pass(whose);
		break;
	}
	if (whose != &d->standing)
		standing_pass(&d->standing);
}

bool
destination_is_up(const struct destination *d)
{
	return d->standing.state == STANDING_UP && (d->host == NULL ||
	    d->host->standing.state == STANDING_UP);
}

enum destination_rank
destination_rank(const struct destination *d, int64_t now_ms)
{
	if (!destination_is_up(d))
		return RANK_DOWN;
	if (d->answered_ms > 0 && now_ms - d->answered_ms < PROVEN_MS)
		return RANK_PROVEN;
	if (d->patience_ms > PATIENCE_MS)
		return RANK_STUCK;
	return d->patience_ms > 0 ? RANK_SLOW : RANK_NEW;
}

void
destination_slow(struct destination *d)
{
	d->patience_ms = d->patience_ms == 0 ? PATIENCE_MS :
	    d->patience_ms * PATIENCE_GROWS;
	if (d->patience_ms > PATIENCE_MAX_MS)
		d->patience_ms = PATIENCE_MAX_MS;
}
