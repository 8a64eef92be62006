/* slow.c - one row a number; FNV-1a where there is none yet. */
#include "relay/hop/slow.h"

#define MINUTE_MS	60000

/* EHLO, STARTTLS and AUTH are not named there: as the greeting. */
static const int64_t waits_ms[STAGE__COUNT] = {
	[STAGE_GREETING]	= 5 * MINUTE_MS,
	[STAGE_EHLO]		= 5 * MINUTE_MS,
	[STAGE_MAIL]		= 5 * MINUTE_MS,
	[STAGE_RCPT]		= 5 * MINUTE_MS,
	[STAGE_DATA]		= 2 * MINUTE_MS,
	[STAGE_BODY]		= 3 * MINUTE_MS,	/* a block	*/
};

int64_t
slow_wait_ms(enum stage stage)
{
	return waits_ms[stage];
}

static uint64_t
add(uint64_t h, uint8_t byte)
{
	return (h ^ byte) * 0x100000001b3u;
}

uint64_t
slow_delivery(struct id id, uint32_t delivery)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (unsigned i = 0; i < sizeof(id.b); i++)
		h = add(h, id.b[i]);
	for (unsigned i = 0; i < 4; i++)
		h = add(h, (uint8_t)(delivery >> 8 * i));
	return h;
}

unsigned
slow_stages(const struct slow *s, uint64_t who, int64_t now_ms)
{
	unsigned row = who % SLOW_ROWS;

	if (s->rows[row].who != who || now_ms >= s->rows[row].until_ms)
		return 0;
	return s->rows[row].stages;
}

void
slow_note(struct slow *s, uint64_t who, unsigned stages, int64_t now_ms,
    int64_t lasts_ms)
{
	unsigned row = who % SLOW_ROWS;

	if (stages == 0)
		return;
	s->rows[row].stages = stages | slow_stages(s, who, now_ms);
	s->rows[row].who = who;
	s->rows[row].until_ms = now_ms + lasts_ms;
}
