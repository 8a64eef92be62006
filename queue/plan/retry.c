/* retry.c - the expression is evaluated each time: it costs nothing beside. */
#include "queue/plan/retry.h"

#define LEAST_MS	1000
#define OTHERS_MS	60000

int64_t
retry_delay_ms(const struct retry *r, uint32_t made, uint32_t random)
{
	int64_t least = r->cap_ms < LEAST_MS ? r->cap_ms : LEAST_MS;
	int64_t cap_ms = r->cap_ms, delay_ms;
	double s;

	if (expr_eval((struct span){ r->delay, r->delay_len }, made,
	    &s) == OK && s * 1000 < (double)cap_ms)
		cap_ms = (int64_t)(s * 1000);
	delay_ms = (int64_t)((double)cap_ms * random / UINT32_MAX);
	return delay_ms < least ? least : delay_ms;
}

int64_t
retry_longest_ms(const struct retry *r)
{
	return r->cap_ms > OTHERS_MS ? r->cap_ms : OTHERS_MS;
}

bool
retry_is_spent(const struct retry *r, uint32_t made, int64_t age_ms)
{
	if (r->maximum != RETRY_UNLIMITED && made > r->maximum)
		return true;
	return age_ms >= r->lifetime_ms;
}
