/* sources.c - one turn for both families: fair enough, and one number. */
#include "base/log.h"
#include "relay/hop/sources.h"

void
sources_read(struct sources *s, const struct slice *relay)
{
	unsigned cnt = slice_count(relay, "source");

	*s = (struct sources){ 0 };
	for (unsigned i = 0; i < cnt && s->cnt < SOURCES_MAX; i++)
		if (resolve_literal(slice_text(relay, "source", i),
		    &s->addresses[s->cnt]))
			s->cnt++;
	if (cnt > SOURCES_MAX)
		log_why(LOG_trouble, "too many sources: the last are left out",
		    0);
}

unsigned
sources_families(const struct slice *relay)
{
	unsigned families = RESOLVE_BOTH, given = 0;
	struct resolve_address a;

	if (slice_flag(relay, "ipv4_only"))
		families = RESOLVE_IPV4;
	else if (slice_flag(relay, "ipv6_only"))
		families = RESOLVE_IPV6;
	for (unsigned i = 0; i < slice_count(relay, "source"); i++)
		if (resolve_literal(slice_text(relay, "source", i), &a))
			given |= resolve_family(&a);
	/* The check allows no block that leaves none. */
	return (families & given) != 0 ? families & given : families;
}

const struct resolve_address *
sources_next(struct sources *s, uint8_t family)
{
	for (unsigned i = 0; s != NULL && i < s->cnt; i++) {
		unsigned no = s->turn++ % s->cnt;

		if (s->addresses[no].family == family)
			return &s->addresses[no];
	}
	return NULL;
}
