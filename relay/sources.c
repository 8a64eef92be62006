/* sources.c - one turn for both families: fair enough, and one number. */
#include "base/log.h"
#include "relay/sources.h"

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
