/*
 * pace.c - a minute ends early once it has brought what it must: the next one
 * begins then, so that nobody can send ahead for later.
 */
#include "edge/client/pace.h"

void
pace_begin(struct pace *p, int64_t now_ms)
{
	*p = (struct pace){ .last_ms = now_ms };
}

bool
pace_took(struct pace *p, size_t len, uint64_t min_rate, int64_t now_ms)
{
	int64_t gap = now_ms - p->last_ms;

	p->last_ms = now_ms;
	p->sent_ms += gap < PACE_PAUSE_MS ? gap : PACE_PAUSE_MS;
	p->bytes += len;
	if (p->bytes / (PACE_MINUTE_MS / 1000) >= min_rate) {
		p->sent_ms = 0;
		p->bytes = 0;
	}
	return p->sent_ms < PACE_MINUTE_MS;
}

void
pace_skip(struct pace *p, int64_t now_ms)
{
	p->last_ms = now_ms;
}
