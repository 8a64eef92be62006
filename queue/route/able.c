/*
 * able.c - a row for each relay that has spoken; their names are master's, so
 * there are as many as the configuration had.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/span.h"
#include "queue/route/able.h"
#include "queue/route/route.h"

#define HOP_MAX	300	/* bytes of a hop's name with its NUL */

struct able_row {
	SLIST_ENTRY(able_row) entry;
	char		 relay[BLOCK_NAME_MAX + 1];
	char		 hop[HOP_MAX];
	enum hop_utf8	 utf8;
	bool		 lacks_8bit;	/* 8BITMIME, as far as is known	*/
	bool		 lacks_binary;	/* likewise			*/
	bool		 dsn;		/* is offered			*/
	uint64_t	 size;		/* the most it takes, or 0	*/
};

static struct able_row *
find(const struct able *a, const char *relay)
{
	struct able_row *row;

	SLIST_FOREACH(row, &a->rows, entry)
		if (strcmp(row->relay, relay) == 0)
			break;
	return row;
}

static struct able_row *
find_or_add(struct able *a, const char *relay)
{
	struct able_row *row = find(a, relay);

	if (row == NULL && (row = calloc(1, sizeof(*row))) != NULL) {
		strlcpy(row->relay, relay, sizeof(row->relay));
		SLIST_INSERT_HEAD(&a->rows, row, entry);
	}
	return row;
}

/* A new process of a relay knows nothing yet; of the same hop we still do. */
enum err
able_take(struct able *a, const char *relay, const struct msg_relay_can *m)
{
	struct able_row *row;
	char hop[HOP_MAX];

	if (m->utf8 >= HOP_UTF8__COUNT || m->eightbit > 1 || m->binary > 1 ||
	    m->dsn > 1 || !span_cstr(m->hop, hop, sizeof(hop)))
		return ERR_PEER;
	if ((row = find_or_add(a, relay)) == NULL)
		return ERR_SYS;
	if (m->utf8 != HOP_UNKNOWN || strcmp(row->hop, hop) != 0) {
		row->utf8 = m->utf8;
		row->lacks_8bit = m->utf8 != HOP_UNKNOWN && m->eightbit == 0;
		row->lacks_binary = m->utf8 != HOP_UNKNOWN && m->binary == 0;
		row->dsn = m->dsn != 0;
		row->size = m->size;
	}
	strlcpy(row->hop, hop, sizeof(row->hop));
	return OK;
}

enum hop_utf8
able_hop(const struct able *a, const char *relay)
{
	const struct able_row *row = find(a, relay);

	return row == NULL ? HOP_UNKNOWN : row->utf8;
}

bool
able_says(const struct able *a, const char *relay, struct msg_relay_can *out)
{
	const struct able_row *row = find(a, relay);

	*out = (struct msg_relay_can){ .utf8 = HOP_UNKNOWN, .eightbit = 1 };
	if (row == NULL || row->utf8 == HOP_UNKNOWN)
		return false;
	out->utf8 = (uint8_t)row->utf8;
	out->eightbit = !row->lacks_8bit;
	out->binary = !row->lacks_binary;
	out->dsn = row->dsn;
	out->size = row->size;
	return true;
}

static bool
lacks_binary(const struct able *a, const char *relay)
{
	const struct able_row *row = find(a, relay);

	return row != NULL && row->lacks_binary;
}

void
able_tell(const struct able *a, struct routes *routes)
{
	enum hop_utf8 hop;

	for (unsigned no = route_relay_cnt(routes); no-- > 0; ) {
		if (!route_has_one_hop(routes, no))
			continue;
		hop = able_hop(a, route_relay(routes, no));
		route_set_utf8(routes, no, hop == HOP_UTF8,
		    hop != HOP_UNKNOWN);
		route_set_binary(routes, no, !lacks_binary(a,
		    route_relay(routes, no)));
	}
}

void
able_fini(struct able *a)
{
	struct able_row *row;

	while ((row = SLIST_FIRST(&a->rows)) != NULL) {
		SLIST_REMOVE_HEAD(&a->rows, entry);
		free(row);
	}
}
