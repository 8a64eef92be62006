/*
 * memory_list.c - walks: the listing, and deliveries in the order in which
 * their messages came, which is that of ids.  A bounded number at a time.
 */
#include <stdlib.h>

#include "queue/store/engine_rows.h"
#include "queue/store/memory/memory.h"

#define TEXT_BYTES	(64u << 10)	/* of strings in one reading */
#define LOOKS_MAX	512		/* at rows, those held included */

static const enum memory_table tables[] = {
	[ROW_MESSAGE] = MEMORY_MESSAGE, [ROW_DELIVERY] = MEMORY_DELIVERY,
	[ROW_RCPT] = MEMORY_RECIPIENT,
};
static const enum record_kind records[] = {
	[ROW_MESSAGE] = RECORD_message, [ROW_DELIVERY] = RECORD_delivery,
	[ROW_RCPT] = RECORD_recipient,
};

struct reading {
	struct store_read_rows *r;
	char		*at, *end;	/* room for strings		*/
};

static bool
has_room(const struct reading *g)
{
	return g->r->cnt < STORE_ROWS_MAX && g->end - g->at >= RECORD_MAX;
}

static void
add(struct reading *g, enum store_row_kind kind, const struct memory_row *from)
{
	struct store_row *row = &g->r->rows[g->r->cnt++];

	row->kind = kind;
	row->id = memory_row_id(from);
	row->no = kind == ROW_MESSAGE ? 0 : memory_row_no(from);
	memory_read(from, records[kind], &row->rec);
	memory_keep_record(records[kind], &row->rec, &g->at);
}

/* Rows of this kind from spot on; false: there was no room for all. */
static bool
walk_parts(struct memory *m, struct reading *g, struct store_spot *spot)
{
	struct memory_row *row;
	struct memory_key k;

	memory_key_no(&k, spot->id, spot->no);
	row = memory_seek(m, tables[spot->kind], &k);
	for (; row != NULL && id_cmp(memory_row_id(row), spot->id) == 0;
	    row = memory_next_of(row)) {
		spot->no = memory_row_no(row);
		if (!has_room(g))
			return false;
		add(g, spot->kind, row);
		if (memory_next_of(row) == NULL)
			break;
	}
	return true;
}

/* The message at the spot, or behind it; false: there is none. */
static bool
begin_message(struct memory *m, struct reading *g, struct store_spot *spot)
{
	struct memory_row *row;
	struct memory_key k;

	memory_key_id(&k, spot->id);
	row = g->r->one ? memory_get(m, MEMORY_MESSAGE, &k) :
	    memory_seek(m, MEMORY_MESSAGE, &k);
	if (row == NULL)
		return false;
	*spot = (struct store_spot){ memory_row_id(row), ROW_DELIVERY, 0 };
	add(g, ROW_MESSAGE, row);
	g->r->message_cnt++;
	return true;
}

/* Is there a message from here on?  Else the list is at its end. */
static bool
has_message(struct memory *m, const struct store_spot *spot)
{
	struct memory_key k;

	memory_key_id(&k, spot->id);
	return memory_seek(m, MEMORY_MESSAGE, &k) != NULL;
}

enum err
memory_list_rows(struct memory *m, struct store_read_rows *r)
{
	size_t bytes = STORE_ROWS_MAX * sizeof(*r->rows);
	struct reading g = { .r = r };

	r->cnt = r->message_cnt = 0;
	r->next = r->from;
	r->at_end = false;
	if ((r->rows = malloc(bytes + TEXT_BYTES)) == NULL)
		return ERR_SYS;
	g.at = (char *)(r->rows + STORE_ROWS_MAX);
	g.end = g.at + TEXT_BYTES;
	while (!r->at_end && has_room(&g)) {
		if (r->next.kind != ROW_MESSAGE) {
			if (!walk_parts(m, &g, &r->next))
				break;
			r->at_end = !engine_rows_step_kind(r, &r->next);
			continue;
		}
		if (r->message_cnt == r->message_max) {
			r->at_end = !has_message(m, &r->next);
			break;
		}
		r->at_end = !begin_message(m, &g, &r->next);
	}
	return OK;
}

/* The delivery behind this number of this message, and which that is. */
static struct memory_row *
behind(struct memory *m, struct id id, uint32_t no)
{
	struct memory_row *row;
	struct memory_key k;

	memory_key_no(&k, id, no);
	row = memory_seek(m, MEMORY_DELIVERY, &k);
	if (row != NULL && id_cmp(memory_row_id(row), id) == 0 &&
	    memory_row_no(row) == no)
		row = memory_next(row);
	return row;
}

void
memory_list_old(struct memory *m, struct store_read_old *r)
{
	struct memory_row *row = behind(m, r->after, r->after_no);

	r->cnt = 0;
	for (unsigned i = 0; row != NULL && i < LOOKS_MAX &&
	    r->cnt < STORE_OLD_MAX; i++, row = memory_next(row)) {
		struct store_old *o = &r->rows[r->cnt];
		union record rec;

		if (id_cmp(memory_row_id(row), r->until) > 0) {
			row = NULL;
			break;
		}
		r->after = memory_row_id(row);
		r->after_no = memory_row_no(row);
		memory_read(row, RECORD_delivery, &rec);
		o->place = (struct store_place){
		    (int64_t)rec.delivery.due_ms, r->after, r->after_no };
		if (o->place.due_ms != STORE_HELD_MS &&
		    store_flow_name(&o->flow, rec.delivery.relay,
		    rec.delivery.destination, rec.delivery.tenant))
			r->cnt++;
	}
	r->at_end = row == NULL;
}

/* When the message came, and whether we wrote it. */
static int64_t
lived_then(struct memory *m, struct id id, bool *is_bounce)
{
	struct memory_row *row;
	struct memory_key k;
	union record r;

	memory_key_id(&k, id);
	if ((row = memory_get(m, MEMORY_MESSAGE, &k)) == NULL)
		return INT64_MAX;
	memory_read(row, RECORD_message, &r);
	*is_bounce = record_is_bounce(&r.message);
	return (int64_t)r.message.lived_ms;
}

/* Whether by an administrator, or for a damage that is his to look at. */
static bool
is_kept(const struct record_delivery *d)
{
	return (int64_t)d->due_ms == STORE_HELD_MS &&
	    store_held_by(d) != HELD_DEATHS;
}

void
memory_list_spent(struct memory *m, struct store_read_spent *r)
{
	int64_t last_ms = r->until_ms > r->bounces_until_ms ? r->until_ms :
	    r->bounces_until_ms;
	struct memory_row *row;
	struct memory_key k;

	r->cnt = 0;
	r->at_end = false;
	memory_key_no(&k, r->from, r->from_no);
	row = memory_seek(m, MEMORY_DELIVERY, &k);
	for (unsigned i = 0; row != NULL; i++, row = memory_next(row)) {
		bool is_bounce = false;
		int64_t lived_ms = lived_then(m, memory_row_id(row),
		    &is_bounce);
		struct store_spent *out;
		union record d;

		if (lived_ms > last_ms)
			break;
		r->from = memory_row_id(row);
		r->from_no = memory_row_no(row);
		if (i >= LOOKS_MAX || r->cnt == STORE_SPENT_MAX)
			return;
		out = &r->rows[r->cnt];
		if (lived_ms > (is_bounce ? r->bounces_until_ms : r->until_ms))
			continue;
		out->lived_ms = lived_ms;
		out->is_bounce = is_bounce;
		memory_read(row, RECORD_delivery, &d);
		if (is_kept(&d.delivery) || !store_flow_name(&out->flow,
		    d.delivery.relay, d.delivery.destination,
		    d.delivery.tenant))
			continue;
		out->place = (struct store_place){
		    (int64_t)d.delivery.due_ms, r->from, r->from_no };
		out->waived_ms = d.delivery.waived_ms;
		out->waived_until_ms = d.delivery.waived_until_ms;
		r->cnt++;
	}
	r->at_end = true;
}
